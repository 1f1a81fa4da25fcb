import type { System } from './system.js';

/** What the agent answers on its control socket. */
export interface RunningAgent {
  readonly version: string | undefined;
  readonly pid: number | undefined;
}

/** The schemas of the two databases; undefined of one that is not there. */
export interface DatabaseSchemas {
  readonly main: number | undefined;
  readonly events: number | undefined;
}

/** What installing uses of other stages. */
export interface Parts {
  /** One installation at a time. Throws a UserError when another one runs. */
  lock(folder: string): { release(): void };
  /** Undefined when no agent listens on the data folder. */
  agent(dataDir: string): Promise<RunningAgent | undefined>;
  /**
   * Takes away what a canary or a proof has left in launchd and beside it, which was killed; a sentence for each deed, and why
   * for what is left. `root`: as in `Surroundings`. Throws a UserError when one still runs.
   */
  cleanUp(
    dataDir: string,
    root: string | undefined,
  ): Promise<{ readonly undone: readonly string[]; readonly left: readonly string[] }>;
  readonly databases: {
    /** Undefined when a database cannot be read. Throws a UserError `install/database-read-only`. */
    schemas(dataDir: string): DatabaseSchemas | undefined;
    /** Copies them as they are; no agent runs. */
    save(dataDir: string, to: string): void;
    /** Puts the copies back; what is there is moved to `aside`. */
    restore(dataDir: string, from: string, aside: string): void;
    /**
     * Removes a data folder that nobody misses: no agent uses it, and it holds no alert but those about canaries and
     * launchwarden itself, which is taken back. False when
     * it stays.
     */
    discard(dataDir: string): boolean;
  };
}

/** Where and with what is installed. */
export interface Surroundings {
  readonly system: System;
  /** The folder that stands for a Mac's `/`, links resolved; undefined for this Mac. */
  readonly root: string | undefined;
  /** Undefined where there is no launchd. */
  readonly launchctl: string | undefined;
  /** Whether files can be given to root. */
  readonly asRoot: boolean;
  readonly parts: Parts;
}
