import type { AgentProcess, ListedAlert } from '../simulation/mac.js';
import type { Attacker } from './attacker.js';

/** The tiers of sensors that the evasions are played against. */
export const tiers = ['scan', 'eslogger'] as const;
export type TierName = (typeof tiers)[number];

/**
 * `detected`: an alert is about it. `seen`: an event of it is kept, and no alert. `invisible`: neither, which `coverage`
 * or `status` of that tier says.
 */
export type Verdict = 'detected' | 'seen' | 'invisible';

/** Where an attack is played. */
export interface Stage {
  readonly tier: TierName;
  readonly agent: AgentProcess;
}

export interface Evidence {
  readonly alerts: readonly ListedAlert[];
  /** Every event that the agent stored, as JSON text. */
  readonly events: readonly string[];
  /** Reason and detail of every gap that the agent stored. */
  readonly gaps: readonly string[];
}

/** One attack that is known to get around some detection of persistence. */
export interface Evasion {
  /** Its number in docs/evasions.md. */
  readonly number: number;
  readonly name: string;
  /** Written before the agent starts: what it must take for the usual state of this Mac. */
  readonly before?: (attacker: Attacker) => void | Promise<void>;
  /** It takes away what attacks before it stand on: these are judged first. */
  readonly disturbs?: boolean;
  /** Done while the agent is stopped, between two of its runs. */
  readonly whileDown?: (attacker: Attacker) => void | Promise<void>;
  readonly play?: (attacker: Attacker, stage: Stage) => void | Promise<void>;
  /** Instead of real files and processes, where the clock matters: documents of a capture, replayed. */
  readonly capture?: (tier: TierName, label: string) => readonly object[];
  /** Undone at the end, whatever happened: mounts, locks. */
  readonly after?: (attacker: Attacker) => void;
  /** Texts of which some alert must be about each one; without it the attacker's label. */
  readonly marks?: (attacker: Attacker) => readonly string[];
  /** Instead of any alert that is about the marks: whether the one that is meant was given. */
  readonly fired?: (evidence: Evidence, attacker: Attacker) => boolean;
  /** What must hold besides. */
  readonly found?: (evidence: Evidence, attacker: Attacker) => boolean;
  /** What comes of it in each tier, and, where that is not `detected`, why. */
  readonly expected: Readonly<Record<TierName, Verdict>>;
  readonly why?: string;
}

export interface Outcome {
  readonly evasion: Evasion;
  readonly verdict: Verdict;
  /** Names of the rules whose alerts are about it. */
  readonly rules: readonly string[];
}
