import type { EcsDocument } from '../../event/document.js';

/** Accounts that every Mac has: they name nobody. Those of services begin with an underscore. */
const everywhere = new Set([
  'root',
  'daemon',
  'nobody',
  'wheel',
  'staff',
  'admin',
  'Shared',
  'Guest',
  'system',
]);
/** A shorter name is replaced in paths and fields of its own alone: it occurs in other words. */
const leastWord = 4;
const maxNames = 2_000;
/** Loopback and unspecified addresses say nothing about anybody. */
const harmless = /^(?:127\.|0\.0\.0\.0$|255\.255\.255\.255$|::1?$)/;

const homes = /((?:\/private\/var|\/Volumes\/[^/\s"]+)?\/(?:Users|home)\/)([^/\s"'\\<>:,;]+)/g;
const addressV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
const addressV6 =
  /(?<![\w:.])(?:[\da-f]{1,4}:){2,7}(?::?[\da-f]{1,4}){1,7}(?![\w:.])|(?<![\w:.])[\da-f]{1,4}(?::[\da-f]{1,4}){0,6}::(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?(?![\w:.])/gi;
const hardware = /(?<![\da-f:-])(?:[\da-f]{2}[:-]){5}[\da-f]{2}(?![\da-f:-])/gi;
const mail = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g;

/**
 * Takes user names, homes, host names and addresses out of texts; one name becomes the same word everywhere
 * (`user-1`, `host-1`, `address-1`). What else may say who somebody is, an argument or the content of a script, it does
 * not know.
 */
export class Redactor {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #words: RegExp | undefined;

  /** Learns the names that documents carry. */
  learn(docs: Iterable<EcsDocument>): void {
    for (const doc of docs) this.#learn(doc, 0);
    this.#words = undefined;
  }

  /** How many names and addresses were replaced. */
  get size(): number {
    return this.#names.size;
  }

  text(text: string): string {
    let clean = text
      .replace(homes, (_, before: string, name: string) => before + this.#user(name))
      .replace(mail, (one) => this.#as('mail', one))
      .replace(hardware, (one) => this.#as('address', one))
      .replace(addressV4, (one) => (harmless.test(one) ? one : this.#as('address', one)))
      .replace(addressV6, (one) => (harmless.test(one) ? one : this.#as('address', one)));
    this.#words ??= wordsOf([...this.#names.keys()]);
    clean = clean.replace(
      this.#words,
      (one) => this.#names.get(one) ?? this.#names.get(one.toLowerCase()) ?? one,
    );
    return clean;
  }

  /** Every text of a JSON value; fields that hold a user or host name are replaced whatever their length. */
  value<T>(value: T, key = '', parent = ''): T {
    if (typeof value === 'string') {
      const known = isNameField(key, parent) ? this.#names.get(value) : undefined;
      return (known ?? this.text(value)) as T;
    }
    if (Array.isArray(value)) return value.map((one) => this.value(one, key, parent)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [this.text(name), this.value(one, name, key)]),
    ) as T;
  }

  /** Whether bytes that are no text hold one of the names. */
  isIn(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes).toString('latin1');
    const wide = Buffer.from(bytes).toString('utf16le');
    return [...this.#names.keys()].some(
      (name) => name.length >= leastWord && (text.includes(name) || wide.includes(name)),
    );
  }

  #learn(value: unknown, depth: number): void {
    if (depth > 12 || typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const one of value) this.#learn(one, depth + 1);
      return;
    }
    const { user, host, file, process } = value as Record<string, Record<string, unknown> | undefined>;
    for (const name of [user?.['name'], file?.['owner']]) if (typeof name === 'string') this.#user(name);
    for (const name of [host?.['name'], host?.['hostname']])
      if (typeof name === 'string' && name.length > 1) this.#host(name);
    for (const address of [host?.['ip'], host?.['mac']].flat())
      if (typeof address === 'string' && !harmless.test(address)) this.#as('address', address);
    for (const path of [file?.['path'], process?.['executable'], process?.['working_directory']])
      if (typeof path === 'string') for (const [, , name] of path.matchAll(homes)) this.#user(name ?? '');
    for (const one of Object.values(value)) this.#learn(one, depth + 1);
  }

  #user(name: string): string {
    return everywhere.has(name) || name.startsWith('_') || name === '' ? name : this.#as('user', name);
  }

  /** With and without its domain. */
  #host(name: string): void {
    const word = this.#as('host', name);
    const short = name.replace(/\..*$/, '');
    if (short !== name && short.length >= leastWord && !this.#names.has(short)) this.#names.set(short, word);
  }

  #as(kind: string, name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= maxNames) return `${kind}-more`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const word = `${kind}-${count}`;
    this.#names.set(name, word);
    this.#words = undefined;
    return word;
  }
}

function isNameField(key: string, parent: string): boolean {
  if (key === 'owner' || key === 'hostname' || key === 'author' || key === 'assignee' || key === 'as')
    return true;
  return key === 'name' && /^(?:user|host|real|group)$/.test(parent);
}

function wordsOf(names: readonly string[]): RegExp {
  const long = names.filter((name) => name.length >= leastWord).sort((a, b) => b.length - a.length);
  if (long.length === 0) return /(?!)/g;
  const escaped = long.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${escaped.join('|')})(?![\\p{L}\\p{N}_])`, 'giu');
}
