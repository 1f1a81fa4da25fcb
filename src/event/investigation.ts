import type { Micros } from '../base/time.js';

/**
 * What an answer means to whoever decides: `worrying` speaks against the item, `notable` needs a look, `reassuring` speaks
 * for it, `neutral` decides nothing, `unknown`: it could not be learned.
 */
export type AnswerMark = 'worrying' | 'notable' | 'reassuring' | 'neutral' | 'unknown';

export const answerMarks: readonly AnswerMark[] = ['worrying', 'notable', 'reassuring', 'neutral', 'unknown'];

/** One sentence of an answer. Hostile text may stand in it: it is escaped where it is shown. */
export interface AnswerPoint {
  readonly mark: AnswerMark;
  readonly says: string;
}

/** Something that one would copy or compare: a path, a hash, a time. Hostile text. */
export interface AnswerFact {
  readonly name: string;
  readonly value: string;
}

/** What one step of an investigation found out. */
export interface Answer {
  /** Stable word of the step: `scope`, `contents`, ... */
  readonly step: string;
  readonly question: string;
  readonly mark: AnswerMark;
  /** The answer in one sentence. */
  readonly says: string;
  readonly points: readonly AnswerPoint[];
  readonly facts: readonly AnswerFact[];
  /** What could not be learned, each with its reason. */
  readonly unknown: readonly string[];
}

/** The answers about one alert, as they were when somebody asked. */
export interface Investigation {
  /** Id of the alert. */
  readonly alert: string;
  readonly time: Micros;
  /** Who asked. */
  readonly author: string;
  readonly answers: readonly Answer[];
}

/** True of a value that has the form of an answer; stored and received ones may have any. */
export function isAnswer(value: unknown): value is Answer {
  const one = (value ?? {}) as Partial<Record<keyof Answer, unknown>>;
  return (
    [one.step, one.question, one.says].every((text) => typeof text === 'string') &&
    answerMarks.includes(one.mark as AnswerMark) &&
    isListOf(
      one.points,
      (point) => typeof point['says'] === 'string' && answerMarks.includes(point['mark'] as AnswerMark),
    ) &&
    isListOf(one.facts, (fact) => typeof fact['name'] === 'string' && typeof fact['value'] === 'string') &&
    Array.isArray(one.unknown) &&
    one.unknown.every((text) => typeof text === 'string')
  );
}

function isListOf(value: unknown, holds: (one: Record<string, unknown>) => boolean): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && holds(one));
}
