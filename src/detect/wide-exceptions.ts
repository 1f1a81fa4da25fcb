import { randomBytes } from 'node:crypto';
import { formatMicros, type Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import type { Exception } from '../rules/index.js';
import { Exceptions } from './exceptions.js';

/** A rule of which exceptions hide what nobody could have meant by name. */
export interface HiddenRule {
  /** Ids of the exceptions that do it. */
  readonly by: readonly string[];
  /** Wherever the item stands that was tried; else in some place. */
  readonly whole: boolean;
}

/** Where items are tried, `~` for a word that nobody knows. */
const places = [
  '/Users/~/Library/LaunchAgents/~.plist',
  '/Library/LaunchAgents/~.plist',
  '/Library/LaunchDaemons/~.plist',
  '/Library/DirectoryServices/PlugIns/~.dsplug/Contents/MacOS/~',
  '/private/etc/~',
  '/Users/~/.~',
];

/**
 * Rules that exceptions switch off in effect, by id: items with names drawn by chance, signed by nobody, are tried against
 * them, and what hides one of those hides what anybody puts there. `rules`: ids of those that run.
 */
export function hiddenRules(
  exceptions: readonly Exception[],
  rules: readonly string[],
  now: Micros,
): ReadonlyMap<string, HiddenRule> {
  const open = exceptions.filter(({ signer, sha256 }) => signer === undefined && sha256 === undefined);
  const hidden = new Map<string, HiddenRule>();
  if (open.length === 0) return hidden;
  const items = places.map((place) => unknownItem(place, now));
  const ofAll = tried(new Exceptions(open.filter((one) => one.rules.length === 0)), { items, rule: '', now });
  const named = open.filter((one) => one.rules.length > 0);
  const ofSome = new Exceptions(named);
  const names = new Set(named.flatMap((one) => one.rules));
  for (const rule of rules) {
    const own = names.has(rule) ? tried(ofSome, { items, rule, now }) : [];
    const by = new Set([...ofAll, ...own].filter((id) => id !== undefined));
    const whole = items.every((_, at) => ofAll[at] !== undefined || own[at] !== undefined);
    if (by.size > 0) hidden.set(rule, { by: [...by], whole });
  }
  return hidden;
}

/** For each item the id of the exception that hides it. */
function tried(
  exceptions: Exceptions,
  about: { readonly items: readonly EcsDocument[]; readonly rule: string; readonly now: Micros },
): (string | undefined)[] {
  const { items, rule, now: time } = about;
  return items.map((item) => {
    const steps = Array.from({ length: 8 }, () => item);
    return exceptions.find({ rule, time, item, process: item, steps })?.id;
  });
}

/** An item as an attacker could make it, with its process: of the exceptions for it none can know. */
function unknownItem(place: string, now: Micros): EcsDocument {
  const word = () => `x${randomBytes(8).toString('hex')}`;
  const file = place.replaceAll('~', word);
  const name = file.slice(file.lastIndexOf('/') + 1);
  const program = `/private/tmp/${word()}`;
  const user = { id: '4711', name: word() };
  return {
    '@timestamp': formatMicros(now),
    event: { kind: 'event', category: ['file', 'process'], type: ['creation', 'start'], action: 'creation' },
    host: { id: word(), name: word(), os: { type: 'macos', family: 'darwin', platform: 'darwin' } },
    user,
    file: {
      ...{ path: file, name, directory: file.slice(0, -name.length - 1), type: 'file', size: 512 },
      ...(name.includes('.') ? { extension: name.slice(name.lastIndexOf('.') + 1) } : {}),
      hash: { sha256: randomBytes(32).toString('hex') },
    },
    process: {
      ...{ name: program.slice('/private/tmp/'.length), executable: program, pid: 4711 },
      ...{ args: [program, word()], command_line: `${program} ${word()}`, user },
      parent: { name: word(), executable: `/private/tmp/${word()}` },
    },
    launchwarden: { plist: { label: word(), program } },
  } as unknown as EcsDocument;
}
