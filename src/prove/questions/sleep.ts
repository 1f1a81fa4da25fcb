import { type Micros, parseTime } from '../../base/time.js';
import { judged, notAsked, type Question } from '../question.js';

const pmset = '/usr/bin/pmset';
const leastSleep: Micros = 120e6;
/** A gap begins with the last turn of the agent's clock before the sleep, and ends with the first one behind it. */
const tolerance: Micros = 60e6;

export const sleep: Question = {
  name: 'sleep',
  asks: 'What does the agent say of a sleep of some minutes?',
  expected:
    'one gap of reason "sleep", at most one more for dark wakes, and none of a sensor that was stopped',
  programs: [pmset],
  async ask(system) {
    const status = (await system.agent.status()) as { started?: unknown } | undefined;
    const started = parseTime(status?.started)?.time;
    if (started === undefined) return notAsked('no agent runs here: run "launchwarden install" first');
    const { stdout } = await system.run(pmset, ['-g', 'log'], { mostBytes: 64 * 1024 * 1024 });
    const slept = sleepsIn(stdout)
      .filter(({ from, to }) => from > started && to - from >= leastSleep)
      .at(-1);
    if (slept === undefined)
      return notAsked(
        'the Mac has not slept since the agent started: close its lid for 5 minutes, and run "prove --resume"',
      );
    const gaps = await system.agent.gaps(slept.from - tolerance);
    if (gaps === undefined) return notAsked('the gap records of the agent cannot be read');
    const about = gaps.filter(({ from, to }) => to >= slept.from && from <= slept.to + tolerance);
    const sleeps = about.filter(({ reason }) => reason === 'sleep').length;
    const stopped = about.filter(({ reason }) => reason === 'silent').length;
    return judged(
      sleeps >= 1 && sleeps <= 2 && stopped === 0,
      `${sleeps} gaps of reason sleep, ${stopped} of reason silent, for ${Math.round((slept.to - slept.from) / 1e6)} s of sleep`,
      about.map(({ sensor, reason, detail }) => `${sensor} ${reason}: ${detail}`),
    );
  },
};

interface Stretch {
  readonly from: Micros;
  readonly to: Micros;
}

/** Lines such as `2026-11-29 03:12:01 +0000 Sleep  \t...` and `... Wake ...`; a dark wake ends no sleep. */
export function sleepsIn(text: string): Stretch[] {
  const found: Stretch[] = [];
  let from: Micros | undefined;
  for (const line of text.split('\n')) {
    const [, day, clock, hours, minutes, what] =
      /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d) (Sleep|Wake) +\t/.exec(line) ?? [];
    const time = day === undefined ? undefined : parseTime(`${day}T${clock}${hours}:${minutes}`)?.time;
    if (time === undefined) continue;
    if (what === 'Sleep') from ??= time;
    else if (from !== undefined) {
      found.push({ from, to: time });
      from = undefined;
    }
  }
  return found;
}
