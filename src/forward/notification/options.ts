import * as v from 'valibot';
import { commonOptions } from '../common-options.js';
import { milliseconds } from '../values.js';

/** Tells whoever sits in front of the Mac. */
export const notificationOptions = v.strictObject({
  type: v.literal('notification'),
  ...commonOptions,
  /** Alerts of a lower priority are not told. */
  least: v.optional(
    v.picklist(['low', 'medium', 'high', 'critical'], 'low, medium, high or critical'),
    'medium',
  ),
  /** Notifications in ten minutes; further alerts are counted in one more. */
  most: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 5),
  /** How long macOS may take to show one. */
  timeout: v.optional(milliseconds, '10s'),
});
