import type { Condition } from './condition.js';
import { foldValue } from './fold.js';
import type { Predicate } from './predicate.js';
import { hasDottedKey, isPlainPart, sparseReader } from './read.js';

/** One compiled condition: true when it holds for the document that `begin` was given last. */
export type Judge = () => boolean;

/** Gives what stands in the present document under a field's name. */
export type Slot = () => unknown;

export interface Generated {
  /** Makes a document the present one. */
  begin(doc: unknown): void;
  readonly judges: readonly Judge[];
  /** Readers that keep what they read until the next `begin`, as it is and with text folded. */
  raw(parts: readonly string[]): Slot;
  folded(parts: readonly string[]): Slot;
}

/** What the code takes its literals from: it holds no text of a rule, only the index of one. */
interface Constants {
  readonly names: string[];
  readonly texts: string[];
  readonly tests: unknown[];
  readonly sparse: unknown[];
}

/**
 * Writes one JavaScript function a condition. Each field is read, and each predicate that several conditions share is
 * judged, at most once a document. `extra` names fields that are read besides.
 */
export function generate(conditions: readonly Condition[], extra: readonly (readonly string[])[]): Generated {
  const writer = new Writer(conditions);
  for (const parts of extra) writer.field(parts);
  const judges = conditions.map((condition) => writer.judge(condition));
  const { constants, fields } = writer;
  const source = writer.source(judges);
  const make = new Function('names', 'texts', 'tests', 'sparse', 'fold', 'dotted', source);
  const made = make(
    constants.names,
    constants.texts,
    constants.tests,
    constants.sparse,
    foldValue,
    hasDottedKey,
  ) as { begin(doc: unknown): void; judges: Judge[]; raw: Slot[]; folded: Slot[] };
  const indexOf = (parts: readonly string[]) => fields.get(parts.join('.')) as number;
  return {
    begin: made.begin,
    judges: made.judges,
    raw: (parts) => made.raw[indexOf(parts)] as Slot,
    folded: (parts) => made.folded[indexOf(parts)] as Slot,
  };
}

class Writer {
  readonly constants: Constants = { names: [], texts: [], tests: [], sparse: [] };
  readonly fields = new Map<string, number>();
  readonly #body: string[] = [];
  readonly #names = new Map<string, number>();
  readonly #uses = new Map<Predicate, number>();
  readonly #shared = new Map<Predicate, number>();

  constructor(conditions: readonly Condition[]) {
    for (const condition of conditions) this.#count(condition);
  }

  source(judges: readonly string[]): string {
    const { names, texts, tests, sparse } = this.constants;
    const take = (letter: string, list: readonly unknown[], from: string) =>
      list.map((_, index) => `const ${letter}${index}=${from}[${index}];`).join('');
    const all = (prefix: string, count: number) =>
      `[${Array.from({ length: count }, (_, index) => prefix + index).join()}]`;
    return [
      '"use strict";',
      take('n', names, 'names'),
      take('k', texts, 'texts'),
      take('t', tests, 'tests'),
      take('s', sparse, 'sparse'),
      'let d,g=0,gd=0,dd=false;',
      'function D(){if(gd!==g){gd=g;dd=dotted(d);}return dd;}',
      ...this.#body,
      ...judges.map((judge, index) => `function c${index}(){return ${judge};}`),
      `return{begin(doc){d=doc;g++;},judges:${all('c', judges.length)},`,
      `raw:${all('f', this.fields.size)},folded:${all('l', this.fields.size)}};`,
    ].join('\n');
  }

  /** Index of a field: `f<index>()` reads it, `l<index>()` reads it folded. */
  field(parts: readonly string[]): number {
    const key = parts.join('.');
    const known = this.fields.get(key);
    if (known !== undefined) return known;
    const index = this.fields.size;
    this.fields.set(key, index);
    const sparse = this.constants.sparse.push(sparseReader(parts)) - 1;
    this.#body.push(
      `let v${index},u${index}=0,w${index},x${index}=0;`,
      `function f${index}(){if(u${index}===g)return v${index};u${index}=g;let o=d;${this.#plainRead(parts)}`,
      `return v${index}=o===undefined||o===null?s${sparse}(d,D()):o;}`,
      `function l${index}(){if(x${index}!==g){x${index}=g;w${index}=fold(f${index}());}return w${index};}`,
    );
    return index;
  }

  /** Property after property; where a part would not be a plain property, nothing (the sparse reader takes over). */
  #plainRead(parts: readonly string[]): string {
    if (!parts.every(isPlainPart)) return 'o=undefined;';
    return parts.map((part) => `o=typeof o==='object'&&o!==null?o[n${this.#name(part)}]:undefined;`).join('');
  }

  #name(part: string): number {
    const known = this.#names.get(part);
    if (known !== undefined) return known;
    const index = this.constants.names.push(part) - 1;
    this.#names.set(part, index);
    return index;
  }

  #count(condition: Condition): void {
    if (condition.kind === 'test') {
      this.#uses.set(condition.predicate, (this.#uses.get(condition.predicate) ?? 0) + 1);
    } else if (condition.kind === 'not') this.#count(condition.operand);
    else if (condition.kind !== 'constant') for (const operand of condition.operands) this.#count(operand);
  }

  /**
   * The expression of a condition. One that reads a bound document cannot be judged from one event: here its bound parts
   * count as holding whether negated or not, so that the answer is "possible".
   */
  judge(condition: Condition, negative = false): string {
    switch (condition.kind) {
      case 'constant':
        return String(condition.value);
      case 'not':
        return `!${this.judge(condition.operand, !negative)}`;
      case 'and':
      case 'or': {
        const parts = condition.operands.map((operand) => this.judge(operand, negative));
        return `(${parts.join(condition.kind === 'and' ? '&&' : '||')})`;
      }
      case 'test':
        return condition.predicate.kind === 'bound'
          ? String(!negative)
          : this.#predicate(condition.predicate);
    }
  }

  #predicate(predicate: Predicate): string {
    if ((this.#uses.get(predicate) ?? 0) < 2) return this.#test(predicate);
    let index = this.#shared.get(predicate);
    if (index === undefined) {
      index = this.#shared.size;
      this.#shared.set(predicate, index);
      this.#body.push(
        `let p${index}=false,q${index}=0;`,
        `function P${index}(){if(q${index}===g)return p${index};q${index}=g;return p${index}=${this.#test(predicate)};}`,
      );
    }
    return `P${index}()`;
  }

  #test(predicate: Predicate): string {
    const test = this.constants.tests.push(predicate.test) - 1;
    if (predicate.kind !== 'field') return `t${test}(d)`;
    const field = this.field(predicate.parts);
    if (predicate.text === undefined) return `t${test}(f${field}(),l${field})`;
    const text = this.constants.texts.push(predicate.text) - 1;
    return `(f${field}()===k${text}||typeof v${field}!=='string'&&t${test}(v${field},l${field}))`;
  }
}
