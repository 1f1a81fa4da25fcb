import type { Expr, KqlField, KqlIs, KqlQuery, KqlRange } from '../ast.js';
import { Budget, fieldNameProblem } from '../budget.js';
import { SyntaxFailure } from '../diagnostic.js';
import { type KqlLiteral, KqlScanner } from './scanner.js';

/**
 * The tree of a KQL query (Kibana packages/kbn-es-query/grammar/grammar.peggy; from Elasticsearch's KqlBase.g4 that
 * keywords may touch a parenthesis, `NOT(...)`). Throws SyntaxFailure.
 */
export function parseKqlText(text: string): KqlQuery {
  return new KqlParser(text).query();
}

const noField = ['a field', 'a value', '(', 'not'];

class KqlParser {
  readonly #scanner: KqlScanner;
  readonly #budget: Budget;
  /** How many value lists the parser is in: a value of a list is spanned alone, without its field. */
  #listed = 0;

  constructor(text: string) {
    this.#budget = new Budget('kql', text);
    this.#scanner = new KqlScanner(text);
  }

  query(): KqlQuery {
    const scanner = this.#scanner;
    scanner.skipSpace();
    const condition = scanner.atEnd()
      ? this.#budget.node({ kind: 'match-all' as const, span: this.#since(0) })
      : this.#or();
    scanner.skipSpace();
    if (!scanner.atEnd()) {
      this.#refuseTrailing();
      scanner.fail(['and', 'or', 'the end'], 'Put a value with ( ) : < > { } in quotes.');
    }
    return this.#budget.node({ kind: 'kql', condition, span: this.#since(0) });
  }

