import { UserError } from '../base/errors.js';
import type { Response } from '../respond/index.js';
import type { ReinfectionWatch, Store } from '../store/index.js';

/** Name of the request on the control socket: what a response watches for from now on, or no more. */
export const watchOp = 'respond.watch';

export type WatchRequest =
  | {
      readonly arm: readonly Pick<ReinfectionWatch, 'response' | 'kind' | 'value' | 'alert'>[];
    }
  | { readonly disarm: string };

const mostWatches = 64;
const kinds: readonly unknown[] = ['path', 'label', 'sha256', 'signer'];

function isRequest(args: unknown): args is WatchRequest {
  const { arm, disarm } = (args ?? {}) as Record<string, unknown>;
  if (typeof disarm === 'string') return true;
  return (
    Array.isArray(arm) &&
    arm.length <= mostWatches &&
    arm.every(
      (one: Record<string, unknown> | null) =>
        kinds.includes(one?.['kind']) &&
        ['response', 'value', 'alert'].every((key) => typeof one?.[key] === 'string'),
    )
  );
}

/** On a writable store: the daemon's part of it, and the command line's own way when no daemon runs. */
export function applyWatch(
  store: Pick<Store, 'reinfection'>,
  args: unknown,
  now: number,
): { readonly done: true } {
  if (!isRequest(args))
    throw new UserError('respond/bad-request', 'not a request about what a response watches for');
  if ('disarm' in args) store.reinfection.disarm(args.disarm);
  else store.reinfection.arm(args.arm, now);
  return { done: true };
}

/** What a response watches for, once it did something. */
export function watchesOf({ id, alert, watch, records }: Response): Extract<WatchRequest, { arm: unknown }> {
  // A plan that has found nothing to do has nothing that could come back.
  const acted = records.some(({ state }) => state === 'done');
  return { arm: acted ? watch.map((one) => ({ ...one, response: id, alert: alert ?? '' })) : [] };
}
