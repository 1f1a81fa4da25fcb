import { things } from '../../base/count.js';
import { formatDuration, parseTime } from '../../base/time.js';
import { brokenStep, brokenText, lastCanary } from '../../canary/index.js';
import { defineProbe, failed, ok, unknown, warning } from '../probe.js';

const old = 30 * 86_400 * 1e6;

export const canary = defineProbe({
  name: 'canary',
  section: 'Delivery',
  asks: 'When was the whole chain proven last, from a launch item to the destinations?',
  read: (system) => system.withStore((store) => lastCanary(store)),
  judge(last, now) {
    const run = '"sudo launchwarden canary" proves it now.';
    if (last === undefined) return warning('never', run);
    const ended = parseTime(last.ended)?.time;
    if (ended === undefined) return unknown('its result cannot be read', run);
    const when = `${formatDuration(Math.max(0, now - ended))} ago`;
    if (!last.ok)
      return failed(
        `it failed ${when}: ${brokenText(last) ?? 'no reason is known'}`,
        brokenStep(last)?.cure ?? run,
      );
    if (now - ended > old) return warning(`${when}, which is long`, run);
    return ok(`${when}, in ${things(last.steps.length, 'step')}`);
  },
});
