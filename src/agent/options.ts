import type { Clock } from '../base/clock.js';
import type { LogFormat } from '../base/log.js';
import type { Settings } from '../config/index.js';
import type { EarlyScan } from '../sensors/process-scan/index.js';

export interface AgentOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly clock: Clock;
  /** Of standard error; a log file is always JSON. */
  readonly logFormat?: LogFormat;
  /** Has looked at processes since before the settings were checked. */
  readonly early?: EarlyScan | undefined;
  /** `--root-scope`: only processes below this one. */
  readonly scopePid?: number;
  /** What runs the agent, paths of this machine: its files are watched. */
  readonly program?: { readonly node: string; readonly script: string };
  /** Starts `launchwarden canary` as a process of its own; without it nothing runs on a schedule. */
  readonly launchCanary?: (ended: (error: Error) => void) => void;
  /** Ends the agent: it drains and `runAgent` resolves. */
  readonly signal: AbortSignal;
  /**
   * Reads the whole configuration again, for a reload; `policy` as in SettingsOptions. Rejects with a UserError when no agent
   * would start with it. Without it the configuration is what it was at the start.
   */
  readonly reread?: (policy?: string) => Promise<Settings>;
}
