import { homeOf } from '../base/launch-paths.js';
import type { EcsDocument } from '../event/document.js';
import type { LaunchctlCall } from '../event/launchctl.js';

/** The launchd domain in which a call loads: that of the system, or of a user, by number and where it is known by name. */
export type Domain =
  | { readonly user: 'system' }
  | { readonly user: string; readonly name: string | undefined };

const root = '0';
const rootsHome = '/private/var/root';
/** Numbers below are of the system and its services. */
const firstPerson = 500;

/**
 * In which domain a launchctl call loads: the one that it names, else that of whoever runs it. Nobody but root reaches that of
 * another. Undefined when that is not known; `hidden`: not all of its arguments were seen.
 */
export function domainOf(doc: EcsDocument, { domain }: LaunchctlCall, hidden: boolean): Domain | undefined {
  const { id, name } = doc.user ?? {};
  if (typeof id !== 'string' || !/^\d{1,10}$/.test(id)) return undefined;
  const own = { user: id, name: typeof name === 'string' ? name : undefined };
  if (id !== root) return domain === undefined || domain === 'other' || domain === id ? own : of(domain);
  if (hidden || domain === 'other') return undefined;
  return of(domain ?? 'system');
}

function of(domain: string): Domain {
  return domain === 'system' || domain === root ? { user: 'system' } : { user: domain, name: undefined };
}

/** Whether a file is an item in the home of somebody else than the one in whose domain is loaded. */
export function isForeign({ file }: EcsDocument, domain: Domain | undefined): boolean {
  const path: unknown = file?.path;
  const home = domain === undefined || typeof path !== 'string' ? undefined : homeOf(path);
  if (domain === undefined || home === undefined) return false;
  if (domain.user === 'system') return home !== rootsHome;
  if (home === rootsHome) return true;
  const uid: unknown = file?.uid;
  if (typeof uid === 'string' && Number(uid) >= firstPerson) return uid !== domain.user;
  const { name } = domain as { readonly name?: string };
  return name !== undefined && home.slice(home.lastIndexOf('/') + 1).toLowerCase() !== name.toLowerCase();
}
