import type { Micros } from '../base/time.js';
import type { DoctorSystem } from './system.js';

/**
 * `ok`: as it should be. `warning`: it works, and something should be done. `failed`: something is wrong. `unknown`: it could
 * not be learned, and what was found says why. `not-here`: it does not apply here.
 */
export type Mark = 'ok' | 'warning' | 'failed' | 'unknown' | 'not-here';

export const sections = ['Program', 'Access', 'Sensors', 'Job', 'Data', 'Delivery', 'Clock'] as const;
export type SectionName = (typeof sections)[number];

export interface Verdict {
  readonly mark: Mark;
  /** One line: what was found, or why it could not be learned. */
  readonly found: string;
  /** What to do about it: a command, where there is one. */
  readonly cure?: string | undefined;
  /** Lines beside it. */
  readonly details?: readonly string[];
}

/** A cure that harms nobody. */
export interface Fix {
  /** In the infinitive: `set the mode of /x to 0700`. */
  readonly does: string;
  /** May throw: what it says is told. */
  readonly run: () => Promise<void> | void;
}

/** A question about the installation, how its answer is read, judged, and cured. */
export interface Probe<Facts = unknown> {
  /** What `--only` takes: lower case, joined by hyphens. */
  readonly name: string;
  readonly section: SectionName;
  readonly asks: string;
  /** Gathers facts and changes nothing. May reject: the reason is then told, and the mark is `unknown`. */
  readonly read: (system: DoctorSystem) => Promise<Facts> | Facts;
  /** Of the facts alone. */
  readonly judge: (facts: Facts, now: Micros) => Verdict;
  /** What `--fix` does about it; nothing when all is well. */
  readonly fix?: (facts: Facts, system: DoctorSystem) => readonly Fix[];
}

export function defineProbe<Facts>(probe: Probe<Facts>): Probe {
  return probe as unknown as Probe;
}

export function ok(found: string, details?: readonly string[]): Verdict {
  return { mark: 'ok', found, ...(details === undefined ? {} : { details }) };
}

export function warning(found: string, cure: string | undefined, details?: readonly string[]): Verdict {
  return { mark: 'warning', found, cure, ...(details === undefined ? {} : { details }) };
}

export function failed(found: string, cure: string | undefined, details?: readonly string[]): Verdict {
  return { mark: 'failed', found, cure, ...(details === undefined ? {} : { details }) };
}

export function unknown(reason: string, cure?: string): Verdict {
  return { mark: 'unknown', found: reason, ...(cure === undefined ? {} : { cure }) };
}

export function notHere(reason: string): Verdict {
  return { mark: 'not-here', found: reason };
}
