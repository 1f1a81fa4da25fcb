import { silentLogger } from '../../base/log.js';
import { formatDuration, parseTime } from '../../base/time.js';
import { recordsAt, stringAt } from '../../base/value-at.js';
import { destinationName, storedStatus, testSteps } from '../../forward/index.js';
import { defineProbe, failed, ok, type Verdict, warning } from '../probe.js';
import { settingsOf } from '../system.js';

const bad: ReadonlySet<string> = new Set(['paused', 'refused', 'rejecting', 'parked']);
/** What waits longer than that is no hiccup, microseconds. */
const late = 10 * 60 * 1e6;

interface Told {
  readonly grade: Grade;
  readonly line: string;
}

type Grade = 'ok' | 'warning' | 'failed';

export const destinations = defineProbe({
  name: 'destinations',
  section: 'Delivery',
  asks: 'Do the destinations take what is sent to them?',
  async read(system) {
    const settings = settingsOf(system);
    const configured = settings.destinations.map(destinationName);
    const agent = await system.agent();
    const known =
      agent.state === 'runs'
        ? recordsAt(agent.status, 'destinations')
        : await system.withStore((store) => storedStatus(store.outbox)).catch(() => []);
    const tried: { name: string; ok: boolean; detail: string }[] = [];
    if (system.network)
      for (const one of settings.destinations) {
        const context = { clock: system.clock, log: silentLogger, version: system.version };
        let last = { ok: false, detail: 'nothing was tried' };
        for await (const step of testSteps(one, context, { signal: AbortSignal.timeout(15_000) }))
          if (step.ok !== null) last = { ok: step.ok, detail: `${step.step}: ${step.detail}` };
        tried.push({ name: destinationName(one), ...last });
      }
    return { configured, known: known as readonly unknown[], running: agent.state === 'runs', tried };
  },
  judge({ configured, known, running, tried }, now): Verdict {
    if (configured.length === 0)
      return warning(
        'there is none: alerts stay on this machine',
        'docs/forwarding.md shows how to connect a SIEM.',
      );
    const told = [
      ...configured.map((name): Told => {
        const one = known.find((each) => stringAt(each, 'name') === name);
        const [grade, text] = judgedState(one, now, running);
        return { grade, line: `${name}: ${text}` };
      }),
      ...tried.map(
        ({ name, ok: works, detail }): Told => ({
          grade: works ? 'ok' : 'failed',
          line: `${name}, tried now: ${detail}`,
        }),
      ),
    ];
    const worst =
      told.find(({ grade }) => grade === 'failed') ?? told.find(({ grade }) => grade === 'warning');
    const rest = told.filter((one) => one !== worst).map(({ line }) => line);
    const cure = '"sudo launchwarden forward status" says more, "forward test --all" tries them.';
    if (worst === undefined) return ok(rest.join('; '));
    return worst.grade === 'failed' ? failed(worst.line, cure, rest) : warning(worst.line, cure, rest);
  },
});

function judgedState(one: unknown, now: number, running: boolean): readonly [Grade, string] {
  if (one === undefined) return ['warning', 'no agent has run with it yet'];
  const state = stringAt(one, 'state');
  const reason = stringAt(one, 'reason') ?? 'no reason is known';
  const last = parseTime(stringAt(one, 'last_ok'))?.time;
  const took =
    last === undefined ? 'has taken nothing yet' : `delivered ${formatDuration(Math.max(0, now - last))} ago`;
  if (state !== undefined && bad.has(state)) return ['failed', `${state}: ${reason}`];
  if (stringAt(one, 'paused') !== undefined && stringAt(one, 'paused') !== 'no')
    return ['failed', `paused: ${reason}`];
  const lanes = ['alert', 'status', 'event'].map((lane) => {
    const at = one as { lanes?: Record<string, { oldest?: number; rows?: number }> };
    return at.lanes?.[lane];
  });
  // Times of the outbox are milliseconds.
  const oldest = Math.min(
    ...lanes.map((lane) => (lane?.rows ? (lane.oldest ?? Number.MAX_SAFE_INTEGER) * 1000 : now)),
  );
  if (oldest < now - late)
    return ['failed', `what waits came ${formatDuration(now - oldest)} ago; ${took}; ${reason}`];
  if (!running) return ['warning', `no agent runs, nothing is delivered; ${took}`];
  if (state === 'holding_simulated') return ['ok', 'holds simulated events back, as it should'];
  if (last === undefined) return ['warning', took];
  return ['ok', took];
}
