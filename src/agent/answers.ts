import { UserError } from '../base/errors.js';
import { type Investigation, isAnswer } from '../event/investigation.js';
import type { Store } from '../store/index.js';

/** Name of the request on the control socket. */
export const keepAnswersOp = 'alerts.answers';

const maxAnswers = 64;

function isInvestigation(args: unknown): args is Investigation {
  const { alert, time, author, answers } = (args ?? {}) as Record<string, unknown>;
  return (
    typeof alert === 'string' &&
    Number.isSafeInteger(time) &&
    typeof author === 'string' &&
    author.length <= 256 &&
    Array.isArray(answers) &&
    answers.length <= maxAnswers &&
    answers.every(isAnswer)
  );
}

/**
 * Keeps the answers about one alert in a writable store: the daemon's answer on its socket, and the command line's own way
 * when no daemon runs. Throws a UserError when there is no such alert.
 */
export function keepAnswers(store: Store, args: unknown): { readonly kept: true } {
  if (!isInvestigation(args)) throw new UserError('alerts/bad-request', 'not the answers about an alert');
  if (!store.investigations.put(args))
    throw new UserError('alerts/unknown', `there is no alert "${args.alert.slice(0, 100)}"`);
  return { kept: true };
}
