import type { EventQuery, Field, Pipe, SampleQuery, SequenceQuery, Step } from '../ast.js';
import { Budget } from '../budget.js';
import { SyntaxFailure } from '../diagnostic.js';
import { ExpressionParser } from './expression.js';
import { Tokens } from './tokens.js';

export type EqlQuery = EventQuery | SequenceQuery | SampleQuery;

// Microseconds. The units that Elasticsearch takes in `maxspan`.
const spanUnits: Record<string, number> = { ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };
const stepStart = ['[', '!['];

/** The tree of an EQL query as written; what it means is the checker's business. Throws SyntaxFailure. */
export function parseEqlText(text: string): EqlQuery {
  const budget = new Budget('eql', text);
  return new QueryParser(new Tokens(text), budget).query();
}

class QueryParser {
  readonly #tokens: Tokens;
  readonly #budget: Budget;
  readonly #expressions: ExpressionParser;

  constructor(tokens: Tokens, budget: Budget) {
    this.#tokens = tokens;
    this.#budget = budget;
    this.#expressions = new ExpressionParser(tokens, budget);
  }

  query(): EqlQuery {
    const tokens = this.#tokens;
    const { start } = tokens.next.span;
    if (tokens.isWord('join')) {
      throw new SyntaxFailure({
        code: 'eql/unsupported',
        message: '`join` is not part of Elasticsearch EQL',
        span: tokens.next.span,
        hint: 'Use `sequence` when order matters, `sample` when it does not.',
      });
    }
    if (tokens.word('sequence')) return this.#sequence(start);
    if (tokens.word('sample')) return this.#sample(start);
    const condition = this.#expressions.stepCondition();
    const pipes = this.#pipes(['and', 'or', '|']);
    return this.#budget.node<EventQuery>({ kind: 'event', ...condition, pipes, span: tokens.since(start) });
  }

