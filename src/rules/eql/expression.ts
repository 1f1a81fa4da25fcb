import type {
  Arithmetic,
  Call,
  Compare,
  DescendantOf,
  Expr,
  Field,
  In,
  Like,
  Literal,
  Regex,
  StepCondition,
} from '../ast.js';
import { type Budget, fieldNameProblem } from '../budget.js';
import { SyntaxFailure } from '../diagnostic.js';
import { signatureOf } from '../signatures.js';
import type { Token } from './lexer.js';
import { keywords, type Tokens } from './tokens.js';

const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];
const operand = ['a field', 'a value', 'a function', '(', 'not'];

/**
 * Conditions and what they are made of. Precedence, loosest first: `or`, `and`, `not`, comparison (not chained), the
 * predicates `in like regex :`, `+ -`, `* / %`, sign (EqlBase.g4 of Elasticsearch; predicates take a whole sum here,
 * where Elasticsearch has a type error).
 */
export class ExpressionParser {
  readonly #tokens: Tokens;
  readonly #budget: Budget;
  /** Names that earlier steps bound with `as`. */
  readonly aliases = new Set<string>();

  constructor(tokens: Tokens, budget: Budget) {
    this.#tokens = tokens;
    this.#budget = budget;
  }

  /** `category where condition`. */
  stepCondition(): StepCondition {
    const category = this.#category();
    this.#tokens.expectWord('where');
    return { category, condition: this.expression() };
  }

  #category(): string | null {
    const token = this.#tokens.next;
    if (token.kind === 'string') return this.#tokens.take().text;
    if (this.#tokens.word('any')) return null;
    if (token.kind !== 'name' || keywords.has(token.text)) this.#tokens.fail(['an event category', 'any']);
    return this.#tokens.take().text;
  }

