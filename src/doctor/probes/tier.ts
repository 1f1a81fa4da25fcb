import { stringAt } from '../../base/value-at.js';
import { defineProbe, failed, ok, warning } from '../probe.js';
import { settingsOf } from '../system.js';

const tiers: Readonly<Record<string, string>> = {
  'endpoint-security': 'every process and file event',
  eslogger: 'every process and file event, by way of eslogger',
  scan: 'processes that live longer than a poll, some 5 ms',
};

export const tier = defineProbe({
  name: 'tier',
  section: 'Sensors',
  asks: 'Which tier of sensors serves, and why no better one?',
  async read(system) {
    const agent = await system.agent();
    const mac = system.platform === 'darwin' && !system.root.simulated;
    if (agent.state === 'runs')
      return {
        mac,
        from: 'the agent',
        tier: stringAt(agent.status, 'tier.running') ?? null,
        reason: stringAt(agent.status, 'tier.reason') ?? '',
      };
    return { mac, from: 'a trial start', ...(await system.probeSensors(settingsOf(system))) };
  },
  judge({ mac, from, tier: running, reason }) {
    if (running === null)
      return failed(
        `processes are not seen (${from}): ${reason}`,
        '"launchwarden coverage" says what that costs.',
      );
    const what = `${running}: ${tiers[running] ?? ''} (${from})`;
    if (running !== 'scan' || !mac) return ok(what, [reason]);
    return warning(what, 'Root and Full Disk Access give eslogger on macOS 13 and newer.', [reason]);
  },
});
