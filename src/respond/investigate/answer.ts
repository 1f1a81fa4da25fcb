import { clip } from '../../base/escape.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { Answer, AnswerFact, AnswerMark, AnswerPoint } from '../../event/investigation.js';
import type { Case } from './case.js';

/** One question about an alert: what it reads, and what it makes of that. */
export interface Step<F = unknown> {
  /** Stable word. */
  readonly name: string;
  readonly question: string;
  /** False of an alert that the question makes no sense about; it is not asked then. True when absent. */
  applies?(about: Case['about']): boolean;
  /** Gathers what the sentence is made of. Reads the store, files, and the tools of the machine. */
  read(from: Case): F | Promise<F>;
  /** The answer, from nothing but what was gathered. */
  says(facts: F, from: Pick<Case, 'alert' | 'about' | 'now'>): Findings;
}

/** The answer of a step before its name and question are added, as far as there is something to say. */
export interface Findings {
  readonly mark: AnswerMark;
  readonly says: string;
  readonly points?: readonly (AnswerPoint | undefined)[];
  readonly facts?: readonly (AnswerFact | undefined)[];
  readonly unknown?: readonly (string | undefined)[];
}

/** Ties the type of the facts to the sentence. */
export function defineStep<F>(step: Step<F>): Step {
  return step as unknown as Step;
}

/** What an answer holds at most, in items of each list and in characters of each text. */
export interface AnswerRoom {
  readonly items: number;
  readonly text: number;
}

/** The answer within its bounds; what was left out is said. */
export function answerOf(
  { name, question }: Pick<Step, 'name' | 'question'>,
  { mark, says, points = [], facts = [], unknown = [] }: Findings,
  { items, text }: AnswerRoom,
): Answer {
  const present = <T>(list: readonly (T | undefined)[]) => list.filter((one) => one !== undefined) as T[];
  const [allPoints, allFacts, allUnknown] = [present(points), present(facts), present(unknown)];
  const left = allPoints.length - items;
  return {
    ...{ step: name, question, mark, says: clip(says, text) },
    points: [
      ...allPoints.slice(0, items).map((one) => ({ mark: one.mark, says: clip(one.says, text) })),
      ...(left > 0 ? [{ mark: 'neutral' as const, says: `And ${left} more.` }] : []),
    ],
    facts: allFacts.slice(0, items).map((one) => ({ name: one.name, value: clip(one.value, text * 2) })),
    unknown: allUnknown.slice(0, items).map((one) => clip(one, text)),
  };
}

export function point(mark: AnswerMark, says: string): AnswerPoint {
  return { mark, says };
}

/** Undefined without a value: nothing is shown then. */
export function fact(name: string, value: string | number | undefined): AnswerFact | undefined {
  return value === undefined || value === '' ? undefined : { name, value: String(value) };
}

/** The gravest of several marks; `neutral` when there are none. */
export function gravest(
  marks: readonly (AnswerMark | undefined)[],
  otherwise: AnswerMark = 'neutral',
): AnswerMark {
  for (const mark of ['worrying', 'notable'] as const) if (marks.includes(mark)) return mark;
  return otherwise;
}

/** `2026-11-29 09:48:38 UTC`. */
export function timeText(time: Micros): string {
  return `${formatMicros(time).slice(0, 19).replace('T', ' ')} UTC`;
}

/** `one file`, `3 files`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return count === 1 ? `one ${singular}` : `${count} ${plural}`;
}

/** `a, b and c`; at most `most`, and how many more. */
export function listed(items: readonly string[], most = 5): string {
  const shown = items.slice(0, most);
  const rest = items.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
