import type { Machine } from './machine.js';
import type { Deed, Outcome, StepKind, StepOf } from './plan.js';

export interface Doing {
  readonly machine: Machine;
  /** Name of the step's own folder in the quarantine. */
  readonly box: string;
  /** Journals what is about to be done. Nothing is done before it has returned. */
  will(deed: Deed): void;
}

/** How one kind of step is done and undone. No function throws for what the machine answers. */
export interface Executor<K extends StepKind> {
  /** In the infinitive, as a dry run says it. */
  does(step: StepOf<K>): string;
  /** Looks, and changes nothing: what `run` would come to; `done` is read as "would be done". */
  check(step: StepOf<K>, machine: Machine): Promise<Outcome>;
  run(step: StepOf<K>, doing: Doing): Promise<Outcome>;
  /** After a crash behind `will`: finishes what was begun. */
  resume(deed: Deed, step: StepOf<K>, doing: Doing): Promise<Outcome>;
  /** Also after a crash in the middle of undoing. `nothing`: there is nothing to be undone; `failed` says why it cannot be. */
  undo(deed: Deed, machine: Machine): Promise<Outcome>;
  /** Looks, and changes nothing: what `undo` would come to; `done` is read as "would be done". */
  checkUndo(deed: Deed, machine: Machine): Promise<Outcome>;
  /** What can never be undone, for people; undefined when all of it can. */
  readonly lasting?: string;
}
