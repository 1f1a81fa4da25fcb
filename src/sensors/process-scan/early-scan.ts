import type { Clock } from '../../base/clock.js';
import { type LoadedAddon, loadAddon } from '../addon/index.js';
import { NativeProcessSource } from './native-source.js';
import { processScanDefaults } from './options.js';
import type { ProcessSource } from './source.js';

/**
 * The native scanner at work before there is anybody to tell: what starts while the agent compiles its rules and opens its
 * store waits in the scanner's own queue. Nothing where there is no addon or it refuses; the sensor then says why.
 */
export class EarlyScan {
  #source: ProcessSource | undefined;

  /** `loaded`: another addon, for tests. */
  constructor(clock: Clock, loaded: LoadedAddon = loadAddon()) {
    if (loaded.state !== 'loaded') return;
    const source = new NativeProcessSource(loaded.addon, processScanDefaults, clock);
    if (source.begin() === undefined) this.#source = source;
  }

  /** Nobody has taken the scanner. */
  get waits(): boolean {
    return this.#source !== undefined;
  }

  /** The scanner, once: who takes it starts it, gets all that it has seen, and stops it. */
  take(): ProcessSource | undefined {
    const source = this.#source;
    this.#source = undefined;
    return source;
  }

  /** Ends it unless somebody has taken it. */
  async stop(): Promise<void> {
    await this.take()?.stop();
  }
}
