import { formatMicros } from '../../base/time.js';
import { defineProbe, ok, warning } from '../probe.js';

const lookBack = 24 * 3600 * 1e6;
/** What a Mac does every day. */
const daily: ReadonlySet<string> = new Set(['sleep', 'restart', 'rescan', 'clock-step']);

export const gaps = defineProbe({
  name: 'gaps',
  section: 'Sensors',
  asks: 'Was anything missed in the last 24 hours?',
  read: (system) =>
    system.withStore((store) => store.gaps.list({ since: system.clock.now() - lookBack, limit: 1000 })),
  judge(all) {
    const grave = all.filter(({ reason }) => !daily.has(reason));
    const lines = grave.map(
      ({ to, sensor, reason, detail }) => `${formatMicros(to).slice(0, 19)}Z ${sensor} ${reason}: ${detail}`,
    );
    const count = all.length === 1000 ? 'more than 1,000' : String(all.length);
    if (grave.length === 0)
      return ok(
        all.length === 0
          ? 'no gap'
          : `${count} ${all.length === 1 ? 'gap' : 'gaps'}, all from sleep, restarts and rescans`,
      );
    return warning(
      `${count} ${all.length === 1 ? 'gap' : 'gaps'}, ${grave.length} of them not from sleep, restarts or rescans`,
      'docs/silence.md says what each of them means; "launchwarden diagnostics" writes them all down.',
      lines,
    );
  },
});
