/** Places of arrays whose elements are the documents: of answers of Elasticsearch, Kibana and Splunk. */
const lists: ReadonlySet<string> = new Set([
  '[]',
  'hits.hits[]',
  'hits.events[]',
  'hits.sequences[].events[]',
  'rawResponse.hits.hits[]',
  'rawResponse.hits.events[]',
  'rawResponse.hits.sequences[].events[]',
  'responses[].hits.hits[]',
  'results[]',
]);
/** Levels whose keys are read. */
const namedLevels = 5;
const maxKey = 64;

const [quote, backslash, openObject, closeObject, openArray, closeArray, comma] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c,
] as const;

interface Level {
  readonly isObject: boolean;
  /** Where it stands: `hits.hits[]`. */
  readonly path: string;
  /** The key of the member that is being read. */
  key: string;
  /** A string that begins now is a key. */
  atKey: boolean;
}

/** Bytes of one document, `undefined` when it is larger than may be. */
export type Document = Buffer | undefined;

/**
 * Splits JSON documents that follow each other, over however many lines, and the elements of arrays, in memory of one
 * document. A document that turns out to hold one of the lists is its elements.
 */
export class DocumentSplitter {
  readonly #longest: number;
  readonly #levels: Level[] = [];
  #inString = false;
  #isEscaped = false;
  /** Text of the key that is being read. */
  #key: string | undefined;
  /** What is collected of a document; the outer one of an answer until one of its elements was found. */
  #parts: Buffer[] = [];
  #size = 0;
  /** Level at which the document began; undefined outside of one. */
  #from: number | undefined;
  /** Something stands there that is no document. */
  #rubbish = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Characters outside of any document. */
  get rubbish(): number {
    return this.#rubbish;
  }

  /** True in the middle of a document: the input was cut. */
  get isOpen(): boolean {
    return this.#levels.length > 0;
  }

  *push(chunk: Buffer): Generator<Document> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#inString) {
        at = this.#string(chunk, at);
        continue;
      }
      const byte = chunk[at] as number;
      const level = this.#levels.at(-1);
      if (byte === quote && level !== undefined) {
        this.#inString = true;
        this.#key = level.atKey && this.#levels.length <= namedLevels ? '' : undefined;
      } else if (byte === openObject || byte === openArray) {
        const isObject = byte === openObject;
        if (isObject && this.#begins(level)) {
          this.#parts = [];
          this.#size = 0;
          start = at;
          this.#from = this.#levels.length;
        }
        this.#levels.push({ isObject, path: pathOf(level, isObject), key: '', atKey: isObject });
      } else if (byte === closeObject || byte === closeArray) {
        if (this.#levels.pop() === undefined) this.#rubbish++;
        if (this.#levels.length !== this.#from) continue;
        this.#keep(chunk.subarray(start, at + 1));
        yield this.#take();
        start = at + 1;
      } else if (byte === comma) {
        if (level !== undefined) level.atKey = level.isObject;
      } else if (byte > 0x20 && this.#isBetween(level)) this.#rubbish++;
    }
    if (this.#from !== undefined) this.#keep(chunk.subarray(start));
  }

  /** Whether only documents may stand here. */
  #isBetween(level: Level | undefined): boolean {
    return level === undefined || (this.#from === undefined && level.path === '[]');
  }

  /** Whether an object that opens now is a document. */
  #begins(level: Level | undefined): boolean {
    if (level === undefined) return true;
    // Of the document around it nothing is wanted from now on.
    const isInside = this.#from !== undefined && this.#from > 0;
    return !level.isObject && !isInside && lists.has(level.path);
  }

  #take(): Document {
    const whole = this.#size > this.#longest ? undefined : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    this.#from = undefined;
    return whole;
  }

  #keep(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size > this.#longest) this.#parts = [];
    else this.#parts.push(Buffer.from(bytes));
  }

  /** The place of the last byte of the string within the chunk. */
  #string(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        continue;
      }
      const byte = chunk[at] as number;
      if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) {
        this.#inString = false;
        const level = this.#levels.at(-1);
        if (level !== undefined && this.#key !== undefined) level.key = this.#key;
        if (level !== undefined) level.atKey = false;
        return at;
      } else if (this.#key !== undefined && this.#key.length < maxKey) this.#key += String.fromCharCode(byte);
    }
    return chunk.length;
  }
}

function pathOf(level: Level | undefined, isObject: boolean): string {
  const array = isObject ? '' : '[]';
  if (level === undefined) return array;
  if (!level.isObject) return level.path + array;
  return `${level.path}${level.path === '' ? '' : '.'}${level.key}${array}`;
}
