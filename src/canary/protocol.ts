import type { CanaryItem } from './item.js';
import type { CanaryResult, CanaryStep } from './result.js';

/**
 * What the command and the agent say to each other over the control socket. The agent makes the item: nobody can announce
 * one of his own as the canary.
 */
export const canaryOps = {
  begin: 'canary.begin',
  progress: 'canary.progress',
  end: 'canary.end',
} as const;

export interface CanaryBegun {
  readonly item: CanaryItem;
}

export interface CanaryProgress {
  /** `seen`, `judged`, `stored` and each `delivered` that is done. */
  readonly steps: readonly CanaryStep[];
  /** A sensor of processes has seen launchctl load it. */
  readonly loadSeen: boolean;
  readonly complete: boolean;
}

/** What the command did itself: `written`, `loaded` and `removed`. */
export interface CanaryEnd {
  readonly label: string;
  readonly steps: readonly CanaryStep[];
  /** It was interrupted, and says nothing about the chain. */
  readonly aborted: boolean;
}

export interface CanaryEnded {
  readonly result: CanaryResult;
}
