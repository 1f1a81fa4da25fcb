import { things } from '../../base/count.js';
import { formatDuration, formatMicros, type Micros } from '../../base/time.js';
import { recordsAt } from '../../base/value-at.js';
import { defineProbe, failed, ok, unknown, warning } from '../probe.js';

const lookBack = 24 * 3600 * 1e6;
/** Receivers' clocks are seconds wrong at times, and an answer takes its time. */
const tolerated = 60 * 1e6;
/** Measured for so long. */
const pauseMs = 100;
const drift = 50;

export const clock = defineProbe({
  name: 'clock',
  section: 'Clock',
  asks: 'Is the clock right, and did anybody set it?',
  async read(system) {
    const { clock: time } = system;
    const before = { wall: time.now(), steady: time.monotonic() };
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const parted = (time.now() - before.wall) / 1000 - (time.monotonic() - before.steady);
    const now = time.now();
    const agent = await system.agent();
    const stored = await system
      .withStore((store) => ({
        newest: store.events.extent().last,
        steps: store.gaps.list({ since: now - lookBack }).filter(({ reason }) => reason === 'clock-step'),
      }))
      .catch(() => undefined);
    const receivers = agent.state === 'runs' ? recordsAt(agent.status, 'destinations') : [];
    return { now, parted, stored, skews: receivers.flatMap(skewOf) };
  },
  judge({ now, parted, stored, skews }) {
    const right = 'Set it: System Settings, General, Date & Time, "Set time and date automatically".';
    if (Math.abs(parted) > drift)
      return failed(`it moved by ${Math.round(parted)} ms within ${pauseMs} ms while it was measured`, right);
    const far = skews.find(({ skew }) => Math.abs(skew) > tolerated);
    if (far !== undefined)
      return failed(
        `it is ${formatDuration(Math.abs(far.skew))} ${far.skew > 0 ? 'ahead of' : 'behind'} that of ${far.name}`,
        right,
      );
    const newest = stored?.newest ?? now;
    if (newest > now + tolerated)
      return failed(
        `the newest event is ${formatDuration(newest - now)} in the future: the clock was set back`,
        right,
      );
    const steps = stored?.steps ?? [];
    if (steps.length > 0)
      return warning(
        `it was set ${things(steps.length, 'time')} in the last 24 hours`,
        'Find out who did that: it hides when something happened.',
        steps.map(({ to, detail }) => `${formatMicros(to).slice(0, 19)}Z ${detail}`),
      );
    const compared = skews.map(({ name, skew }) => `${Math.round(skew / 1e6)} s from ${name}`);
    if (stored === undefined)
      return unknown(
        ['earlier steps are not known: there is no store that can be read', ...compared].join(', '),
      );
    return ok(['no step in 24 hours', ...compared].join(', '));
  },
});

/** What the receiver's Date header said, when it was last heard: our clock minus its clock. */
function skewOf(one: Record<string, unknown>): { name: string; skew: Micros }[] {
  const skew = one['clock_skew_ms'];
  return typeof skew === 'number' ? [{ name: String(one['name']), skew: skew * 1000 }] : [];
}
