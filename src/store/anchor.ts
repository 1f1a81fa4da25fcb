import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Micros } from '../base/time.js';
import type { ChainEnd } from '../event/chain.js';

const maxBytes = 4096;
const schema = 'launchwarden.chain/1';

interface Known {
  readonly end: ChainEnd;
  readonly agent: string | undefined;
}

/**
 * Where the chain of alerts stood last, in a file of its own beside the database: a database that is lost, damaged or
 * replaced by an older one begins a chain that names the one before it. It is written behind the database, never ahead.
 */
export class ChainAnchor {
  readonly file: string;
  #known: Known | undefined;
  #written = '';
  /** When the file was written before it was opened here, microseconds; undefined when there was none of ours. */
  readonly time: Micros | undefined;

  constructor(dataDir: string) {
    this.file = path.join(dataDir, 'chain.json');
    const read = readAnchor(this.file);
    this.#known = read?.known;
    this.time = read?.time;
  }

  get end(): ChainEnd | undefined {
    return this.#known?.end;
  }

  /** Id of the agent whose chain it is. */
  get agent(): string | undefined {
    return this.#known?.agent;
  }

  /** True when the chain was longer once: the database is one from before. */
  isAheadOf({ id, length }: Omit<ChainEnd, 'digest'>): boolean {
    return this.end?.id === id && this.end.length > length;
  }

  /** Never throws: what cannot be written now is written the next time. */
  write(end: ChainEnd, agent: string | undefined): void {
    const text = `${JSON.stringify({ schema, ...end, ...(agent === undefined ? {} : { agent }) })}\n`;
    if (text === this.#written) return;
    const beside = `${this.file}.new`;
    try {
      rmSync(beside, { force: true });
      writeFileSync(beside, text, { mode: 0o600, flag: 'wx' });
      renameSync(beside, this.file);
      this.#written = text;
      this.#known = { end, agent };
    } catch {
      // A full disk: the store says so itself.
    }
  }
}

/** Undefined for what is not there, or is none of ours. */
function readAnchor(file: string): { readonly known: Known; readonly time: Micros } | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const facts = fstatSync(descriptor);
    if (!facts.isFile() || facts.size > maxBytes) return undefined;
    const value = JSON.parse(readFileSync(descriptor, 'utf8')) as Record<string, unknown>;
    const { id, length, digest, agent } = value;
    if (value['schema'] !== schema || !isText(id) || !isText(digest) || !Number.isSafeInteger(length))
      return undefined;
    const end = { id, length: length as number, digest };
    return {
      known: { end, agent: isText(agent) ? agent : undefined },
      time: Math.floor(facts.mtimeMs * 1000),
    };
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 64;
}
