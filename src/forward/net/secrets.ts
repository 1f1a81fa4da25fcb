import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../../base/errors.js';
import { OwnershipCheck, realFiles } from '../../base/ownership.js';
import { processRedactor, type Redactor } from './redact.js';

const maxSecretBytes = 64 * 1024;
const rereadMs = 60_000;
const keychain = '/Library/Keychains/System.keychain';

export type SecretEnvironment = Readonly<Record<string, string | undefined>>;

function bad(ref: string, message: string, hint: string): UserError {
  return new UserError('forward/secret', `the secret ${ref} cannot be used: ${message}`, { hint });
}

/** Root's and our own files that nobody else can read, reached through folders that nobody else can change. */
async function readSecretFile(file: string): Promise<string> {
  const ref = `file:${file}`;
  const self = process.geteuid?.() ?? 0;
  // A sticky folder passes: what comes in the place of the file is looked at before it is read.
  new OwnershipCheck(realFiles, {
    owners: [...new Set([0, self])],
    stickyPasses: true,
    refuse: (place, reason) =>
      bad(
        ref,
        `${place} ${reason}`,
        'Keep it in a folder that only root may write to, readable by root alone.',
      ),
  }).path(path.dirname(file));
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw bad(ref, messageOf(error), 'It must be a regular file, not a link, that the agent can read.');
    },
  );
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw bad(ref, 'it is not a regular file', 'Name the file that holds the secret.');
    if ((facts.uid !== 0 && facts.uid !== self) || (facts.mode & 0o077) !== 0)
      throw bad(ref, 'others own it or may read it', `Run: chown root "${file}"; chmod 600 "${file}"`);
    if (facts.size > maxSecretBytes) throw bad(ref, 'it is longer than 64 KiB', 'A secret is one line.');
    return (await handle.readFile('utf8')).replace(/\r?\n$/, '');
  } finally {
    await handle.close();
  }
}

function readKeychain(ref: string): Promise<string> {
  const [service = '', account = ''] = ref.slice('keychain:'.length).split('/');
  if (process.platform !== 'darwin') throw bad(ref, 'this machine has no keychain', 'Use "file:" or "env:".');
  const args = ['find-generic-password', '-s', service, '-a', account, '-w', keychain];
  return new Promise((resolve, reject) => {
    execFile(
      '/usr/bin/security',
      args,
      { timeout: 10_000, env: {}, maxBuffer: maxSecretBytes },
      (error, stdout) => {
        // The tool's own words stay out of the message: they could hold what it printed.
        if (error === null) resolve(stdout.replace(/\n$/, ''));
        else
          reject(bad(ref, 'the System keychain does not give it', 'Add it to the System keychain as root.'));
      },
    );
  });
}

/** Reads what a reference names: `file:/path`, `env:NAME`, `keychain:service/account`. Throws a UserError. */
async function readSecret(ref: string, environment: SecretEnvironment): Promise<string> {
  let value: string | undefined;
  if (ref.startsWith('file:')) value = await readSecretFile(ref.slice('file:'.length));
  else if (ref.startsWith('keychain:')) value = await readKeychain(ref);
  else value = environment[ref.slice('env:'.length)];
  if (value === undefined || value === '')
    throw bad(ref, 'it is empty or not set', 'Set it and start the agent again.');
  if (/[\0\r\n]/.test(value)) throw bad(ref, 'it has more than one line', 'A secret is one line.');
  return value;
}

/**
 * The secrets of one destination: kept by reference, read when used, re-read after a minute or a refusal, so that a
 * rotated one is taken up without a restart. Every value that it ever gave out is kept out of messages.
 */
export class Secrets {
  readonly #environment: SecretEnvironment;
  readonly #redactor: Redactor;
  readonly #cache = new Map<string, { readonly value: string; readonly read: number }>();

  constructor(environment: SecretEnvironment = process.env, redactor = processRedactor) {
    this.#environment = environment;
    this.#redactor = redactor;
  }

  async get(ref: string): Promise<string> {
    const cached = this.#cache.get(ref);
    if (cached !== undefined && performance.now() - cached.read < rereadMs) return cached.value;
    const value = await readSecret(ref, this.#environment);
    this.#cache.set(ref, { value, read: performance.now() });
    this.hide(value);
    return value;
  }

  /** The receiver refused us: read again at the next use. */
  forget(): void {
    this.#cache.clear();
  }

  /** Also kept out of messages: a value derived from a secret. */
  hide(derived: string): void {
    this.#redactor.add(derived);
  }

  redact(text: string): string {
    return this.#redactor.redact(text);
  }
}
