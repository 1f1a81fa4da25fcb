import { accessSync, constants } from 'node:fs';
import { BoundedQueue } from '../base/bounded-queue.js';
import type { Clock } from '../base/clock.js';
import { things } from '../base/count.js';
import { clip, escapeText } from '../base/escape.js';
import type { RootMap } from '../base/root.js';
import { runTool } from '../base/tool.js';

/** What a line is to the unified log. */
const kinds = { notice: 0, error: 1, fault: 2 } as const;
export type LineKind = keyof typeof kinds;

export type WriteLine = (category: string, kind: LineKind, text: string) => void;

/** At once, and from then on one in so many milliseconds: whoever floods us must not flood the log of the Mac. */
const burst = 20;
const everyMs = 3_000;
const maxText = 400;
const maxQueued = 50;
const loggerMs = 5_000;

/**
 * The agent's notable lines in the Mac's own log, where an administrator looks first: start, stop, grave alerts, blindness,
 * gaps. No paths, no arguments. Lines above a rate are left out, and counted in the next one.
 */
export class UnifiedLog {
  readonly #write: WriteLine | undefined;
  readonly #clock: Clock;
  #credit = burst;
  #at: number;
  #left = 0;

  /** `write`: undefined where there is no such log. */
  constructor(write: WriteLine | undefined, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  say(category: string, kind: LineKind, text: string): void {
    if (this.#write === undefined) return;
    const now = this.#clock.monotonic();
    this.#credit = Math.min(burst, this.#credit + (now - this.#at) / everyMs);
    this.#at = now;
    if (this.#credit < 1) {
      this.#left++;
      return;
    }
    this.#credit--;
    const more =
      this.#left === 0
        ? ''
        : ` (${things(this.#left, 'line before it was', 'lines before it were')} left out)`;
    this.#left = 0;
    try {
      this.#write(category, kind, `${escapeText(clip(text, maxText))}${more}`);
    } catch {
      // The agent's own log has it.
    }
  }
}

export interface LineWriterOptions {
  readonly root: RootMap;
  readonly platform: NodeJS.Platform;
  /** Of the addon. */
  readonly unifiedLog: ((category: string, kind: number, text: string) => void) | undefined;
}

/** By the addon, or by logger(1): the tree of `--root` may have a stand-in for it. Undefined where there is neither. */
export function lineWriter({ root, platform, unifiedLog }: LineWriterOptions): WriteLine | undefined {
  if (unifiedLog !== undefined && !root.simulated)
    return (category, kind, text) => unifiedLog(category, kinds[kind], text);
  const program = root.toHost('/usr/bin/logger');
  if ((platform !== 'darwin' && !root.simulated) || !isProgram(program)) return undefined;
  const queue = new BoundedQueue<readonly string[]>(maxQueued);
  let running = false;
  const next = (): void => {
    const args = running ? undefined : queue.shift();
    if (args === undefined) return;
    running = true;
    void runTool(program, args, {
      timeoutMs: loggerMs,
      mostBytes: 4_096,
      signal: new AbortController().signal,
      unref: true,
    }).then(() => {
      running = false;
      next();
    });
  };
  const levels = { notice: 'notice', error: 'err', fault: 'crit' } as const;
  return (category, kind, text) => {
    queue.push(['-t', 'launchwarden', '-p', `daemon.${levels[kind]}`, '--', `${category}: ${text}`]);
    next();
  };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
