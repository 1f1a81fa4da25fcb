import { UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { nearest } from '../base/nearest.js';

/**
 * The rule for ids everywhere: a whole id, or a beginning that only one has. To read, so many characters are enough; to
 * change something, so many more, so that a slip does not hit another one.
 */
export const leastToRead = 4;
export const leastToChange = 8;

export interface Ids {
  /** As messages call it: `alert`. */
  readonly noun: string;
  /** First part of the codes of its errors: `alerts`. */
  readonly stage: string;
  /** Where the ids are listed: `launchwarden alerts list`. */
  readonly listedBy: string;
  /** Ids that begin so, at most `limit`. */
  beginning(text: string, limit: number): readonly string[];
  /** Ids that somebody may have meant. */
  known(): readonly string[];
  /** What an id is about, safe to print. */
  about?(id: string): string | undefined;
}

export interface IdRule {
  readonly change?: boolean;
  /** `--yes`: a short beginning will do. */
  readonly yes?: boolean;
}

/** The whole id that was meant. Throws a UserError that names what it could have been. */
export function resolveId(written: string, ids: Ids, rule: IdRule = {}): string {
  const { noun, stage } = ids;
  const found = written === '' ? [] : ids.beginning(written, 7);
  if (found.includes(written)) return written;
  if (written.length < leastToRead)
    throw new UserError(`${stage}/short-id`, `${quote(written)} is too short to name one ${noun}`, {
      hint: `Write at least ${leastToRead} characters of its id; see "${ids.listedBy}".`,
    });
  const [only] = found;
  if (only === undefined) throw unknownId(written, ids);
  if (found.length > 1) {
    const count = found.length > 6 ? 'more than 6' : String(found.length);
    throw new UserError(`${stage}/ambiguous-id`, `${count} ids begin with ${quote(written)}`, {
      hint: `Write more of it:\n  ${found
        .slice(0, 6)
        .map((id) => told(id, ids, lengthToTell(found)))
        .join('\n  ')}`,
    });
  }
  if (rule.change === true && rule.yes !== true && written.length < leastToChange)
    throw new UserError(`${stage}/short-id`, `${quote(written)} is short for a change`, {
      hint: `It names ${told(only, ids, shownOfId)}. Write at least ${leastToChange} characters, or add --yes.`,
    });
  return only;
}

/** So many characters of an id are shown. */
const shownOfId = 12;

/** Enough of several ids to tell them from each other. */
function lengthToTell(ids: readonly string[]): number {
  for (let length = shownOfId; ; length += 4) {
    const cut = new Set(ids.map((id) => id.slice(0, length)));
    if (cut.size === ids.length || length > 200) return length;
  }
}

function told(id: string, ids: Ids, length: number): string {
  const about = ids.about?.(id);
  return `${id.slice(0, length)}${about === undefined ? '' : ` (${about})`}`;
}

function unknownId(written: string, ids: Ids): UserError {
  // People write beginnings: those of the same length are compared, first of ids that begin alike.
  const cut = (id: string) => id.slice(0, Math.max(written.length, 1));
  const known = [...ids.beginning(written.slice(0, 3), 50), ...ids.known()];
  const near = nearest(
    written,
    known.map((id) => cut(id)),
  );
  const meant = near === undefined ? [] : [...new Set(known.filter((id) => cut(id) === near))].slice(0, 3);
  return new UserError(`${ids.stage}/unknown`, `there is no ${ids.noun} ${quote(written, 100)}`, {
    hint:
      meant.length === 0
        ? `See "${ids.listedBy}".`
        : `Did you mean ${meant.map((id) => told(id, ids, shownOfId)).join(', or ')}?`,
  });
}
