import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Settings } from '../config/index.js';
import { openTargets, type Target } from '../forward/index.js';
import { Forwarding, type ForwardingOptions } from './forwarding.js';
import { sameForwarding } from './reload.js';

/** Destinations get so long to take what is left when the agent stops; launchd allows 20 s in all. */
const drainMs = 5_000;

/** Opens the destinations of settings that are, or are to be, in force. */
export function openDestinations(
  { clock, version, log }: { readonly clock: Clock; readonly version: string; readonly log: Logger },
  { destinations, root }: Settings,
): Promise<readonly Target[]> {
  return openTargets(destinations, { clock, log: log.child({ stage: 'forward' }), version, root });
}

export interface DestinationsOptions extends Omit<ForwardingOptions, 'settings' | 'targets'> {
  /** Of the start; they are open. */
  readonly settings: Settings;
  readonly targets: readonly Target[];
}

/** The destinations in force, and what goes to them; other settings open others, and nothing is lost between. */
export class Destinations {
  readonly #options: DestinationsOptions;
  #settings: Settings;
  #targets: readonly Target[];
  #forwarding: Forwarding;

  constructor(options: DestinationsOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#targets = options.targets;
    this.#forwarding = this.#forwardingTo(options.settings, options.targets);
  }

  /** What goes to those of now. */
  get forwarding(): Forwarding {
    return this.#forwarding;
  }

  /** Those that get alerts. */
  get names(): readonly string[] {
    return this.#forwarding.destinations;
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Why a destination does not take anything at present. */
  trouble(name: string): string | undefined {
    return this.#forwarding.forwarder.status().find((one) => one.name === name)?.reason ?? undefined;
  }

  start(): void {
    this.#forwarding.start();
  }

  /** The agent ends: they are told, and get a moment to take what is left. */
  async stop(): Promise<void> {
    await this.#forwarding.stop(drainMs, { last: true });
  }

  /** What comes meanwhile is queued for the new destinations. */
  async configure(next: Settings): Promise<void> {
    if (sameForwarding(this.#settings, next)) return;
    const before = this.#forwarding;
    this.#targets = await openDestinations(this.#options, next);
    this.#settings = next;
    this.#forwarding = this.#forwardingTo(next, this.#targets);
    await before.stop(drainMs);
    this.#forwarding.start();
  }

  #forwardingTo(settings: Settings, targets: readonly Target[]): Forwarding {
    const log = this.#options.log.child({ stage: 'forward' });
    return new Forwarding({ ...this.#options, settings, targets, log });
  }
}
