import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import type { Gap, SensorKind } from '../event/event.js';
import type { Exception, Rule } from '../rules/index.js';
import type { Store } from '../store/index.js';
import { sameRules } from './reload.js';
import { logParked, mutedRules, type SelectedRules } from './rules.js';
import { rulesGone } from './rules-gone.js';
import { type SwitchedOff, SwitchedOffWatch } from './switched-off.js';

/** So many rules are named in one line of the log. */
const namedRules = 10;

export interface RunningRulesOptions {
  /** Of the start. */
  readonly selected: SelectedRules;
  readonly settings: Settings['rules'];
  /** Whether the folders are watched in which something can persist. */
  readonly mechanisms: boolean;
  readonly store: Pick<Store, 'meta'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The sensors that run. */
  kinds(): readonly SensorKind[];
  /** Other rules are to detect from now on. Throws when they cannot; nothing is changed then. */
  replaced(rules: readonly Rule[]): void;
  gap(gap: Gap): void;
}

/** The rules in force, and which of them are off because the running sensors cannot serve them. */
export class RunningRules {
  readonly #options: RunningRulesOptions;
  readonly #off = new SwitchedOffWatch();
  #selected: SelectedRules;
  #settings: Settings['rules'];
  /** Imported rules that the running sensors cannot serve, by id, with the reasons. */
  #muted: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(options: RunningRulesOptions) {
    this.#options = options;
    this.#selected = options.selected;
    this.#settings = options.settings;
  }

  get all(): readonly Rule[] {
    return this.#selected.rules;
  }

  get selected(): SelectedRules {
    return this.#selected;
  }

  get muted(): ReadonlyMap<string, readonly string[]> {
    return this.#muted;
  }

  /** How many rule files are passed over. */
  get passedOver(): number {
    return new Set(this.#selected.passedOver.map(({ file }) => file)).size;
  }

  /** What of the detection is off by somebody's will: by the settings, or by exceptions. */
  switchedOff(exceptions: readonly Exception[]): SwitchedOff {
    const now = this.#options.clock.now();
    return this.#off.judge({ selected: this.#selected, exceptions, muted: this.#muted, now });
  }

  /** Why a rule does not alert here; undefined of one that does. */
  trouble(id: string): string | undefined {
    if (!this.all.some(({ meta }) => meta.id === id)) return 'it is switched off or missing';
    return this.#muted.get(id)?.join('; ');
  }

  /** Puts other rules in force. Throws when they cannot be; nothing is changed then. */
  replace(selected: SelectedRules, settings: Settings['rules']): void {
    const { replaced, clock, log } = this.#options;
    if (!sameRules(this.all, selected.rules)) replaced(selected.rules);
    this.#selected = selected;
    this.#settings = settings;
    this.tellGone(clock.now());
    logParked(selected.parked, log);
    this.mute();
  }

  /** To be called when other sensors run than before. */
  mute(): void {
    const { kinds, mechanisms, log } = this.#options;
    const before = this.#muted;
    this.#muted = mutedRules(this.all, this.#settings, kinds(), mechanisms);
    const names = (of: (id: string) => boolean) =>
      this.all.filter(({ meta }) => of(meta.id)).map(({ meta }) => meta.name);
    const off = names((id) => this.#muted.has(id) && !before.has(id));
    const on = names((id) => !this.#muted.has(id) && before.has(id));
    // One line however many they are: `coverage --degraded` has the reasons of each.
    if (off.length > 0)
      log.info(
        { count: off.length, rules: off.slice(0, namedRules) },
        'imported rules are degraded here, and off: see "launchwarden coverage --degraded"',
      );
    if (on.length > 0)
      log.info({ count: on.length, rules: on.slice(0, namedRules) }, 'imported rules are on again');
  }

  /** Tells of rules that ran `before` and do not run any more, and remembers those that run. */
  tellGone(before: Micros): void {
    const { store, clock, log, gap } = this.#options;
    try {
      const running = new Map(this.all.map(({ meta }) => [meta.id, meta.name]));
      const found = rulesGone(store, running, { before, now: clock.now() });
      if (found !== undefined) gap(found);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'which rules run could not be stored');
    }
  }
}