  /** An operator without a condition behind it is none to the language. */
  #refuseTrailing(): void {
    const { at, text } = this.#scanner;
    const [word] = /^(?:and|or)\s*$/i.exec(text.slice(at, at + 64)) ?? [];
    if (word === undefined || at + word.length < text.length) return;
    const operator = word.trimEnd();
    throw new SyntaxFailure({
      code: 'kql/syntax',
      message: `nothing stands behind \`${operator}\``,
      span: { start: at, end: at + operator.length },
      expected: noField,
      hint: 'Write the condition that it joins, or take it away.',
    });
  }

  #since(start: number) {
    return Object.freeze({ start, end: this.#scanner.at });
  }

  #or(): Expr {
    return this.#logical('or', () => this.#logical('and', () => this.#not()));
  }

  #logical(kind: 'and' | 'or', parse: () => Expr): Expr {
    const { at } = this.#scanner;
    const first = parse();
    if (!this.#scanner.conjunction(kind)) return first;
    const operands: Expr[] = [];
    const add = (part: Expr): void => {
      if (part.kind === kind) operands.push(...part.operands);
      else operands.push(part);
    };
    add(first);
    do add(parse());
    while (this.#scanner.conjunction(kind));
    return this.#budget.node({ kind, operands: Object.freeze(operands), span: this.#since(at) });
  }

  #not(): Expr {
    return this.#negatable(() => this.#group());
  }

  #negatable(parse: () => Expr): Expr {
    const { at } = this.#scanner;
    if (!this.#scanner.negation()) return parse();
    // A parenthesis is a level by itself: `not (not a)` is no deeper than `not not a`.
    const isEnclosed = this.#scanner.text[this.#scanner.at] === '(';
    const operand = isEnclosed ? parse() : this.#deeper(() => this.#negatable(parse));
    return this.#budget.node({ kind: 'not', operand, span: this.#since(at) });
  }

  #deeper<T>(parse: () => T): T {
    const { at } = this.#scanner;
    return this.#budget.deeper({ start: at, end: at }, parse);
  }

  /** What stands between `open` (just taken) and `close`. */
  #enclosed(close: string, parse: () => Expr): Expr {
    return this.#deeper(() => {
      this.#scanner.skipSpace();
      const inner = parse();
      this.#scanner.skipSpace();
      if (!this.#scanner.symbol(close)) this.#scanner.fail([close, 'and', 'or']);
      return inner;
    });
  }

  #group(): Expr {
    const scanner = this.#scanner;
    if (scanner.symbol('(')) return this.#enclosed(')', () => this.#or());
    const start = scanner.at;
    const literal = scanner.literal() ?? scanner.fail(noField);
    const afterLiteral = scanner.at;
    scanner.skipSpace();
    if (scanner.symbol(':')) return this.#fieldValues(this.#field(literal), start);
    const range = this.#rangeOperator();
    if (range !== undefined) return this.#range(this.#field(literal), range);
    scanner.at = afterLiteral;
    return this.#is(null, literal);
  }

  #rangeOperator(): KqlRange['op'] | undefined {
    for (const op of ['<=', '>=', '<', '>'] as const) if (this.#scanner.symbol(op)) return op;
    return undefined;
  }

  #field(literal: KqlLiteral): KqlField {
    const wildcard = literal.parts.includes(null);
    const name = literal.parts.map((part) => part ?? '*').join('');
    if (wildcard && literal.parts.some((part) => part?.includes('*'))) {
      throw new SyntaxFailure({
        code: 'kql/field',
        message: 'a field name cannot hold both a wildcard and an escaped *',
        span: literal.span,
      });
    }
    const problem = fieldNameProblem(name);
    if (problem !== undefined)
      throw new SyntaxFailure({ code: 'kql/field', message: problem, span: literal.span });
    return this.#budget.node({ kind: 'kql-field', name, wildcard, span: literal.span });
  }

  #fieldValues(field: KqlField, start: number): Expr {
    const scanner = this.#scanner;
    scanner.skipSpace();
    if (scanner.symbol('{')) {
      const condition = this.#enclosed('}', () => this.#or());
      return this.#budget.node({ kind: 'kql-nested', field, condition, span: this.#since(start) });
    }
    return this.#value(field);
  }

  /** A value, or a list `(a or b and not c)` of which each value is applied to the same field. */
  #value(field: KqlField): Expr {
    const scanner = this.#scanner;
    if (scanner.symbol('(')) return this.#enclosed(')', () => this.#values(field));
    const literal =
      scanner.literal() ?? scanner.fail(['a value', '(', '{'], 'Put a value with ( ) : < > { } in quotes.');
    return this.#is(field, literal);
  }

  #values(field: KqlField): Expr {
    this.#listed++;
    const values = this.#logical('or', () =>
      this.#logical('and', () => this.#negatable(() => this.#value(field))),
    );
    this.#listed--;
    return values;
  }

  #is(field: KqlField | null, literal: KqlLiteral): Expr {
    const { parts, quoted } = literal;
    const start = field === null || this.#listed > 0 ? literal.span.start : field.span.start;
    const span = Object.freeze({ start, end: literal.span.end });
    if (parts.every((part) => part === null)) {
      return field === null || (field.wildcard && /^\*+$/.test(field.name))
        ? this.#budget.node({ kind: 'match-all', span })
        : this.#budget.node({ kind: 'kql-exists', field, span });
    }
    const value: KqlIs['value'] = parts.includes(null)
      ? { kind: 'pattern', parts: Object.freeze(betweenWildcards(parts)) }
      : { kind: 'exact', text: parts.join(''), quoted };
    return this.#budget.node<KqlIs>({ kind: 'kql-is', field, value: Object.freeze(value), span });
  }

  #range(field: KqlField, op: KqlRange['op']): KqlRange {
    this.#scanner.skipSpace();
    const literal = this.#scanner.literal() ?? this.#scanner.fail(['a value']);
    if (literal.parts.includes(null)) {
      throw new SyntaxFailure({
        code: 'kql/range',
        message: `${op} takes no wildcard`,
        span: literal.span,
        hint: 'Put the value in quotes if the * is meant as such.',
      });
    }
    const { quoted } = literal;
    const span = this.#since(field.span.start);
    return this.#budget.node({ kind: 'kql-range', field, op, value: literal.parts.join(''), quoted, span });
  }
}

/** `a*b*` as the texts between its wildcards: `a`, `b`, and an empty one. Wildcards side by side are one. */
function betweenWildcards(parts: readonly (string | null)[]): string[] {
  const texts = [''];
  let wild = false;
  for (const part of parts) {
    if (part === null) {
      if (!wild) texts.push('');
      wild = true;
    } else {
      texts[texts.length - 1] += part;
      wild = false;
    }
  }
  return texts;
}
