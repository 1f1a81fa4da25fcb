import type { Bindings, ConditionSet, Query, SequenceQuery, StepCondition } from '../rules/index.js';
import type { OnMatch, QueryMatcher } from './match.js';
import type { DetectorLimits } from './options.js';
import { SampleMatcher } from './sample.js';
import { type KeyRoom, SequenceMatcher, type SequenceOptions } from './sequence.js';
import { sequenceConditions } from './sequence-plan.js';
import { SingleMatcher } from './single.js';

/** The conditions that a query's matcher wants to be told about, in the order of their indices. */
export function conditionsOf(query: Query): readonly StepCondition[] {
  switch (query.kind) {
    case 'kql':
      return [{ category: null, condition: query.condition }];
    case 'event':
      return [query];
    case 'sequence':
      return sequenceConditions(query);
    case 'sample':
      return query.steps;
  }
}

export interface MatcherContext {
  readonly limits: DetectorLimits;
  readonly room: KeyRoom;
  readonly onMatch: OnMatch;
  readonly conditions: () => ConditionSet;
  /** Index of the query's first condition in the set. */
  readonly first: number;
}

/** The matcher of a query's own kind. */
export function queryMatcher(query: Query, context: MatcherContext): QueryMatcher {
  const { limits, onMatch } = context;
  if (query.kind === 'sample') return new SampleMatcher(query, limits, onMatch);
  if (query.kind !== 'sequence') return new SingleMatcher(onMatch);
  return new SequenceMatcher(sequenceOptions(query, context));
}

export function sequenceOptions(query: SequenceQuery, context: MatcherContext): SequenceOptions {
  const { limits, room, onMatch, conditions, first } = context;
  return {
    query,
    limits,
    room,
    onMatch,
    isBound: (condition) => conditions().isBound(first + condition),
    test: (condition: number, doc: unknown, bindings: Bindings) =>
      conditions().test(first + condition, doc, bindings),
  };
}
