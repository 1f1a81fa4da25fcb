import type { Micros } from '../base/time.js';
import type { SequenceQuery, Step, StepCondition } from '../rules/index.js';
import { type KeyReader, keyReaders } from './join-keys.js';

/** A step that must be there; `runs` are written out. */
export interface Stage {
  /** Index among the conditions of the query (`sequenceConditions`). */
  readonly condition: number;
  readonly keys: readonly KeyReader[];
  readonly alias: string | null;
  /** Place among all steps, missing ones included, for the order of the result. */
  readonly position: number;
}

/** A step that must not be there. */
export interface Absence {
  readonly condition: number;
  readonly keys: readonly KeyReader[];
  /** It must not stand before the stage of this index; 0 is leading, the number of stages is trailing. */
  readonly gap: number;
}

export interface SequencePlan {
  readonly stages: readonly Stage[];
  readonly absences: readonly Absence[];
  readonly until: { readonly condition: number; readonly keys: readonly KeyReader[] } | undefined;
  readonly maxspan: Micros;
  /** Number of steps with `runs` written out, missing ones included. */
  readonly length: number;
  readonly leading: boolean;
  readonly trailing: boolean;
  readonly aliased: boolean;
}

/** The conditions of a sequence: each step's, then that of `until`. */
export function sequenceConditions(query: SequenceQuery): readonly StepCondition[] {
  return query.until === null ? query.steps : [...query.steps, query.until];
}

export function planSequence(query: SequenceQuery): SequencePlan {
  const stages: Stage[] = [];
  const absences: Absence[] = [];
  const keysOf = (step: Step) => keyReaders([...query.by, ...step.by]);
  let position = 0;
  query.steps.forEach((step, condition) => {
    const keys = keysOf(step);
    if (step.missing) absences.push({ condition, keys, gap: stages.length });
    for (let run = 0; run < step.runs; run++, position++) {
      if (!step.missing) stages.push({ condition, keys, alias: step.alias, position });
    }
  });
  return {
    stages,
    absences,
    until: query.until === null ? undefined : { condition: query.steps.length, keys: keysOf(query.until) },
    maxspan: query.maxspan ?? Number.POSITIVE_INFINITY,
    length: position,
    leading: query.steps[0]?.missing === true,
    trailing: query.steps.at(-1)?.missing === true,
    aliased: stages.some(({ alias }) => alias !== null),
  };
}
