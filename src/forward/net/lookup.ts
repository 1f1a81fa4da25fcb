import { promises as dns, type LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { messageOf } from '../../base/errors.js';

/**
 * The system's resolver (getaddrinfo) runs on the threads that files and compression use too, four in all, and cannot be
 * cancelled: names that nobody answers for would hold every one of them. So many look-ups run there at a time.
 */
const systemLookups = 2;
/** A look-up of the system's resolver that takes longer, milliseconds, is asked of the name servers as well. */
const patienceMs = 2_000;
const hostsFile = '/etc/hosts';
const maxHostsBytes = 1024 * 1024;

type Addresses = readonly LookupAddress[];

/** Asks the name servers themselves (c-ares): on no thread, with its own time limit. Knows the hosts file, no mDNS. */
async function askServers(name: string, timeoutMs: number): Promise<Addresses> {
  const listed = await fromHostsFile(name);
  if (listed.length > 0) return listed;
  const resolver = new dns.Resolver({ timeout: Math.max(1_000, Math.floor(timeoutMs / 4)), tries: 2 });
  const timer = setTimeout(() => resolver.cancel(), timeoutMs);
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((answer, index) =>
      answer.status === 'fulfilled'
        ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 }))
        : [],
    );
    if (found.length > 0) return found;
    throw answers.find((answer) => answer.status === 'rejected')?.reason;
  } finally {
    clearTimeout(timer);
  }
}

/** Addresses that a hosts file (hosts(5)) gives a name. */
export function hostsEntries(text: string, name: string): LookupAddress[] {
  const wanted = name.toLowerCase();
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    return family !== 0 && names.some((one) => one.toLowerCase() === wanted) ? [{ address, family }] : [];
  });
}

async function fromHostsFile(name: string): Promise<LookupAddress[]> {
  try {
    return hostsEntries((await readFile(hostsFile, 'utf8')).slice(0, maxHostsBytes), name);
  } catch {
    return [];
  }
}

export interface ResolverParts {
  system(name: string): Promise<Addresses>;
  servers(name: string, timeoutMs: number): Promise<Addresses>;
}

/**
 * Finds the addresses of names. A name that takes its time delays nobody else: at most `systemLookups` names are with the
 * system's resolver, one look-up each, whoever asks; other names, and slow ones, are asked of the name servers directly.
 */
export class Resolver {
  readonly #parts: ResolverParts;
  readonly #running = new Map<string, Promise<Addresses>>();

  constructor(
    parts: ResolverParts = {
      system: (name) => dns.lookup(name, { all: true }),
      servers: askServers,
    },
  ) {
    this.#parts = parts;
  }

  /** Rejects with the reason after `timeoutMs` at the latest. An address is its own. */
  async lookup(name: string, timeoutMs: number): Promise<Addresses> {
    const family = isIP(name);
    if (family !== 0) return [{ address: name, family }];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const give = () => reject(new Error(`no name server answers for ${name}`));
      timer = setTimeout(give, timeoutMs);
    });
    try {
      return await Promise.race([this.#ask(name, timeoutMs), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(name: string, timeoutMs: number): Promise<Addresses> {
    const system = this.#system(name);
    if (system === undefined) return this.#servers(name, timeoutMs);
    let timer: NodeJS.Timeout | undefined;
    const impatient = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), Math.min(patienceMs, timeoutMs));
    });
    try {
      const found = await Promise.race([system, impatient]);
      if (found !== undefined) return found;
    } finally {
      clearTimeout(timer);
    }
    return Promise.any([system, this.#servers(name, timeoutMs)]);
  }

  /** The look-up of the system's resolver, shared by all that ask for the name; undefined when it has no room. */
  #system(name: string): Promise<Addresses> | undefined {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    if (this.#running.size >= systemLookups) return undefined;
    const started = this.#parts.system(name).finally(() => this.#running.delete(name));
    this.#running.set(name, started);
    // Whoever asked may have gone.
    started.catch(() => undefined);
    return started;
  }

  async #servers(name: string, timeoutMs: number): Promise<Addresses> {
    try {
      return await this.#parts.servers(name, timeoutMs);
    } catch (error) {
      throw new Error(`the name ${name} cannot be resolved: ${messageOf(error)}`);
    }
  }
}

/** One for the whole program: the threads are. */
export const resolver = new Resolver();
