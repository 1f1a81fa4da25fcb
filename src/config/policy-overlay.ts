import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { messageOf, UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { dotted, type KeyPath, type TomlPositions } from '../base/toml-positions.js';
import { type Held, heldFolder, isForbidden, readPolicyState, requireWhole } from '../policy/applied.js';
import { keyIdOf } from '../policy/keys.js';
import type { PolicyOptions } from '../policy/options.js';
import { isTable, type Tables } from './layers.js';
import { readConfigFile } from './read.js';

/** The policy that adds to the settings of this Mac. */
export interface Overlay {
  /** Undefined for a bundle that is only looked at. */
  readonly held: Held | undefined;
  readonly folder: string;
  readonly tables: Tables;
  readonly positions: TomlPositions | undefined;
  /** Folders and files of the bundle, as far as it has them. */
  readonly rules: string | undefined;
  readonly exceptions: string | undefined;
  readonly yara: string | undefined;
  readonly hashes: string | undefined;
}

/**
 * What a policy may not set, and why. It comes over the network, signed: it may say what is detected and where alerts go,
 * and nothing that could blind this Mac, run a program, write elsewhere or replace the trust in the policy itself.
 */
const forbidden: readonly { readonly path: KeyPath; readonly unless?: unknown; readonly why: string }[] = [
  { path: ['policy'], why: 'where the policy comes from and who signs it' },
  { path: ['data_dir'], why: 'where this Mac keeps its data' },
  { path: ['log', 'file'], why: 'where this Mac writes its log' },
  { path: ['sensors'], why: 'which sensors run' },
  { path: ['watch', 'mechanisms'], unless: true, why: 'that places are not watched' },
  { path: ['rules', 'builtin'], unless: true, why: 'that the built-in rules are off' },
  { path: ['rules', 'folders'], why: 'folders of this Mac (the rules of a bundle stand in its "rules")' },
  {
    path: ['exceptions', 'folder'],
    why: 'a folder of this Mac (the exceptions of a bundle stand in its "exceptions")',
  },
  { path: ['scan', 'hashes'], why: 'files of this Mac (the lists of a bundle stand in its "hashes")' },
  { path: ['scan', 'yara'], why: 'files of this Mac (the YARA rules of a bundle stand in its "yara")' },
  { path: ['budget'], why: 'what the agent may take of this Mac: too little of it would blind it' },
  { path: ['respond', 'isolation', 'enabled'], why: 'whether this Mac may be cut off from the network' },
];

const forbiddenTypes: Readonly<Record<string, string>> = {
  module: 'runs a program',
  file: 'writes to any place of this Mac',
};

/** What a policy may have sent to a receiver that it names: what was laid down for that, and no other secret of this Mac. */
const ownSecret =
  /^(?:file:\/(?:(?!\.{1,2}\/)[^/]+\/)*launchwarden\/secrets\/(?!\.{1,2}$)[^/]+$|keychain:(?:com\.)?launchwarden|env:LAUNCHWARDEN_)/;

/** The references to secrets in a destination, wherever they stand. */
function secretsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^(?:file:\/|keychain:|env:)/.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

function valueAt(tables: unknown, at: KeyPath): unknown {
  return at.reduce((value: unknown, key) => (isTable(value) ? value[key as string] : undefined), tables);
}

function requireAllowed(tables: Tables, file: string, positions: TomlPositions): void {
  const refuse = (at: KeyPath, why: string) =>
    new UserError('policy/forbidden-key', `a policy may not set ${dotted(at)}: ${why}`, {
      at: { file, ...positions.of(at) },
      hint: 'Set it in the configuration file of the Mac or in a profile (managed preferences).',
    });
  for (const { path: at, unless, why } of forbidden) {
    const value = valueAt(tables, at);
    if (value !== undefined && (unless === undefined || value !== unless)) throw refuse(at, why);
  }
  const destinations = tables['destination'];
  if (!Array.isArray(destinations)) return;
  for (const [index, one] of destinations.entries()) {
    const { type } = one as { type: string };
    const does = forbiddenTypes[type];
    if (does !== undefined) throw refuse(['destination', index], `a destination of type ${type} ${does}`);
    const secret = secretsIn(one).find((ref) => !ownSecret.test(ref));
    if (secret !== undefined)
      throw new UserError(
        'policy/forbidden-key',
        `a policy may not name the secret ${quote(secret, 100)}: it was not laid down for launchwarden`,
        {
          at: { file, ...positions.of(['destination', index]) },
          hint:
            'It may name a file in ".../launchwarden/secrets/", a keychain item whose service begins with "launchwarden", and ' +
            'a variable whose name begins with "LAUNCHWARDEN_".',
        },
      );
  }
}

/** Reads the unpacked files of a bundle. Throws a UserError for a key that a policy may not set, or a bad file. */
export function readOverlay(folder: string, held?: Held): Overlay {
  const file = path.join(folder, 'config.toml');
  const read = existsSync(file) ? readConfigFile(file) : undefined;
  if (read !== undefined) requireAllowed(read.written, file, read.positions);
  const part = (name: string) => {
    const place = path.join(folder, name);
    return existsSync(place) ? place : undefined;
  };
  return {
    held,
    folder,
    tables: read?.written ?? {},
    positions: read?.positions,
    rules: part('rules'),
    exceptions: part('exceptions'),
    yara: part('yara'),
    hashes: part('hashes'),
  };
}

/** The keys that may sign a policy. */
export function trustedKeys({ public_key, public_keys }: PolicyOptions): string[] {
  return [...(public_key === undefined ? [] : [public_key]), ...public_keys];
}

/**
 * The policy in force; undefined when there is none. Throws a UserError when one is there and cannot be used: the agent
 * runs without it then, and says so.
 */
export function appliedOverlay(dataDir: string, options: PolicyOptions): Overlay | undefined {
  if (options.url === undefined) return undefined;
  let held: Held | null;
  try {
    held = readPolicyState(dataDir).current;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new UserError('policy/cannot-read', 'the policy in force cannot be read by you', {
      hint: 'What is shown is without it: use sudo.',
      cause: error,
    });
  }
  if (held === null) return undefined;
  const said = `version ${held.version} of the policy is not in force`;
  const { keys } = held;
  if (!trustedKeys(options).some((one) => keys.includes(keyIdOf(one))))
    throw new UserError('policy/untrusted-key', `${said}: its key ${keys.join(', ')} is trusted no more`, {
      hint: 'Sign a newer version with a key that stands in [policy].',
    });
  try {
    requireWhole(dataDir, held);
    return readOverlay(heldFolder(dataDir, held), held);
  } catch (error) {
    const { code = 'policy/unusable', at } = error instanceof UserError ? error : {};
    throw new UserError(code, `${said}: ${messageOf(error)}`, {
      ...(at === undefined ? {} : { at }),
      hint:
        code === 'policy/damaged-files'
          ? 'Everything else of the configuration holds. The agent fetches the policy again.'
          : 'Everything else of the configuration holds. Publish a newer version.',
      cause: error,
    });
  }
}

/** The lists of a bundle: every file of its folder. */
export function filesIn(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
