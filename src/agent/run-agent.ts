import { messageOf } from '../base/errors.js';
import { createLogger } from '../base/log.js';
import { openStore } from '../store/index.js';
import { Agent } from './agent.js';
import { openDestinations } from './destinations.js';
import type { AgentOptions } from './options.js';
import { policyFailedStart, settingsAtStart } from './policy.js';
import { logParked, logPassedOver, selectRules } from './rules.js';
import { V8Tuning } from './v8-tuning.js';

/**
 * Runs the agent until the signal. Rejects with a UserError when it cannot start; nothing has been written then. Also with
 * `agent/data-lost`, after the destinations were told, when its data folder was taken away from it.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const tuning = new V8Tuning({ clock: options.clock });
  const { level, file } = options.settings.log;
  const { logFormat: format = 'json' } = options;
  const log = createLogger({ level, format, ...(file === undefined ? {} : { file }) });
  const store = openStore({
    dataDir: options.settings.dataDir,
    clock: options.clock,
    evidenceBytes: options.settings.retention.evidenceBytes,
    keepGoing: true,
  });
  let agent: Agent | undefined;
  // A reload that is asked for before the agent listens for it must not end it.
  const passedOver = () => log.info({}, 'asked to reload before the start was over');
  process.on('SIGHUP', passedOver);
  try {
    const settings = await settingsAtStart(options, log);
    const selected = selectRules(settings);
    logPassedOver(selected.passedOver, log);
    logParked(selected.parked, log);
    try {
      const targets = await openDestinations({ ...options, log }, settings);
      agent = new Agent({ ...options, settings }, { rules: selected, log, store, targets, tuning });
      await agent.start();
      process.off('SIGHUP', passedOver);
    } catch (error) {
      policyFailedStart(settings, messageOf(error), log);
      throw error;
    }
    const { lost } = agent;
    await new Promise<void>((resolve, reject) => {
      lost.catch(reject);
      if (options.signal.aborted) resolve();
      else options.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    log.info({}, 'stopping');
  } finally {
    process.off('SIGHUP', passedOver);
    await agent?.stop();
    store.close();
    log.info({}, 'stopped');
  }
}
