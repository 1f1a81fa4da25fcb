import type { Span } from './ast.js';
import { SyntaxFailure } from './diagnostic.js';

/**
 * What a query may cost, whoever wrote it. The longest of Elastic's published macOS queries has 7,912 characters; depth
 * is what every later walk over the tree recurses by.
 */
export const queryLimits = { characters: 262_144, depth: 128, nodes: 50_000 } as const;

/** Elasticsearch maps no deeper (index.mapping.depth.limit), and documents are read little deeper. */
const maxFieldParts = 20;
/** Reading a name costs time and memory by the square of its parts; their length is multiplied by it. */
const maxFieldLength = 1_000;

/** Why the dotted name of a field is refused; undefined when it is not. */
export function fieldNameProblem(name: string): string | undefined {
  if (name.length > maxFieldLength) return `the name of a field has at most ${maxFieldLength} characters`;
  if (name.split('.').length > maxFieldParts) return `the name of a field has at most ${maxFieldParts} parts`;
  return undefined;
}

/** Counts what a parser makes and how deep it stands; fails with a diagnostic when it is too much. */
export class Budget {
  readonly #language: 'eql' | 'kql';
  #nodes = 0;
  #depth = 0;

  constructor(language: 'eql' | 'kql', text: string) {
    this.#language = language;
    if (text.length > queryLimits.characters) {
      throw new SyntaxFailure({
        code: `${language}/too-long`,
        message: `the query has ${text.length} characters, more than ${queryLimits.characters}`,
        span: { start: 0, end: 0 },
      });
    }
  }

  /** One node more: freezes it, and returns it. */
  node<T extends { readonly span: Span }>(node: T): T {
    if (++this.#nodes > queryLimits.nodes) {
      throw new SyntaxFailure({
        code: `${this.#language}/too-large`,
        message: `the query has more than ${queryLimits.nodes} parts`,
        span: node.span,
      });
    }
    return Object.freeze(node);
  }

  /** Runs `parse` one level deeper. */
  deeper<T>(at: Span, parse: () => T): T {
    this.checkDepth(at, ++this.#depth);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Fails when a tree of this depth, counted from here, is too deep. */
  checkDepth(at: Span, depth: number): void {
    if (depth > queryLimits.depth) {
      throw new SyntaxFailure({
        code: `${this.#language}/too-deep`,
        message: `the query is nested more than ${queryLimits.depth} levels deep`,
        span: at,
      });
    }
  }
}
