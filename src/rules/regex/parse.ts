import { anyChar, type CharSet, complement, digits, foldSet, spaces, union, words } from './char-set.js';

/** A regular expression of Lucene as a tree. */
export type Node =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'empty-text' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'concat' | 'union' | 'intersection'; readonly parts: readonly Node[] }
  | { readonly kind: 'complement'; readonly operand: Node }
  | { readonly kind: 'repeat'; readonly operand: Node; readonly min: number; readonly max: number };

/** Why a pattern is none. Thrown and caught inside the regex folder only. */
export class RegexFailure extends Error {}

// Elasticsearch's index.max_regex_length, and what keeps the tree from being too deep to walk.
const maxLength = 1000;
const maxDepth = 100;
const maxRepeat = 1000;
const maxIntervalDigits = 12;

/** Parses with all optional operators of Lucene (`~ & @ # "..." <1-9>`). Throws RegexFailure. */
export function parseRegex(pattern: string, insensitive: boolean): Node {
  const points = Array.from(pattern, (one) => one.codePointAt(0) as number);
  if (points.length > maxLength) {
    throw new RegexFailure(`a regular expression has at most ${maxLength} characters`);
  }
  const parser = new Parser(points, insensitive);
  return parser.parse();
}

const code = (character: string) => character.charCodeAt(0);
const predefined: Record<string, CharSet> = {
  d: digits,
  D: complement(digits),
  s: spaces,
  S: complement(spaces),
  w: words,
  W: complement(words),
};

class Parser {
  readonly #points: readonly number[];
  readonly #insensitive: boolean;
  #at = 0;
  #depth = 0;

  constructor(points: readonly number[], insensitive: boolean) {
    this.#points = points;
    this.#insensitive = insensitive;
  }

