import { ExitCode, UserError } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';
import { safe } from '../output/output.js';
import { at, listAt, objectsAt, textAt } from '../output/read.js';
import { Sheet } from '../output/sheet.js';

export const status = defineCommand({
  description: 'Asks the running agent. Exit code 3 when none runs on the data directory.',
  options: { json: flag('--json', 'what the agent says, as one JSON document') },
  examples: [{ line: 'sudo launchwarden status', says: 'which sensors run, and what was dropped' }],
  needs: 'root, when the agent runs as a daemon',
  async handler({ context, options }) {
    const { out } = context;
    const reply = await context.askDaemon('status', undefined);
    if (reply === undefined) {
      const { dataDir } = await context.settings();
      throw new UserError('control/not-running', `no agent runs on ${dataDir}`, {
        exitCode: ExitCode.unreachable,
        hint: 'Start it with "launchwarden run", install it with "launchwarden install", or name its --data-dir.',
      });
    }
    const { result } = reply;
    if (options.json) {
      out.document('status/1', result as object);
      return ExitCode.ok;
    }
    const sheet = new Sheet(out);
    sheet.section('Agent', (section) => {
      section.field('version', textAt(result, 'version'));
      section.field('process', textAt(result, 'pid'));
      section.field('started', textAt(result, 'started'));
      section.field('rules', textAt(result, 'rules'));
      section.field('root', textAt(result, 'root'));
      section.field('tier', textAt(result, 'tier.running') ?? 'none');
      section.field('because', textAt(result, 'tier.reason'));
    });
    for (const sensor of objectsAt(result, 'sensors')) {
      sheet.section(`Sensor ${textAt(sensor, 'kind') ?? '?'}`, (section) => {
        section.field('runs', at(sensor, 'running') === true ? 'yes' : 'no');
        section.list('notes', listAt(sensor, 'notes'));
        section.field('counters', counters(at(sensor, 'counters')));
      });
    }
    sheet.section('Pipeline', (section) => {
      section.field('events', counters(at(result, 'pipeline')));
      section.field('detection', counters(at(result, 'detect')));
      const off = textAt(result, 'signatures.off');
      section.field('signatures', off === undefined ? counters(at(result, 'signatures')) : `off: ${off}`);
    });
    return ExitCode.ok;
  },
});

/** `observed 12, cpu_share 0.0059`: counts as they are, measured figures with the digits that say something. */
function counters(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const shown = (name: string) => {
    const one = at(value, name);
    if (typeof one === 'number' && !Number.isInteger(one))
      return String(Math.abs(one) >= 100 ? Math.round(one) : Number(one.toPrecision(2)));
    return textAt(value, name) ?? '0';
  };
  return Object.keys(value)
    .map((name) => `${safe(name)} ${shown(name)}`)
    .join(', ');
}
