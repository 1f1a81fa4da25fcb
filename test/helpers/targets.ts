import type { Destination, Target } from '../../src/forward/index.js';

export const wideCaps: Target['caps'] = {
  eventRows: 1e6,
  eventBytes: 1e9,
  alertRows: 1e6,
  alertBytes: 1e9,
  policy: 'drop_oldest_events',
};

export function target(destination: Destination, extra: Partial<Target> = {}): Target {
  return { destination, caps: wideCaps, simulated: false, rawEvents: 'off', ...extra };
}
