import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '../base/clock.js';
import { things } from '../base/count.js';
import { sha256Hex } from '../base/digest.js';
import { errnoOf, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';

/** macOS path of the job. */
export const ownJob = '/Library/LaunchDaemons/com.launchwarden.agent.plist';

const periodMs = 10_000;
/** So many files are looked at each time: all of them within a minute. */
const shares = 6;
const mostFiles = 5_000;
const maxJobBytes = 1024 * 1024;

export interface OwnFilesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Path of this machine where the job stands, if it is installed. */
  readonly job: string;
  /** What runs the agent, paths of this machine; undefined: its files are not watched. */
  readonly program: { readonly node: string; readonly script: string } | undefined;
  /** What an earlier run knew (`remember`); undefined before the first. */
  readonly known: string | undefined;
  remember(text: string): void;
  changed(gap: Gap): void;
}

interface Known {
  /** SHA-256 of the job; `none` where there is none. */
  readonly job: string;
  /** Folder of the program, and a digest of the states of all its files. */
  readonly program: string;
  readonly files: string;
  /** Microseconds. */
  readonly time: Micros;
}

/**
 * Watches the agent's own job and program: whoever edits them decides what runs at the next start. Only states are compared
 * (inode, size, times, owner, mode), a share of the files every few seconds; of the job, once its state differs, the content.
 * What changed while no agent ran is found at the start.
 */
export class OwnFiles {
  readonly #options: OwnFilesOptions;
  readonly #root: string | undefined;
  readonly #files = new Map<string, string>();
  readonly #told = new Set<string>();
  #names: readonly string[] = [];
  #at = 0;
  #jobState: string;
  #job: string;
  readonly #timer: Timer;

  constructor(options: OwnFilesOptions) {
    this.#options = options;
    const { clock, program, job } = options;
    this.#jobState = stateOf(job);
    this.#job = contentOf(job);
    this.#root = program && programRoot(program.script);
    this.#names = program === undefined ? [] : [program.node, ...filesOf(this.#root)];
    for (const name of this.#names) this.#files.set(name, stateOf(name));
    this.#compareWithBefore();
    this.#remember();
    this.#timer = clock.every(periodMs, () => this.#look());
  }

  stop(): void {
    this.#timer.cancel();
  }

  #look(): void {
    try {
      this.#lookAtJob();
      const share = Math.ceil(this.#names.length / shares);
      const names = this.#names.slice(this.#at, this.#at + share);
      this.#at = this.#at + share >= this.#names.length ? 0 : this.#at + share;
      const changed = names.filter((name) => this.#hasChanged(name));
      if (changed.length > 0) this.#tell('program-changed', changesOf(changed), this.#options.clock.now());
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, "the agent's own files could not be looked at");
    }
  }

  #hasChanged(name: string): boolean {
    const state = stateOf(name);
    if (state === this.#files.get(name) || state === 'unknown') return false;
    this.#files.set(name, state);
    return true;
  }

  #lookAtJob(): void {
    const { job, clock } = this.#options;
    const state = stateOf(job);
    if (state === this.#jobState || state === 'unknown') return;
    this.#jobState = state;
    const content = contentOf(job);
    const before = this.#job;
    this.#job = content;
    // One that is installed now was no job of ours before.
    if (content === before || before === 'none') return;
    const what = content === 'none' ? 'was removed' : 'was edited';
    this.#tell('job-changed', `${job} ${what}`, clock.now());
  }

  #compareWithBefore(): void {
    const before = readKnown(this.#options.known);
    if (before === undefined) return;
    if (before.job !== 'none' && before.job !== this.#job)
      this.#tell(
        'job-changed',
        `${this.#options.job} is not what it was when an agent ran last`,
        before.time,
      );
    if (before.program === (this.#root ?? '') && before.files !== this.#digest())
      this.#tell(
        'program-changed',
        `${before.program} is not what it was when an agent ran last`,
        before.time,
      );
  }

  #digest(): string {
    return sha256Hex(JSON.stringify([...this.#files]));
  }

  #remember(): void {
    const known: Known = {
      job: this.#job,
      program: this.#root ?? '',
      files: this.#digest(),
      time: this.#options.clock.now(),
    };
    this.#options.remember(JSON.stringify(known));
  }

  #tell(reason: string, detail: string, from: Micros): void {
    const key = `${reason} ${detail}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const to = this.#options.clock.now();
    this.#options.changed({ sensor: 'agent', reason, from: Math.min(from, to), to, detail });
  }
}

function changesOf(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const more = others.length === 0 ? '' : ` and ${things(others.length, 'more file')} of the program`;
  return `${first}${more} ${stateOf(first) === 'none' ? 'is gone' : 'changed'}`;
}

/** Inode, size, times, owner and mode; `none` of what is not there, `unknown` of what cannot be asked. */
function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid } = lstatSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid].join(' ');
  } catch (error) {
    const code = errnoOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'none' : 'unknown';
  }
}

function contentOf(file: string): string {
  try {
    const facts = lstatSync(file);
    if (!facts.isFile() || facts.size > maxJobBytes) return `odd ${stateOf(file)}`;
    return sha256Hex(readFileSync(file));
  } catch (error) {
    return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' ? 'none' : 'unreadable';
  }
}

/** The folder of the package that a script in its `bin` belongs to. */
function programRoot(script: string): string | undefined {
  try {
    return path.dirname(path.dirname(realpathSync(script)));
  } catch {
    return undefined;
  }
}

/** What of a package runs: its own code and addons, and the packages that it depends on. */
function filesOf(root: string | undefined): string[] {
  if (root === undefined) return [];
  const names: string[] = [path.join(root, 'package.json')];
  for (const folder of ['bin', 'dist', 'native/build', ...dependenciesOf(root)])
    for (const name of walk(path.join(root, folder), mostFiles - names.length))
      if (/\.(?:m?js|cjs|cache|node|json|toml)$/.test(name)) names.push(name);
  return names;
}

function dependenciesOf(root: string): string[] {
  try {
    const read = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, unknown>;
    };
    return Object.keys(read.dependencies ?? {})
      .filter((name) => !name.includes('..'))
      .map((name) => path.join('node_modules', name));
  } catch {
    return [];
  }
}

/** Files below a folder, links not followed, in a fixed order. */
function walk(folder: string, most: number): string[] {
  const found: string[] = [];
  const left = [folder];
  for (let at = left.pop(); at !== undefined && found.length < most; at = left.pop()) {
    try {
      for (const one of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)))
        if (one.isDirectory()) left.push(path.join(at, one.name));
        else if (one.isFile()) found.push(path.join(at, one.name));
    } catch {
      // Not there, or not ours to read.
    }
  }
  return found.slice(0, most);
}

function readKnown(text: string | undefined): Known | undefined {
  try {
    const known = JSON.parse(text ?? '') as Partial<Known> | null;
    const texts = [known?.job, known?.program, known?.files].every((one) => typeof one === 'string');
    return texts && Number.isSafeInteger(known?.time) ? (known as Known) : undefined;
  } catch {
    return undefined;
  }
}
