import { BoundedQueue } from '../base/bounded-queue.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Settings } from '../config/index.js';
import type { Alert } from '../event/alert.js';
import { automaticPlan, type Machine, type Plan, targetOfAlert } from '../respond/index.js';
import type { Store } from '../store/index.js';

export type AutomaticPolicy = Settings['respond']['automatic'][number];

/** What was decided about one alert. */
export interface Decision {
  readonly alert: Alert;
  readonly policy: AutomaticPolicy;
  /** Why nothing is done, for people: kept with the alert. */
  readonly why?: string;
  makePlan(machine: Machine): Promise<Plan>;
}

export interface AutomaticSettings {
  readonly policies: readonly AutomaticPolicy[];
  /** Responses by themselves within any hour. */
  readonly perHour: number;
}

export interface AutomaticOptions extends AutomaticSettings {
  readonly store: Pick<Store, 'alerts' | 'inventory' | 'versions'>;
  readonly clock: Clock;
  decided(decision: Decision): void;
}

/** An alert about an update of a known item, or under an exception, is closed within that time, milliseconds. */
const settleMs = 3_000;
const hourMs = 3_600_000;
const maxWaiting = 1_000;

/** Decides for each new alert whether something happens by itself. Does nothing itself. */
export class AutomaticResponses {
  readonly #options: AutomaticOptions;
  #settings: AutomaticSettings;
  readonly #waiting = new BoundedQueue<string>(maxWaiting);
  /** Steady times of responses. */
  #done: number[] = [];
  #timer: Timer | undefined;
  #limited = 0;

  constructor(options: AutomaticOptions) {
    this.#options = options;
    this.#settings = options;
  }

  /** What alerts that wait are decided by, too; what happened within the hour counts on. */
  configure(settings: AutomaticSettings): void {
    this.#settings = settings;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  status(): object {
    return { automatic: this.#settings.policies.length, automatic_limited: this.#limited };
  }

  committed(alerts: readonly Alert[]): void {
    if (this.#settings.policies.length === 0) return;
    for (const alert of alerts)
      if (alert.revision === 1 && this.#policyOf(alert) !== undefined) this.#waiting.push(alert.id);
    if (this.#waiting.length > 0)
      this.#timer ??= this.#options.clock.after(settleMs, () => this.#decideAll());
  }

  #policyOf({ ruleId, ruleName }: Alert): AutomaticPolicy | undefined {
    return this.#settings.policies.find(({ rule }) => rule === ruleId || rule === ruleName);
  }

  #decideAll(): void {
    this.#timer = undefined;
    for (let id = this.#waiting.shift(); id !== undefined; id = this.#waiting.shift()) this.#decide(id);
  }

  #decide(id: string): void {
    const { store, decided, clock } = this.#options;
    const { perHour } = this.#settings;
    const alert = store.alerts.get(id);
    const policy = alert && this.#policyOf(alert);
    if (alert === undefined || policy === undefined || alert.status === 'closed') return;
    const makePlan = (machine: Machine) =>
      automaticPlan(
        targetOfAlert(alert, store),
        policy.action === 'boot-out' ? 'boot-out' : 'quarantine',
        machine,
      );
    const no = (why: string) => decided({ alert, policy, why, makePlan });
    if (policy.action === 'notify') {
      no('automatic response: this rule notifies only');
      return;
    }
    const now = clock.monotonic();
    this.#done = this.#done.filter((time) => now - time < hourMs);
    if (!policy.shadow && this.#done.length >= perHour) {
      this.#limited++;
      no(
        `automatic response (${policy.action}): left to a person, since ${perHour} within an hour is the limit (respond.per_hour)`,
      );
      return;
    }
    if (!policy.shadow) this.#done.push(now);
    decided({ alert, policy, makePlan });
  }
}
