import { ExitCode } from '../../base/errors.js';
import { defineCommand, flag } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { safe } from '../output/output.js';
import { at, listAt, objectsAt, textAt } from '../output/read.js';
import { Sheet } from '../output/sheet.js';

export const status = defineCommand({
  description:
    'Asks the running agent. The first line is its verdict, HEALTHY, DEGRADED or BLIND, with all that speaks against it;\n' +
    'exit code 1 when it is not healthy, 3 when none runs on the data directory.',
  options: { json: flag('--json', 'what the agent says, as one JSON document') },
  examples: [{ line: 'sudo launchwarden status', says: 'which sensors run, and what was dropped' }],
  needs: 'root, when the agent runs as a daemon',
  async handler({ context, options }) {
    const { out } = context;
    const reply = await context.askDaemon('status', undefined);
    if (reply === undefined) throw await notRunning(context);
    const { result } = reply;
    const verdict = textAt(result, 'verdict');
    const code = verdict === undefined || verdict === 'healthy' ? ExitCode.ok : ExitCode.checkFailed;
    if (options.json) {
      out.document('status/1', result as object);
      return code;
    }
    if (verdict !== undefined) {
      const reasons = listAt(result, 'reasons');
      const line = [verdict.toUpperCase(), ...(reasons.length === 0 ? [] : [reasons.join('; ')])].join(': ');
      out.line(out.style(styles[verdict] ?? 'red', line));
      out.line();
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
      section.field('addon', textAt(result, 'addon.reason') ?? textAt(result, 'addon.state'));
      section.list('passed over', listAt(result, 'addon.passed_over'));
    });
    for (const sensor of objectsAt(result, 'sensors')) {
      sheet.section(`Sensor ${textAt(sensor, 'kind') ?? '?'}`, (section) => {
        section.field('runs', at(sensor, 'running') === true ? 'yes' : 'no');
        section.list(
          'blind in',
          objectsAt(sensor, 'blind').map((one) => `${textAt(one, 'place')}: ${textAt(one, 'reason')}`),
        );
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
    sheet.section('Store', (section) => {
      section.field('state', textAt(result, 'store.state'));
      section.field('because', textAt(result, 'store.reason'));
      section.field('since', textAt(result, 'store.since'));
      section.field('held', held(result));
    });
    return code;
  },
});

const styles: Record<string, 'green' | 'yellow'> = { healthy: 'green', degraded: 'yellow' };

/** What the store holds in memory alone. */
function held(result: unknown): string | undefined {
  const alerts = Number(at(result, 'store.held_alerts') ?? 0);
  const events = Number(at(result, 'store.held_events') ?? 0);
  return alerts + events === 0 ? undefined : `${alerts} alerts, ${events} events in memory alone`;
}

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
