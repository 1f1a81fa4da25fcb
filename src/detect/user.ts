import type { EcsDocument } from '../event/document.js';

/** Whom root's own files and processes count for, and what nobody else can be named for. */
export const systemUser = 'system';

/** A user's name is as long as this at most: it stands in alerts and gaps. */
const longestName = 64;
const homes = '/Users/';

/**
 * The user whose doing an event is, so that limits can be kept by user: the owner of the home that its file is in, else the
 * owner of the file, else the user of the process, else the system.
 */
export function userOf(doc: EcsDocument): string {
  const { file } = doc;
  const path: unknown = file?.path ?? doc.Persistence?.path ?? doc.launchwarden?.job?.plist_path;
  const home = typeof path === 'string' ? homeOwner(path) : undefined;
  if (home !== undefined) return home;
  return nameOf(file?.owner, file?.uid) ?? nameOf(doc.user?.name, doc.user?.id) ?? systemUser;
}

/** Users by whom limits are kept; who comes after that many shares one with all others who do. */
const mostUsers = 256;
const otherUsers = '(other users)';

/** `userOf` with a bounded number of answers: captures, and whoever can make homes, may name any number. */
export class Users {
  readonly #known = new Set([systemUser]);
  /** The document that was asked about last: a rule asks several times for one event. */
  #last: EcsDocument | undefined;
  #user = systemUser;

  of(doc: EcsDocument): string {
    if (doc === this.#last) return this.#user;
    this.#user = this.#bounded(userOf(doc));
    this.#last = doc;
    return this.#user;
  }

  #bounded(user: string): string {
    if (this.#known.has(user)) return user;
    if (this.#known.size >= mostUsers) return otherUsers;
    this.#known.add(user);
    return user;
  }
}

/** The name of the folder below `/Users`. APFS ignores case, and so do we. */
function homeOwner(path: string): string | undefined {
  if (!path.startsWith(homes)) return undefined;
  const end = path.indexOf('/', homes.length);
  if (end <= homes.length) return undefined;
  const name = path.slice(homes.length, Math.min(end, homes.length + longestName)).toLowerCase();
  return name === 'shared' ? undefined : name;
}

/** macOS gives people ids from 501 on; those below are of the system and its services, whose names begin with `_`. */
const firstPerson = 500;

function nameOf(name: unknown, id: unknown): string | undefined {
  const number = typeof id === 'string' && /^\d{1,9}$/.test(id) ? Number(id) : id;
  if (typeof number === 'number' && number < firstPerson) return systemUser;
  if (typeof name === 'string' && /^(?:root$|_)/.test(name)) return systemUser;
  const known = typeof name === 'string' && name !== '' ? name : id;
  if (typeof known === 'number') return String(known);
  return typeof known === 'string' && known !== '' ? known.slice(0, longestName).toLowerCase() : undefined;
}
