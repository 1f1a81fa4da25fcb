import { formatMicros, type Micros } from '../../../base/time.js';
import type { Exception } from '../../../rules/index.js';
import type { ExceptionHits } from '../../../store/index.js';

export const exceptionSchema = 'exception/1';

export type ExceptionState = 'active' | 'expired' | 'pack';

/** An exception with what the agent counted. */
export interface ListedException {
  readonly exception: Exception;
  readonly hits: ExceptionHits | undefined;
  readonly state: ExceptionState;
}

export function stateOf({ file, expires }: Exception, now: Micros): ExceptionState {
  if (file.startsWith('pack/')) return 'pack';
  return expires !== undefined && expires <= now ? 'expired' : 'active';
}

/** The fields of a `launchwarden.exception/1` document. */
export function exceptionFields({ exception, hits, state }: ListedException): object {
  const { id, file, reason, author, expires, rules, signer, sha256 } = exception;
  return {
    id,
    state,
    file,
    reason,
    author,
    expires: expires === undefined ? null : formatMicros(expires),
    rules,
    team_id: signer?.teamId ?? null,
    signing_id: signer?.signingId ?? null,
    sha256: sha256 ?? null,
    bound: signer !== undefined || sha256 !== undefined,
    hits: hits?.hits ?? 0,
    first_hit: hits === undefined ? null : formatMicros(hits.first),
    last_hit: hits === undefined ? null : formatMicros(hits.last),
  };
}
