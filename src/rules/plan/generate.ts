import type { Condition } from './condition.js';
import { judgingOrder } from './filing.js';
import { foldValue } from './fold.js';
import type { Predicate, Quick } from './predicate.js';
import { isPlainPart, sparseReader } from './read.js';
import { distinctValues } from './values.js';

/** One compiled condition: true when it holds for the present document. */
export type Judge = () => boolean;

/** Gives what stands in the present document under a field's name. */
export type Slot = () => unknown;

/** The conditions of one category, or of any (null). `drawer` knows which of the filed ones are worth judging. */
export interface Group {
  readonly category: string | null;
  /** Judged for every event of the category. */
  readonly always: readonly number[];
  readonly drawer: { collect(hits: number[]): void } | undefined;
}

/** What the code takes its literals from: it holds no text of a rule, only the index of one. */
interface Constants {
  readonly names: string[];
  readonly texts: string[];
  readonly tests: unknown[];
  readonly sparse: unknown[];
}

/** The functions that were written for one set of conditions. They share one present document. */
export interface Generated {
  readonly judges: readonly Judge[];
  /** Readers that keep what they read, as it is and with text folded, while the document is the present one. */
  raw(parts: readonly string[]): Slot;
  folded(parts: readonly string[]): Slot;
  /** Makes a document the present one and adds the indices of the conditions that hold. */
  matcher(groups: readonly Group[]): (doc: unknown, hits: number[]) => void;
}

type Make = (
  this: void,
  ...parts: unknown[]
) => {
  readonly judges: readonly Judge[];
  readonly raw: readonly Slot[];
  readonly folded: readonly Slot[];
  begin(doc: unknown): void;
};

/**
 * Writes one JavaScript function a condition. Each field is read, and each predicate that several conditions share is
 * judged, at most once a document. `read` names fields that are wanted besides.
 */
export function generate(conditions: readonly Condition[], read: readonly (readonly string[])[]): Generated {
  const writer = new Writer(conditions);
  for (const parts of read) writer.field(parts);
  const source = writer.source(conditions.map((condition) => writer.judge(condition)));
  const { names, texts, tests, sparse } = writer.constants;
  const make = new Function('names', 'texts', 'tests', 'sparse', 'fold', source) as Make;
  const made = make(names, texts, tests, sparse, foldValue);
  const indexOf = (parts: readonly string[]) => writer.fields.get(parts.join('.')) as number;
  const raw = (parts: readonly string[]) => made.raw[indexOf(parts)] as Slot;
  return {
    judges: made.judges,
    raw,
    folded: (parts) => made.folded[indexOf(parts)] as Slot,
    matcher: (groups) => generateMatcher(groups, { ...made, category: raw(category) }),
  };
}

/** The field that says which group an event belongs to; it must be among those that `generate` was told to read. */
export const category: readonly string[] = ['event', 'category'];

/** Writes the function that finds the groups of a document and judges what is in them. */
function generateMatcher(
  groups: readonly Group[],
  { judges, begin, category: slot }: { judges: readonly Judge[]; begin(doc: unknown): void; category: Slot },
): (doc: unknown, hits: number[]) => void {
  const named = groups.filter((group) => group.category !== null);
  const drawers = groups.map(({ drawer }) => drawer);
  const judged = groups.flatMap(({ always }) => always);
  const run = (group: Group) => {
    const calls = group.always.map((index) => `if(c${index}())hits.push(${index});`);
    if (group.drawer !== undefined) calls.push(`w${groups.indexOf(group)}.collect(hits);`);
    return calls.join('');
  };
  const source = [
    '"use strict";',
    ...judged.map((index) => `const c${index}=judges[${index}];`),
    ...groups.map((_, index) => `const w${index}=drawers[${index}];`),
    ...named.map((_, index) => `const k${index}=names[${index}];`),
    'function of(v,hits){',
    named.map((group, index) => `if(v===k${index}){${run(group)}return;}`).join('\n'),
    '}',
    'return function(doc,hits){begin(doc);',
    ...groups.filter((group) => group.category === null).map(run),
    'const v=category();',
    "if(typeof v==='string')of(v,hits);",
    "else if(Array.isArray(v)&&v.length===1&&typeof v[0]==='string')of(v[0],hits);",
    'else if(v!==undefined)for(const one of distinct(v,1000))of(String(one),hits);};',
  ].join('\n');
  const names = named.map((group) => group.category);
  const make = new Function('judges', 'begin', 'drawers', 'names', 'category', 'distinct', source);
  return make(judges, begin, drawers, names, slot, distinctValues);
}

