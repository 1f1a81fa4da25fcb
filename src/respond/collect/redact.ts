import path from 'node:path';
import { allFields } from '../../event/fields.js';
import { wordsPattern, wordText } from './written-forms.js';

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
/** A shorter name is replaced as a whole word alone; one below `shortest` only in paths and fields of its own. */
const leastWord = 4;
const shortest = 3;
const maxNames = 5_000;
/** Loopback and unspecified addresses say nothing about anybody. */
const harmless = /^(?:127\.|0\.0\.0\.0$|255\.255\.255\.255$|::1?$)/;

const homes = /((?:\/private\/var|\/Volumes\/[^/\s"]+)?\/(?:Users|home)\/)([^/\s"'\\<>:,;]+)/g;
/** A path that goes up again may lead into another home than it seems to. */
const upwards = /\/[^\s"'\\<>:,;]*\/\.\.(?:\/[^\s"'\\<>:,;]*)?/g;
const addressV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
const addressV6 =
  /(?<![\w:.])(?:[\da-f]{1,4}:){2,7}(?::?[\da-f]{1,4}){1,7}(?![\w:.])|(?<![\w:.])[\da-f]{1,4}(?::[\da-f]{1,4}){0,6}::(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?(?![\w:.])/gi;
const hardware = /(?<![\da-f:-])(?:[\da-f]{2}[:-]){5}[\da-f]{2}(?![\da-f:-])/gi;
const mail = /[\w.+-]{1,64}(?:@|%(?:25)*40)[\w-]{1,63}(?:\.[\w-]{1,63})+/gi;
/** What may be bytes written as text. */
const encoded = /[A-Za-z0-9+/_-]{6,}={0,2}/g;
const removed = 'encoded-name-removed';

/** Names of fields: whoever has one of them as a user name changes no document. */
const ownKeys: ReadonlySet<string> = new Set(allFields().flatMap(({ name }) => name.split('.')));

/**
 * Takes user names, homes, host names and addresses out of texts, as they are written and in percent, JSON, XML, base64 and
 * hex form; one name becomes the same word everywhere (`user-1`, `host-1`, `address-1`). What else may say who somebody is,
 * an argument or the content of a script, it does not know.
 */
export class Redactor {
  readonly #names = new Map<string, string>();
  /** By `wordText`. */
  readonly #words = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #pattern: RegExp | undefined;

  /** Learns the names that documents, or other JSON values, carry. */
  learn(docs: Iterable<unknown>): void {
    for (const doc of docs) this.#learn(doc, 0);
  }

  /** How many names and addresses were replaced. */
  get size(): number {
    return this.#names.size;
  }

  text(text: string): string {
    this.#learnHomes(text);
    const clean = text
      .replace(homes, (_, before: string, name: string) => before + this.#user(name))
      .replace(mail, (one) => this.#as('mail', one))
      .replace(hardware, (one) => this.#as('address', one))
      .replace(addressV4, (one) => (harmless.test(one) ? one : this.#as('address', one)))
      .replace(addressV6, (one) => (harmless.test(one) ? one : this.#as('address', one)));
    return this.#replaced(clean).replace(encoded, (run) => (this.#isEncodedIn(run) ? removed : run));
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
      Object.entries(value).map(([name, one]) => [
        ownKeys.has(name) ? name : this.text(name),
        this.value(one, name, key),
      ]),
    ) as T;
  }

  /** Whether bytes that are no text hold one of the names. */
  isIn(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const texts = [
      buffer.toString('utf8'),
      buffer.toString('utf16le'),
      buffer.subarray(1).toString('utf16le'),
    ];
    for (const text of texts) this.#learnHomes(text);
    return texts.some(
      (text) => this.#holds(text) || (text.match(encoded) ?? []).some((run) => this.#isEncodedIn(run)),
    );
  }

  #replaced(text: string): string {
    return text.replace(this.#wanted(), (one) => this.#words.get(wordText(one)) ?? 'name');
  }

  #holds(text: string): boolean {
    const wanted = this.#wanted();
    wanted.lastIndex = 0;
    return wanted.test(text);
  }

  #wanted(): RegExp {
    this.#pattern ??= wordsPattern(
      [...this.#names.keys()].filter((name) => name.length >= shortest),
      leastWord,
    );
    return this.#pattern;
  }

  /** Whether letters and digits are bytes, in base64 or hex, that hold a name. */
  #isEncodedIn(run: string): boolean {
    if (this.#names.size === 0) return false;
    const readings = /^(?:[\da-f]{2})+$/i.test(run) ? [Buffer.from(run, 'hex')] : [];
    // Where it begins is not known: something else may stand before it.
    for (let skip = 0; skip < 4; skip++) readings.push(Buffer.from(run.slice(skip), 'base64'));
    return readings.some((bytes) =>
      [bytes.toString('utf8'), bytes.toString('utf16le'), bytes.subarray(1).toString('utf16le')].some(
        (text) => this.#holds(text),
      ),
    );
  }

  #learn(value: unknown, depth: number, key = '', parent = ''): void {
    if (typeof value === 'string') {
      this.#learnHomes(value);
      if (isHostField(key, parent)) {
        if (value.length > 1) this.#host(value);
      } else if (isNameField(key, parent)) this.#user(value);
      else if (/^(?:ip|mac)$/.test(key) && parent === 'host' && !harmless.test(value))
        this.#as('address', value);
      return;
    }
    if (depth > 24 || typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) for (const one of value) this.#learn(one, depth + 1, key, parent);
    else for (const [name, one] of Object.entries(value)) this.#learn(one, depth + 1, name, key);
  }

  #learnHomes(text: string): void {
    for (const [, , name] of text.matchAll(homes)) this.#user(name ?? '');
    if (/%2f/i.test(text)) this.#learnHomes(text.replace(/(?:%[\da-f]{2})+/gi, unescaped));
    if (!text.includes('/..')) return;
    for (const [up] of text.matchAll(upwards))
      for (const [, , name] of path.posix.normalize(up).matchAll(homes)) this.#user(name ?? '');
  }

  #user(name: string): string {
    return everywhere.has(name) || name.startsWith('_') || name === '' || /^\.\.?$/.test(name)
      ? name
      : this.#as('user', name);
  }

  /** With and without its domain, and the domain. */
  #host(name: string): void {
    const word = this.#as('host', name);
    const cut = name.indexOf('.');
    if (cut < 1) return;
    const [short, domain] = [name.slice(0, cut), name.slice(cut + 1)];
    if (short.length >= shortest) this.#set(short, word);
    if (domain.includes('.')) this.#as('domain', domain);
  }

  #as(kind: string, name: string): string {
    const known = this.#names.get(name) ?? this.#words.get(wordText(name));
    if (known !== undefined) return known;
    if (this.#names.size >= maxNames) return `${kind}-more`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const word = `${kind}-${count}`;
    this.#set(name, word);
    return word;
  }

  #set(name: string, word: string): void {
    if (this.#names.has(name)) return;
    this.#names.set(name, word);
    if (!this.#words.has(wordText(name))) this.#words.set(wordText(name), word);
    this.#pattern = undefined;
  }
}

function unescaped(run: string): string {
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}

const userFields = /^(?:owner|author|assignee|as|username|acknowledged_by|closed_by)$/;

function isNameField(key: string, parent: string): boolean {
  return (
    userFields.test(key) ||
    isHostField(key, parent) ||
    (key === 'name' && /^(?:user|real|group|effective)$/.test(parent))
  );
}

function isHostField(key: string, parent: string): boolean {
  return key === 'hostname' || (parent === 'host' && key === 'name');
}