  parse(): Node {
    if (this.#points.length === 0) return { kind: 'empty-text' };
    const node = this.#union();
    if (this.#more()) this.#fail('there is nothing that this ) closes');
    return node;
  }

  #union(): Node {
    if (++this.#depth > maxDepth) this.#fail('the parentheses are nested too deep');
    const parts = [this.#intersection()];
    while (this.#take('|')) parts.push(this.#intersection());
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'union', parts };
  }

  #intersection(): Node {
    const parts = [this.#concat()];
    while (this.#take('&')) parts.push(this.#concat());
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'intersection', parts };
  }

  #concat(): Node {
    const parts: Node[] = [];
    while (this.#more() && !this.#sees(')|&')) parts.push(this.#repeat());
    if (parts.length === 0) return { kind: 'empty-text' };
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'concat', parts };
  }

  #repeat(): Node {
    let operand = this.#complement();
    for (let count = 0; this.#sees('?*+{'); count++) {
      if (count > maxDepth) this.#fail('too many repetitions in a row');
      const [min, max] = this.#range();
      operand = { kind: 'repeat', operand, min, max };
    }
    return operand;
  }

  #range(): [number, number] {
    if (this.#take('?')) return [0, 1];
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    this.#at++;
    const min = this.#number();
    const max = !this.#take(',') ? min : this.#sees('}') ? Number.POSITIVE_INFINITY : this.#number();
    if (!this.#take('}')) this.#fail('a { must be closed by a }');
    if (max < min) this.#fail(`{${min},${max}} ends before it starts`);
    if (min > maxRepeat || (max !== Number.POSITIVE_INFINITY && max > maxRepeat)) {
      this.#fail(`at most ${maxRepeat} repetitions`);
    }
    return [min, max];
  }

  #number(): number {
    let text = '';
    while (this.#sees('0123456789') && text.length < 7) text += this.#character();
    if (text === '') this.#fail('a number is missing');
    return Number(text);
  }

  #complement(): Node {
    let negations = 0;
    while (this.#take('~')) negations++;
    const node = this.#charClass();
    return negations % 2 === 0 ? node : { kind: 'complement', operand: node };
  }

  #charClass(): Node {
    if (!this.#take('[')) return this.#simple();
    const negated = this.#take('^');
    const sets: CharSet[] = [];
    do sets.push(this.#classItem());
    while (this.#more() && !this.#sees(']'));
    if (!this.#take(']')) this.#fail('a [ must be closed by a ]');
    const set = this.#folded(union(...sets));
    return { kind: 'set', set: negated ? complement(set) : set };
  }

  #classItem(): CharSet {
    const shorthand = this.#shorthand();
    if (shorthand !== undefined) return shorthand;
    const from = this.#point();
    // A - before the closing ] stands for itself.
    if (!this.#sees('-') || this.#points[this.#at + 1] === code(']')) return [from, from];
    this.#at++;
    const to = this.#point();
    if (to < from) this.#fail('a range ends before it starts');
    return [from, to];
  }

  #simple(): Node {
    if (this.#take('.')) return { kind: 'set', set: anyChar };
    if (this.#take('#')) return { kind: 'nothing' };
    if (this.#take('@')) {
      const operand: Node = { kind: 'set', set: anyChar };
      return { kind: 'repeat', operand, min: 0, max: Number.POSITIVE_INFINITY };
    }
    if (this.#take('"')) return this.#quoted();
    if (this.#take('(')) {
      if (this.#take(')')) return { kind: 'empty-text' };
      const node = this.#union();
      if (!this.#take(')')) this.#fail('a ( must be closed by a )');
      return node;
    }
    if (this.#take('<')) return this.#interval();
    const shorthand = this.#shorthand();
    return shorthand === undefined ? this.#literal(this.#point()) : { kind: 'set', set: shorthand };
  }

  #literal(point: number): Node {
    return { kind: 'set', set: this.#folded([point, point]) };
  }

  #folded(set: CharSet): CharSet {
    return this.#insensitive ? foldSet(set) : set;
  }

  #quoted(): Node {
    const parts: Node[] = [];
    while (this.#more() && !this.#sees('"')) parts.push(this.#literal(this.#points[this.#at++] as number));
    if (!this.#take('"')) this.#fail('a " must be closed by a "');
    return { kind: 'concat', parts };
  }

  /** `<1-100>`: the numbers of a range, with leading zeros when both bounds have equally many digits. */
  #interval(): Node {
    let text = '';
    while (this.#more() && !this.#sees('>')) text += this.#character();
    if (!this.#take('>')) this.#fail('a < must be closed by a >');
    const [from = '', to = '', ...more] = text.split('-');
    const valid = /^\d+$/.test(from) && /^\d+$/.test(to) && more.length === 0;
    if (!valid || Math.max(from.length, to.length) > maxIntervalDigits) {
      this.#fail('a numeric interval is written <1-100>');
    }
    const [low, high] = Number(from) <= Number(to) ? [from, to] : [to, from];
    return from.length === to.length ? fixedWidth(low, high) : anyWidth(low, high);
  }

  #shorthand(): CharSet | undefined {
    if (!this.#sees('\\')) return undefined;
    const next = this.#points[this.#at + 1];
    const set = next === undefined ? undefined : predefined[String.fromCodePoint(next)];
    if (set !== undefined) this.#at += 2;
    return set;
  }

  /** A character, behind a backslash whatever it is. */
  #point(): number {
    this.#take('\\');
    const point = this.#points[this.#at++];
    return point ?? this.#fail('the expression ends too early');
  }

  #character(): string {
    return String.fromCodePoint(this.#points[this.#at++] as number);
  }

  #more(): boolean {
    return this.#at < this.#points.length;
  }

  #sees(characters: string): boolean {
    const point = this.#points[this.#at];
    return point !== undefined && point < 0x80 && characters.includes(String.fromCharCode(point));
  }

  #take(character: string): boolean {
    if (this.#points[this.#at] !== code(character)) return false;
    this.#at++;
    return true;
  }

  #fail(message: string): never {
    throw new RegexFailure(`${message} (at character ${Math.min(this.#at, this.#points.length) + 1})`);
  }
}

const set = (from: string, to: string): Node => ({ kind: 'set', set: [code(from), code(to)] });
const concat = (parts: readonly Node[]): Node => ({ kind: 'concat', parts });

/** Numbers from `low` to `high`, both with the same number of digits, written with all of them. */
function fixedWidth(low: string, high: string): Node {
  const [a = '0', b = '0'] = [low[0], high[0]];
  if (low.length === 1) return set(a, b);
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  const zeros = '0'.repeat(lowRest.length);
  const nines = '9'.repeat(lowRest.length);
  if (a === b) return concat([set(a, a), fixedWidth(lowRest, highRest)]);
  const parts = [
    concat([set(a, a), fixedWidth(lowRest, nines)]),
    concat([set(b, b), fixedWidth(zeros, highRest)]),
  ];
  if (Number(b) - Number(a) > 1) {
    const middle = set(String(Number(a) + 1), String(Number(b) - 1));
    parts.push(concat([middle, fixedWidth(zeros, nines)]));
  }
  return { kind: 'union', parts };
}

/** Numbers from `low` to `high` with any number of leading zeros. */
function anyWidth(low: string, high: string): Node {
  const [from, to] = [Number(low), Number(high)];
  const parts: Node[] = [];
  for (let width = String(from).length; width <= String(to).length; width++) {
    const least = Math.max(from, width === 1 ? 0 : 10 ** (width - 1));
    const most = Math.min(to, 10 ** width - 1);
    if (least <= most) parts.push(fixedWidth(String(least), String(most)));
  }
  const zeros: Node = { kind: 'repeat', operand: set('0', '0'), min: 0, max: Number.POSITIVE_INFINITY };
  return concat([zeros, { kind: 'union', parts }]);
}