  #sequence(start: number): SequenceQuery {
    const tokens = this.#tokens;
    const by = this.#by();
    const maxspan = tokens.word('with') ? this.#maxspan() : null;
    if (maxspan !== null && tokens.isWord('by')) tokens.fail(stepStart, '`by` stands before `with maxspan`.');
    const steps = this.#steps();
    const until = tokens.word('until') ? this.#until() : null;
    const pipes = this.#pipes(until === null ? ['[', '![', 'until', '|'] : ['|']);
    return this.#budget.node({
      kind: 'sequence',
      by,
      maxspan,
      steps,
      until,
      pipes,
      span: tokens.since(start),
    });
  }

  #sample(start: number): SampleQuery {
    const by = this.#by();
    const steps = this.#steps();
    const pipes = this.#pipes(['[', '|']);
    return this.#budget.node({ kind: 'sample', by, steps, pipes, span: this.#tokens.since(start) });
  }

  #by(): readonly Field[] {
    const fields: Field[] = [];
    if (this.#tokens.word('by')) {
      do fields.push(this.#expressions.field());
      while (this.#tokens.symbol(','));
    }
    return Object.freeze(fields);
  }

  #maxspan(): number {
    const tokens = this.#tokens;
    tokens.expectWord('maxspan');
    tokens.expectSymbol('=');
    const number = tokens.next;
    if (number.kind !== 'number') tokens.fail(['a duration like 30s']);
    tokens.take();
    const fail = (message: string, hint?: string): never => {
      throw new SyntaxFailure({ code: 'eql/maxspan', message, span: number.span, hint });
    };
    const unit =
      tokens.next.span.start === number.span.end && tokens.next.kind === 'name' ? tokens.take().text : '';
    const factor = Object.hasOwn(spanUnits, unit) ? spanUnits[unit] : undefined;
    if (unit === '')
      fail('maxspan needs a unit', `Write ${number.text}s for seconds; units are ms, s, m, h, d.`);
    if (factor === undefined) return fail(`${unit} is no unit of maxspan`, 'Units are ms, s, m, h, d.');
    if (!/^[0-9]+$/.test(number.text)) return fail('maxspan takes a whole number', 'Use a smaller unit.');
    const micros = Number(number.text) * factor;
    if (micros === 0 || !Number.isSafeInteger(micros))
      return fail('maxspan must be more than 0 and less than 285 years');
    return micros;
  }

  #steps(): readonly Step[] {
    const tokens = this.#tokens;
    if (!this.#atStep()) tokens.fail(stepStart);
    const steps: Step[] = [];
    while (this.#atStep()) steps.push(this.#step());
    return Object.freeze(steps);
  }

  #atStep(): boolean {
    const tokens = this.#tokens;
    return tokens.isSymbol('[') || (tokens.isSymbol('!') && tokens.isSymbol('[', tokens.peek(1)));
  }

  #until(): Step {
    if (!this.#tokens.isSymbol('[')) this.#tokens.fail(['[']);
    return this.#step();
  }

  /** `[ ... ]` or `![ ... ]`, then `by`, `with runs=` and `as`, each at most once and in any order. */
  #step(): Step {
    const tokens = this.#tokens;
    const { start } = tokens.next.span;
    const missing = tokens.symbol('!');
    tokens.expectSymbol('[');
    const condition = this.#expressions.stepCondition();
    if (!tokens.symbol(']')) tokens.fail([']', 'and', 'or']);
    let by: readonly Field[] | undefined;
    let runs: number | undefined;
    let alias: string | undefined;
    for (;;) {
      if (by === undefined && tokens.isWord('by')) by = this.#by();
      else if (runs === undefined && tokens.word('with')) runs = this.#runs();
      else if (alias === undefined && tokens.word('as')) alias = this.#alias();
      else break;
    }
    if (alias !== undefined) this.#expressions.aliases.add(alias);
    return this.#budget.node({
      kind: 'step',
      ...condition,
      by: by ?? Object.freeze([]),
      missing,
      runs: runs ?? 1,
      alias: alias ?? null,
      span: tokens.since(start),
    });
  }

  #runs(): number {
    const tokens = this.#tokens;
    tokens.expectWord('runs');
    tokens.expectSymbol('=');
    const number = tokens.next;
    if (number.kind !== 'number') tokens.fail(['a number from 1 to 100']);
    tokens.take();
    const runs = Number(number.text);
    if (!/^[0-9]+$/.test(number.text) || runs < 1 || runs > 100) {
      throw new SyntaxFailure({
        code: 'eql/runs',
        message: `runs must be a whole number from 1 to 100, not ${number.text.slice(0, 40)}`,
        span: number.span,
      });
    }
    return runs;
  }

  #alias(): string {
    const tokens = this.#tokens;
    const token = tokens.next;
    if (token.kind !== 'name') tokens.fail(['a name like event0']);
    if (this.#expressions.aliases.has(token.text)) {
      throw new SyntaxFailure({
        code: 'eql/alias',
        message: `the name ${token.text} is given to two steps`,
        span: token.span,
      });
    }
    return tokens.take().text;
  }

  /** The pipes, and nothing after them; `before` is what could also have stood where the first one does. */
  #pipes(before: readonly string[]): readonly Pipe[] {
    const tokens = this.#tokens;
    const pipes: Pipe[] = [];
    while (tokens.isSymbol('|')) {
      const { start } = tokens.take().span;
      const name = tokens.next;
      if (name.kind !== 'name' || (name.text !== 'head' && name.text !== 'tail')) {
        if (['count', 'filter', 'sort', 'unique', 'unique_count'].includes(name.text)) {
          throw new SyntaxFailure({
            code: 'eql/unsupported',
            message: `the pipe ${name.text} is not part of Elasticsearch EQL`,
            span: name.span,
            hint: 'Pipes are head and tail.',
          });
        }
        tokens.fail(['head', 'tail']);
      }
      tokens.take();
      const number = tokens.next;
      const count = Number(number.text);
      if (number.kind !== 'number' || !/^[0-9]+$/.test(number.text) || !Number.isSafeInteger(count)) {
        tokens.fail(['a whole number']);
      }
      tokens.take();
      pipes.push(this.#budget.node({ kind: name.text as Pipe['kind'], count, span: tokens.since(start) }));
    }
    if (tokens.next.kind !== 'end')
      tokens.fail(pipes.length === 0 ? [...before, 'the end'] : ['|', 'the end']);
    return Object.freeze(pipes);
  }
}
