import type { Clock } from '../base/clock.js';
import type { UserError } from '../base/errors.js';
import type { RootMap } from '../base/root.js';
import type { ToolAnswer } from '../base/tool.js';
import type { Settings } from '../config/index.js';
import type { System } from '../install/index.js';
import type { Store } from '../store/index.js';

/** What the agent of the data folder says. */
export type AgentAnswer =
  | { readonly state: 'runs'; readonly status: unknown }
  | { readonly state: 'none' }
  /** It may run, and does not answer us. */
  | { readonly state: 'silent'; readonly reason: string };

/** What a probe may know of the machine. Nothing here changes it. */
export interface DoctorSystem {
  readonly platform: NodeJS.Platform;
  /** Effective user id. */
  readonly uid: number;
  readonly root: RootMap;
  /** The settings, or what keeps them from being read. */
  readonly settings: { readonly read: Settings } | { readonly problem: UserError };
  readonly dataDir: string;
  readonly version: string;
  readonly clock: Clock;
  /** This very program. */
  readonly program: { readonly node: string; readonly script: string };
  readonly install: System;
  /** Whether destinations may be connected to. */
  readonly network: boolean;
  /** Asked once; later calls get the same answer. */
  agent(): Promise<AgentAnswer>;
  /** Reads beside a running agent. Throws a UserError where there is no database, or none that may be read. */
  withStore<T>(use: (store: Store) => T): Promise<T>;
  /** Whether a program stands at a macOS path. */
  has(program: string): boolean;
  /** Runs a program of the observed machine by its macOS path, without a shell, bounded. Never rejects. */
  run(program: string, args: readonly string[]): Promise<ToolAnswer>;
  /** Which sensors could run: starts them as the agent would, and stops them at once. */
  probeSensors(settings: Settings): Promise<{ readonly tier: string | null; readonly reason: string }>;
  /** Everything that is wrong with what an agent would use, one line each. */
  preflight(settings: Settings): Promise<readonly { readonly stops: boolean; readonly line: string }[]>;
}

/** The settings. Throws what keeps them from being read. */
export function settingsOf({ settings }: DoctorSystem): Settings {
  if ('read' in settings) return settings.read;
  throw settings.problem;
}
