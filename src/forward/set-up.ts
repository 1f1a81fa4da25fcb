import { stat } from 'node:fs/promises';
import type { Clock } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import { escapeText } from '../base/escape.js';
import { type Backoff, backoffMs } from './backoff.js';
import type { Destination, OutboxItem, Verdict } from './destination.js';
import type { DestinationOptions } from './options.js';

/** Setting a destination up (a module, a keychain) may take so long, milliseconds. */
const setUpMs = 30_000;
const setUpBackoff: Backoff = { baseMs: 5_000, capMs: 60_000 };
/** A destination that is not set up yet takes as much as any. */
const unknownLimits = { maxItems: 100, maxBytes: 1024 * 1024 };

/** The files that a destination's options name: certificates, keys, roots, secrets, a module. */
export function filesOf(options: DestinationOptions): string[] {
  const files = new Set<string>();
  const visit = (value: unknown, depth: number) => {
    if (typeof value === 'string' && value.startsWith('file:/')) files.add(value.slice('file:'.length));
    if (typeof value !== 'object' || value === null || depth > 8) return;
    for (const one of Object.values(value)) visit(one, depth + 1);
  };
  visit(options, 0);
  if ('tls' in options && typeof options.tls === 'object') {
    const { ca, cert, key } = options.tls;
    for (const file of [ca === 'system' ? undefined : ca, cert, key]) if (file !== undefined) files.add(file);
  }
  if (options.type === 'module') files.add(options.path);
  return [...files];
}

/** What tells one state of the files from another. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    try {
      const { ino, size, mtimeNs, ctimeNs, mode, uid } = await stat(file, { bigint: true });
      return [ino, size, mtimeNs, ctimeNs, mode, uid].join(' ');
    } catch (error) {
      return messageOf(error);
    }
  });
  return (await Promise.all(states)).join('\n');
}

export interface SetUpOptions {
  readonly name: string;
  readonly type: string;
  /** Whether it is across a network, as long as it does not say so itself. */
  readonly network: boolean;
  /** Watched: when one changes the destination is opened again. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly random?: () => number;
  /** `attempt` counts from 0. Rejects with why it cannot be opened. */
  open(attempt: number): Promise<Destination>;
}

/**
 * A destination of the configuration, whether it can be set up or not. It is opened when it is first needed. One that
 * cannot be opened is parked: it says why, and is tried again from time to time and when a file that it names changed. An
 * open one is opened anew when such a file changed, or when its receiver refused the handshake or the credentials; until
 * that succeeds the old one serves.
 */
export class SetUpDestination implements Destination {
  readonly name: string;
  readonly type: string;
  readonly #options: SetUpOptions;
  #inner: Destination | undefined;
  #opening: Promise<void> | undefined;
  #attempt = 0;
  #fails = 0;
  #stale = false;
  #closed = false;
  #reason: string | undefined;
  /** Steady milliseconds before which it is not tried again. */
  #nextTry = Number.NEGATIVE_INFINITY;
  #files: string | undefined;

  constructor(options: SetUpOptions) {
    this.name = options.name;
    this.type = options.type;
    this.#options = options;
  }

  get network(): boolean {
    return this.#inner?.network ?? this.#options.network;
  }

  get clockSkewMs(): number | undefined {
    return this.#inner?.clockSkewMs;
  }

  get limits(): Destination['limits'] {
    return this.#inner?.limits ?? unknownLimits;
  }

  /** One stream a lane, unless the destination behind it knows better. */
  get stream(): ((item: OutboxItem) => string) | undefined {
    const inner = this.#inner;
    return inner?.stream === undefined ? undefined : (item) => inner.stream?.(item) ?? item.lane;
  }

  async setUp(): Promise<{ reason: string; retryInMs: number } | undefined> {
    const { clock } = this.#options;
    if (this.#inner !== undefined && !this.#stale) return undefined;
    if (this.#opening !== undefined || clock.monotonic() >= this.#nextTry) {
      this.#opening ??= this.#open();
      await this.#patiently(this.#opening);
    }
    if (this.#inner !== undefined) return undefined;
    const late = `it was not ready after ${setUpMs / 1000} s`;
    const retryInMs = Math.max(1_000, this.#nextTry - clock.monotonic());
    return { reason: this.#reason ?? late, retryInMs };
  }

  retrySetUp(): void {
    this.#nextTry = Number.NEGATIVE_INFINITY;
  }

  /** True when a file that it names changed: it is to be set up again, now. */
  async changed(): Promise<boolean> {
    const { files } = this.#options;
    if (files.length === 0 || this.#files === undefined) return false;
    const state = await stateOf(files);
    if (state === this.#files) return false;
    this.#files = state;
    this.#stale = true;
    this.retrySetUp();
    return true;
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const inner = this.#inner;
    if (inner === undefined) throw new Error(this.#reason ?? 'it is not set up');
    const verdicts = await inner.send(items, signal);
    const outdated = (verdict: Verdict | undefined) =>
      (verdict?.kind === 'retry' && verdict.reopen === true) ||
      (verdict?.kind === 'pause' && verdict.cause === 'auth');
    if (Array.isArray(verdicts) && verdicts.some(outdated)) {
      this.#stale = true;
      this.retrySetUp();
    }
    return verdicts;
  }

  async probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }> {
    const parked = await this.setUp();
    if (this.#inner === undefined) return { ok: false, detail: parked?.reason ?? 'it is not set up' };
    return this.#inner.probe(signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#inner?.close();
  }

  async #open(): Promise<void> {
    const { clock, files, open, random = Math.random } = this.#options;
    try {
      // Before it is opened: what changes meanwhile is seen as a change.
      this.#files = await stateOf(files);
      const made = await open(this.#attempt++);
      const old = this.#inner;
      this.#inner = made;
      this.#reason = undefined;
      this.#fails = 0;
      await (this.#closed ? made : old)?.close().catch(() => undefined);
    } catch (error) {
      this.#fails++;
      this.#reason = reasonOf(error);
      this.#nextTry = clock.monotonic() + backoffMs(this.#fails, setUpBackoff, random);
    } finally {
      // One that could not be opened anew serves as it is, until a file changes or it fails again.
      this.#stale = false;
      this.#opening = undefined;
    }
  }

  #patiently(opening: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(setUpMs, resolve);
      opening.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function reasonOf(error: unknown): string {
  const hint = error instanceof UserError && error.hint !== undefined ? `. ${error.hint}` : '';
  return escapeText(`${messageOf(error)}${hint}`).slice(0, 1000);
}
