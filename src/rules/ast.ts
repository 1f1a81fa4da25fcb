/**
 * The syntax tree that the EQL and the KQL parser share. Nodes are frozen plain objects with a literal `kind` and the
 * span of source text they came from (offsets in UTF-16 units, `end` exclusive). The printer, the checker and the
 * planner see only this tree.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A whole number that a `number` cannot hold exactly is a bigint. */
export type Scalar = string | number | bigint | boolean | null;

export interface Literal {
  readonly kind: 'literal';
  readonly value: Scalar;
  /** True for a number written with a fraction or exponent: division by it is not integer division. */
  readonly float?: boolean;
  readonly span: Span;
}

export interface Field {
  readonly kind: 'field';
  /** Path parts as written, backticks removed: `process.code_signature.trusted` has three. */
  readonly path: readonly string[];
  /** EQL `?field`. */
  readonly optional: boolean;
  /** `event0` in `event0.process.executable` (endpoint dialect: a step bound by `as event0`). */
  readonly alias: string | null;
  readonly span: Span;
}

export interface Compare {
  readonly kind: 'compare';
  readonly op: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly left: Expr;
  readonly right: Expr;
  readonly span: Span;
}

/** `value in (...)`; `not in` is Not of it. Items never expand wildcards. */
export interface In {
  readonly kind: 'in';
  readonly value: Expr;
  readonly items: readonly Expr[];
  readonly insensitive: boolean;
  readonly span: Span;
}

/** `:` and `like~` (insensitive), `like` (not): `*` any run, `?` one character, the whole value. */
export interface Like {
  readonly kind: 'like';
  /** The operator as written, for the printer. `:` equals `like~`. */
  readonly op: ':' | 'like' | 'like~';
  readonly value: Expr;
  readonly patterns: readonly Expr[];
  readonly span: Span;
}

export interface Regex {
  readonly kind: 'regex';
  readonly value: Expr;
  readonly patterns: readonly Literal[];
  readonly insensitive: boolean;
  readonly span: Span;
}

export interface Call {
  readonly kind: 'call';
  /** Canonical name (`stringContains` for `stringcontains`); as written when there is no such function. */
  readonly name: string;
  readonly insensitive: boolean;
  readonly args: readonly Expr[];
  readonly span: Span;
}

export interface Arithmetic {
  readonly kind: 'arithmetic';
  readonly op: '+' | '-' | '*' | '/' | '%';
  readonly left: Expr;
  readonly right: Expr;
  readonly span: Span;
}

export interface Negate {
  readonly kind: 'negate';
  readonly operand: Expr;
  readonly span: Span;
}

export interface Not {
  readonly kind: 'not';
  readonly operand: Expr;
  readonly span: Span;
}

/** Two or more operands, flattened. */
export interface Logical {
  readonly kind: 'and' | 'or';
  readonly operands: readonly Expr[];
  readonly span: Span;
}

/** `process where descendant of [ ... ]` of the endpoint dialect. */
export interface DescendantOf {
  readonly kind: 'descendant-of';
  readonly query: StepCondition;
  readonly span: Span;
}

/** A KQL field name, which may hold `*`; null means any field (free text). */
export interface KqlField {
  readonly kind: 'kql-field';
  /** Dotted name as written, unescaped; with `wildcard` each `*` stands for any run of characters. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly span: Span;
}

/** KQL `field: value`. A pattern's parts are the texts between its `*`s; quoted values are always exact. */
export interface KqlIs {
  readonly kind: 'kql-is';
  readonly field: KqlField | null;
  readonly value:
    | { readonly kind: 'exact'; readonly text: string; readonly quoted: boolean }
    | { readonly kind: 'pattern'; readonly parts: readonly string[] };
  readonly span: Span;
}

/** KQL `field: *`. */
export interface KqlExists {
  readonly kind: 'kql-exists';
  readonly field: KqlField;
  readonly span: Span;
}

/** KQL `field >= value`. */
export interface KqlRange {
  readonly kind: 'kql-range';
  readonly field: KqlField;
  readonly op: '<' | '<=' | '>' | '>=';
  readonly value: string;
  readonly quoted: boolean;
  readonly span: Span;
}

/** KQL `field: { ... }`: one and the same object of an array. Names inside are relative to `field`. */
export interface KqlNested {
  readonly kind: 'kql-nested';
  readonly field: KqlField;
  readonly condition: Expr;
  readonly span: Span;
}

/** KQL's empty query and `*:*`. */
export interface MatchAll {
  readonly kind: 'match-all';
  readonly span: Span;
}

export type Expr =
  | Literal
  | Field
  | Compare
  | In
  | Like
  | Regex
  | Call
  | Arithmetic
  | Negate
  | Not
  | Logical
  | DescendantOf
  | KqlIs
  | KqlExists
  | KqlRange
  | KqlNested
  | MatchAll;

/** `category where condition`; category null is `any` (and KQL, which has none). */
export interface StepCondition {
  readonly category: string | null;
  readonly condition: Expr;
}

export interface EventQuery extends StepCondition {
  readonly kind: 'event';
  readonly pipes: readonly Pipe[];
  readonly span: Span;
}

export interface Step extends StepCondition {
  readonly kind: 'step';
  /** Join fields of this step alone; the shared ones stand on the query. */
  readonly by: readonly Field[];
  /** `![ ... ]`. */
  readonly missing: boolean;
  /** `with runs=n`; 1 without. */
  readonly runs: number;
  /** `as event0`. */
  readonly alias: string | null;
  readonly span: Span;
}

export interface SequenceQuery {
  readonly kind: 'sequence';
  readonly by: readonly Field[];
  /** Microseconds; null when the query has none. */
  readonly maxspan: number | null;
  readonly steps: readonly Step[];
  readonly until: Step | null;
  readonly pipes: readonly Pipe[];
  readonly span: Span;
}

export interface SampleQuery {
  readonly kind: 'sample';
  readonly by: readonly Field[];
  readonly steps: readonly Step[];
  readonly pipes: readonly Pipe[];
  readonly span: Span;
}

export interface KqlQuery {
  readonly kind: 'kql';
  readonly condition: Expr;
  readonly span: Span;
}

export interface Pipe {
  readonly kind: 'head' | 'tail';
  readonly count: number;
  readonly span: Span;
}

export type Query = EventQuery | SequenceQuery | SampleQuery | KqlQuery;