  expression(): Expr {
    return this.#budget.deeper(this.#tokens.next.span, () =>
      this.#logical('or', () => this.#logical('and', () => this.#not())),
    );
  }

  #logical(kind: 'and' | 'or', parse: () => Expr): Expr {
    const first = parse();
    if (!this.#tokens.isWord(kind)) return first;
    const operands: Expr[] = [];
    const add = (part: Expr): void => {
      if (part.kind === kind) operands.push(...part.operands);
      else operands.push(part);
    };
    add(first);
    while (this.#tokens.word(kind)) add(parse());
    return this.#budget.node({
      kind,
      operands: Object.freeze(operands),
      span: this.#tokens.since(first.span.start),
    });
  }

  #not(): Expr {
    const { start } = this.#tokens.next.span;
    if (!this.#tokens.word('not')) return this.#relation() ?? this.#comparison();
    const negated = this.#budget.deeper(this.#tokens.next.span, () => this.#not());
    return this.#budget.node({ kind: 'not', operand: negated, span: this.#tokens.since(start) });
  }

  #relation(): DescendantOf | undefined {
    const tokens = this.#tokens;
    const { kind, text, span } = tokens.next;
    if (kind !== 'name' || !tokens.isWord('of', tokens.peek(1))) return undefined;
    if (text !== 'descendant') {
      throw new SyntaxFailure({
        code: 'eql/unsupported',
        message: `\`${text} of\` is not supported; only \`descendant of\` is`,
        span,
      });
    }
    tokens.take();
    tokens.take();
    tokens.expectSymbol('[');
    const query = Object.freeze(this.#budget.deeper(span, () => this.stepCondition()));
    tokens.expectSymbol(']');
    return this.#budget.node<DescendantOf>({ kind: 'descendant-of', query, span: tokens.since(span.start) });
  }

  #comparison(): Expr {
    const left = this.#predicate();
    const op = this.#tokens.next;
    if (op.kind !== 'symbol' || !comparisons.includes(op.text)) return left;
    this.#tokens.take();
    const right = this.#predicate();
    const chained = this.#tokens.next;
    if (chained.kind === 'symbol' && comparisons.includes(chained.text)) {
      throw new SyntaxFailure({
        code: 'eql/chained-comparison',
        message: 'comparisons cannot be chained',
        span: chained.span,
        hint: 'Join two comparisons with `and`.',
      });
    }
    return this.#budget.node<Compare>({
      kind: 'compare',
      op: op.text as Compare['op'],
      left,
      right,
      span: this.#tokens.since(left.span.start),
    });
  }

  #predicate(): Expr {
    const tokens = this.#tokens;
    const value = this.#sum();
    const { start } = value.span;
    const isIn = (token: Token) => (token.kind === 'name' || token.kind === 'name~') && token.text === 'in';
    const negated = tokens.isWord('not') && isIn(tokens.peek(1));
    if (negated) tokens.take();
    const operator = tokens.next;
    const insensitive = operator.kind === 'name~';
    if (isIn(operator)) {
      tokens.take();
      const items = this.#list(() => this.expression(), 'a value');
      const node = this.#budget.node<In>({
        kind: 'in',
        value,
        items,
        insensitive,
        span: tokens.since(start),
      });
      return negated ? this.#budget.node({ kind: 'not', operand: node, span: tokens.since(start) }) : node;
    }
    const colon = tokens.isSymbol(':');
    const word = operator.kind === 'name' || insensitive ? operator.text : undefined;
    if (!colon && word !== 'like' && word !== 'regex') return value;
    tokens.take();
    const patterns = tokens.isSymbol('(')
      ? this.#list(() => this.#constant(), 'a string')
      : Object.freeze([this.#constant()]);
    const span = tokens.since(start);
    if (word === 'regex')
      return this.#budget.node<Regex>({ kind: 'regex', value, patterns, insensitive, span });
    const op = colon ? ':' : insensitive ? 'like~' : 'like';
    return this.#budget.node<Like>({ kind: 'like', op, value, patterns, span });
  }

  #list<T>(parse: () => T, item: string): readonly T[] {
    const tokens = this.#tokens;
    tokens.expectSymbol('(');
    if (tokens.isSymbol(')')) tokens.fail([item]);
    const items = [parse()];
    while (tokens.symbol(',')) items.push(parse());
    if (!tokens.symbol(')')) tokens.fail([',', ')']);
    return Object.freeze(items);
  }

  #sum(): Expr {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#signed()));
  }

  /** Operators of one precedence, left to right; each one makes the tree a level deeper. */
  #chain(operators: readonly string[], parse: () => Expr): Expr {
    let left = parse();
    for (let depth = 1; ; depth++) {
      const operator = this.#tokens.next;
      if (operator.kind !== 'symbol' || !operators.includes(operator.text)) return left;
      this.#budget.checkDepth(operator.span, depth);
      this.#tokens.take();
      const right = parse();
      left = this.#budget.node<Arithmetic>({
        kind: 'arithmetic',
        op: operator.text as Arithmetic['op'],
        left,
        right,
        span: this.#tokens.since(left.span.start),
      });
    }
  }

  #signed(): Expr {
    const tokens = this.#tokens;
    const { start } = tokens.next.span;
    const minus = tokens.isSymbol('-');
    if (!minus && !tokens.isSymbol('+')) return this.#primary();
    if (tokens.peek(1).kind === 'number') return this.#constant();
    tokens.take();
    const inner = this.#budget.deeper(tokens.next.span, () => this.#signed());
    return minus ? this.#budget.node({ kind: 'negate', operand: inner, span: tokens.since(start) }) : inner;
  }

  #primary(): Expr {
    const tokens = this.#tokens;
    const token = tokens.next;
    if (tokens.symbol('(')) {
      const inner = this.expression();
      if (!tokens.symbol(')')) tokens.fail([')', 'and', 'or']);
      return inner;
    }
    if (this.#isConstant(token)) return this.#constant();
    if ((token.kind === 'name' && !keywords.has(token.text)) || token.kind === 'name~') {
      if (tokens.isSymbol('(', tokens.peek(1))) return this.#call();
      if (token.kind === 'name~') tokens.fail(operand);
    } else if (token.kind !== 'quoted' && !tokens.isSymbol('?')) tokens.fail(operand);
    return this.field();
  }

  #call(): Call {
    const tokens = this.#tokens;
    const name = tokens.take();
    const args = tokens.isSymbol(')', tokens.peek(1))
      ? []
      : this.#list(() => this.expression(), 'an argument');
    if (args.length === 0) {
      tokens.take();
      tokens.take();
    }
    return this.#budget.node({
      kind: 'call',
      name: signatureOf(name.text)?.name ?? name.text,
      insensitive: name.kind === 'name~',
      args: Object.freeze(args),
      span: tokens.since(name.span.start),
    });
  }

  /** `?field.part`, with `event0.` in front when an earlier step was bound so. */
  field(): Field {
    const tokens = this.#tokens;
    const { start } = tokens.next.span;
    const optional = tokens.symbol('?');
    const first = tokens.next;
    if (first.kind !== 'quoted' && (first.kind !== 'name' || keywords.has(first.text))) {
      tokens.fail(['a field'], 'A field named like a keyword stands in backticks.');
    }
    const path = [tokens.take().text];
    while (tokens.symbol('.')) {
      if (tokens.next.kind !== 'name' && tokens.next.kind !== 'quoted') {
        tokens.fail(
          ['a field name'],
          'A part with other characters than letters, digits and _ stands in backticks.',
        );
      }
      path.push(tokens.take().text);
    }
    if (tokens.isSymbol('[')) this.#refuseIndex();
    const problem = fieldNameProblem(path.join('.'));
    if (problem !== undefined)
      throw new SyntaxFailure({ code: 'eql/field', message: problem, span: tokens.since(start) });
    const bound = first.kind === 'name' && path.length > 1 && this.aliases.has(first.text);
    return this.#budget.node({
      kind: 'field',
      path: Object.freeze(bound ? path.slice(1) : path),
      optional,
      alias: bound ? first.text : null,
      span: tokens.since(start),
    });
  }

  #refuseIndex(): void {
    if (this.#tokens.peek(1).kind !== 'number') return;
    throw new SyntaxFailure({
      code: 'eql/unsupported',
      message: 'array indexes are not part of EQL',
      span: this.#tokens.next.span,
      hint: 'A comparison with an array field holds when any of its values does.',
    });
  }

  #isConstant(token: Token): boolean {
    if (token.kind === 'string' || token.kind === 'number') return true;
    return token.kind === 'name' && ['true', 'false', 'null'].includes(token.text);
  }

  #constant(): Literal {
    const tokens = this.#tokens;
    const { start } = tokens.next.span;
    const sign = tokens.isSymbol('-') || tokens.isSymbol('+') ? tokens.take().text : '';
    const token = tokens.next;
    if (sign !== '' ? token.kind !== 'number' : !this.#isConstant(token)) {
      tokens.fail(sign === '' ? ['a string', 'a number', 'true', 'false', 'null'] : ['a number']);
    }
    tokens.take();
    const span = tokens.since(start);
    if (token.kind === 'string') return this.#budget.node({ kind: 'literal', value: token.text, span });
    if (token.kind === 'name') {
      const value = token.text === 'null' ? null : token.text === 'true';
      return this.#budget.node({ kind: 'literal', value, span });
    }
    const float = /[.eE]/.test(token.text);
    const value = float ? Number(sign + token.text) : wholeNumber(sign, token.text);
    if (value === undefined || !Number.isFinite(Number(value))) {
      throw new SyntaxFailure({
        code: 'eql/number',
        message: `the number ${token.text.slice(0, 40)} is too large`,
        span,
        hint: 'Whole numbers go from -9223372036854775808 to 18446744073709551615.',
      });
    }
    return this.#budget.node({ kind: 'literal', value, ...(float ? { float } : {}), span });
  }
}

/** Within Elasticsearch's `long` and `unsigned_long`; a bigint where a `number` would round. */
function wholeNumber(sign: string, digits: string): number | bigint | undefined {
  const value = Number(sign + digits);
  if (Number.isSafeInteger(value)) return value;
  if (digits.length > 64) return undefined;
  const exact = sign === '-' ? -BigInt(digits) : BigInt(digits);
  return exact >= -(2n ** 63n) && exact < 2n ** 64n ? exact : undefined;
}
