import type { PlistValue } from '../base/plist/index.js';

type Dictionary = Map<string, PlistValue>;

const maxList = 4_096;
const maxText = 4_096;

/**
 * An archive of `NSKeyedArchiver`: a property list whose values refer to each other by number. References are followed one
 * at a time and never in circles, so that an archive that refers to itself costs nothing.
 */
export class KeyedArchive {
  readonly #objects: readonly PlistValue[];
  readonly #top: Dictionary;

  private constructor(objects: readonly PlistValue[], top: Dictionary) {
    this.#objects = objects;
    this.#top = top;
  }

  /** Undefined for a list that is no archive. */
  static of(value: PlistValue | undefined): KeyedArchive | undefined {
    if (!(value instanceof Map)) return undefined;
    const objects = value.get('$objects');
    const top = value.get('$top');
    return Array.isArray(objects)
      ? new KeyedArchive(objects, top instanceof Map ? top : new Map())
      : undefined;
  }

  /** A value of the outermost object by its key. */
  top(key: string): PlistValue | undefined {
    return this.follow(this.#top.get(key));
  }

  /** What a reference stands for; any other value is itself. */
  follow(value: PlistValue | undefined): PlistValue | undefined {
    const index = referenceOf(value);
    if (index === undefined) return value;
    const found = this.#objects[index];
    return found === '$null' || referenceOf(found) !== undefined ? undefined : found;
  }

  /** A dictionary of the archive that holds a key. */
  at(object: PlistValue | undefined, key: string): PlistValue | undefined {
    return object instanceof Map ? this.follow(object.get(key)) : undefined;
  }

  className(object: PlistValue | undefined): string | undefined {
    const name = this.at(this.at(object, '$class'), '$classname');
    return typeof name === 'string' ? name.slice(0, 255) : undefined;
  }

  /** Every object of a class, in the order of the archive. */
  *objectsOf(name: string): Generator<Dictionary> {
    for (const object of this.#objects)
      if (object instanceof Map && this.className(object) === name) yield object;
  }

  /** The members of an array or a set. */
  list(value: PlistValue | undefined): PlistValue[] {
    const members = this.at(value, 'NS.objects') ?? value;
    if (!Array.isArray(members)) return [];
    return members.slice(0, maxList).flatMap((one) => this.follow(one) ?? []);
  }

  /** The keys and values of a dictionary. */
  *entries(value: PlistValue | undefined): Generator<readonly [string, PlistValue]> {
    const keys = this.at(value, 'NS.keys');
    const objects = this.at(value, 'NS.objects');
    if (!Array.isArray(keys) || !Array.isArray(objects)) return;
    for (const [index, key] of keys.slice(0, maxList).entries()) {
      const name = this.text(key);
      const object = this.follow(objects[index]);
      if (name !== undefined && object !== undefined) yield [name, object];
    }
  }

  /** A text, also one of a class of its own: NSString, NSURL, NSUUID. */
  text(value: PlistValue | undefined): string | undefined {
    const found = this.follow(value);
    if (typeof found === 'string') return found.slice(0, maxText);
    if (!(found instanceof Map)) return undefined;
    const plain = this.follow(found.get('NS.string'));
    if (typeof plain === 'string') return plain.slice(0, maxText);
    const uuid = this.follow(found.get('NS.uuidbytes'));
    if (uuid instanceof Uint8Array && uuid.length === 16) return uuidText(uuid);
    const relative = this.follow(found.get('NS.relative'));
    if (typeof relative !== 'string') return undefined;
    const base = this.follow(found.get('NS.base'));
    const before = base instanceof Map ? this.follow(base.get('NS.relative')) : undefined;
    return `${typeof before === 'string' ? before : ''}${relative}`.slice(0, maxText);
  }

  /** Bytes, also those of an NSData. */
  bytes(value: PlistValue | undefined): Uint8Array | undefined {
    const found = this.follow(value);
    if (found instanceof Uint8Array) return found;
    const inner = this.at(found, 'NS.data');
    return inner instanceof Uint8Array ? inner : undefined;
  }

  number(value: PlistValue | undefined): number | undefined {
    const found = this.follow(value);
    return typeof found === 'number' ? found : undefined;
  }
}

/** A reference, also as the XML form writes it: `<dict><key>CF$UID</key>...`. */
function referenceOf(value: PlistValue | undefined): number | undefined {
  if (value instanceof Map) {
    const index = value.size === 1 ? value.get('CF$UID') : undefined;
    return typeof index === 'number' ? index : undefined;
  }
  return typeof value === 'object' && value !== null && 'uid' in value ? Number(value.uid) : undefined;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