// No event has a longer name.
const maxPlainParts = 8;

class Writer {
  readonly constants: Constants = { names: [], texts: [], tests: [], sparse: [] };
  readonly fields = new Map<string, number>();
  readonly #body: string[] = [];
  readonly #names = new Map<string, number>();
  readonly #uses = new Map<Predicate, number>();
  readonly #shared = new Map<Predicate, number>();
  readonly #written = new Map<Predicate, string>();

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
      'let d,g=0;',
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
      `return v${index}=o===undefined||o===null?s${sparse}(d):o;}`,
      `function l${index}(){if(x${index}!==g){x${index}=g;w${index}=fold(f${index}());}return w${index};}`,
    );
    return index;
  }

  /** Property after property; where a part would not be a plain property, nothing (the sparse reader takes over). */
  #plainRead(parts: readonly string[]): string {
    if (parts.length > maxPlainParts || !parts.every(isPlainPart)) return 'o=undefined;';
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
        const operands =
          condition.kind === 'and'
            ? [...condition.operands].sort((a, b) => orderOf(a) - orderOf(b))
            : condition.operands;
        const parts = operands.map((operand) => this.judge(operand, negative));
        return `(${parts.join(condition.kind === 'and' ? '&&' : '||')})`;
      }
      case 'test':
        return condition.predicate.kind === 'bound'
          ? String(!negative)
          : this.#predicate(condition.predicate);
    }
  }

  #predicate(predicate: Predicate): string {
    const shared = (this.#uses.get(predicate) ?? 0) > 1;
    if (!shared || (predicate.kind === 'field' && predicate.quick?.equal !== undefined))
      return this.#test(predicate);
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
    const whole = `t${test}(f${field}(),l${field})`;
    const { quick } = predicate;
    if (quick === undefined) return whole;
    const known = this.#written.get(predicate);
    if (known !== undefined) return known;
    const value = quick.input === 'raw' ? `f${field}()` : `l${field}()`;
    const one = this.#one(quick, field);
    // Texts and lists of texts are tested here; anything else is left to the slow test.
    this.#body.push(
      `function e${test}(){const o=${value};if(typeof o==='string')return ${one('o')};`,
      `if(o===undefined)return ${predicate.test(undefined, () => undefined)};`,
      `if(!Array.isArray(o))return ${whole};`,
      `for(let i=0;i<o.length;i++){const e=o[i];if(typeof e!=='string')return ${whole};if(${one('e')})return true;}`,
      'return false;}',
    );
    // Equality with a text is so cheap that it is written out; the function is for lists.
    const call =
      quick.equal === undefined ? `e${test}()` : `(${one(value)}||typeof v${field}!=='string'&&e${test}())`;
    this.#written.set(predicate, call);
    return call;
  }

  #one({ equal, one }: Quick, field: number): (variable: string) => string {
    if (equal !== undefined) {
      const text = this.constants.texts.push(equal) - 1;
      return (variable) => `${variable}===k${text}`;
    }
    const test = this.constants.tests.push(one) - 1;
    if (one.length < 2) return (variable) => `t${test}(${variable})`;
    // The folded form of the whole field is that of its only text; of one text among several it is made anew.
    return (variable) => `t${test}(${variable},${variable === 'o' ? `l${field}` : `()=>fold(${variable})`})`;
  }
}

function orderOf(condition: Condition): number {
  if (condition.kind === 'test') return judgingOrder(condition.expr);
  return condition.kind === 'constant' ? 0 : 150;
}
