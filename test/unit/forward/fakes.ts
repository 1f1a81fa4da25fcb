import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import type { Destination, OutboxItem, Verdict } from '../../../src/forward/index.js';

export { target, wideCaps } from '../../helpers/targets.js';

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-forward-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A destination that answers what the test says and remembers every request. */
export class ScriptedDestination implements Destination {
  readonly type = 'scripted';
  readonly requests: OutboxItem[][] = [];
  closed = false;
  answer: (
    items: readonly OutboxItem[],
    signal: AbortSignal,
  ) => readonly Verdict[] | Promise<readonly Verdict[]>;

  readonly name: string;
  readonly limits: { maxItems: number; maxBytes: number };
  readonly network: boolean;

  constructor(name: string, limits = { maxItems: 100, maxBytes: 1e6 }, network = false) {
    this.name = name;
    this.limits = limits;
    this.network = network;
    this.answer = (items) => items.map(() => ({ kind: 'delivered' }));
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    this.requests.push([...items]);
    return this.answer(items, signal);
  }

  async probe() {
    return { ok: true, detail: 'scripted' };
  }

  async close() {
    this.closed = true;
  }

  get ids(): string[] {
    return this.requests.flatMap((items) => items.map(({ id }) => id));
  }
}

/** Waits until `holds` is true; fails the test after `limitMs`. */
export async function until(holds: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const end = systemClock.monotonic() + limitMs;
  while (!holds()) {
    if (systemClock.monotonic() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const delivered: Verdict = { kind: 'delivered' };
