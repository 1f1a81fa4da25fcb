import type { ProveSystem } from './system.js';

/** What a question came to. `not-asked`: it could not be asked here and now, and the reason says why. */
export type Verdict = 'as-expected' | 'different' | 'not-asked';

export type Answer =
  | {
      readonly verdict: 'as-expected' | 'different';
      /** One line: what was found. */
      readonly found: string;
      /** Lines that a reader may want beside it: raw output, figures. */
      readonly details?: readonly string[];
    }
  | { readonly verdict: 'not-asked'; readonly reason: string };

/**
 * `root`: only root may do it. `addon`: the native addon, whichever system it was built for. `mac-addon`: its macOS half,
 * so that no stand-in will do.
 */
export type Need = 'root' | 'addon' | 'mac-addon';

/** One thing that this program rests on and that only a Mac can tell. */
export interface Question {
  /** What `--only` takes and README names: lower case, joined by hyphens. */
  readonly name: string;
  readonly asks: string;
  /** What the program was written for. */
  readonly expected: string;
  readonly needs?: readonly Need[];
  /** Programs that it runs, macOS paths: without one of them it cannot be asked. */
  readonly programs?: readonly string[];
  /** May reject: the reason is then told, and the question counts as not asked. */
  readonly ask: (system: ProveSystem) => Promise<Answer>;
}

/** `as-expected` when the condition holds. */
export function judged(holds: boolean, found: string, details?: readonly string[]): Answer {
  return {
    verdict: holds ? 'as-expected' : 'different',
    found,
    ...(details === undefined || details.length === 0 ? {} : { details }),
  };
}

export function notAsked(reason: string): Answer {
  return { verdict: 'not-asked', reason };
}
