import type { Clock, Timer } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import type { Settings } from '../config/index.js';
import { type Alert, agentAuthor } from '../event/alert.js';
import type { Event } from '../event/event.js';
import {
  allResponses,
  doesText,
  Engine,
  isIsolating,
  keepIsolated,
  lockResponses,
  type Machine,
  noteText,
  type Outcome,
  type Plan,
  type Response,
  rehearse,
  stageOf,
  type Told,
} from '../respond/index.js';
import type { Store } from '../store/index.js';
import { AutomaticResponses, type AutomaticSettings, type Decision } from './automatic.js';
import type { ControlHandlers } from './control.js';
import { Reinfection } from './reinfection.js';
import { openMachine } from './respond-machine.js';
import { applyWatch, watchesOf, watchOp } from './response-watch.js';
import { tellStory } from './triage.js';

/** Requests on the control socket. An object of ours is about to appear: nobody is to take it for another's. */
export const placedOp = 'respond.placed';
/** A result of a response that is about no alert: the destinations are told by a document of its own. */
export const saidOp = 'respond.said';
/** A response was carried out or undone: what has to be kept up or ended in time is read anew. */
export const changedOp = 'respond.changed';

/** Waited for whoever else responds, milliseconds. */
const lockWaitMs = 30_000;
/** How often is looked whether an isolation ends, and is still in force, milliseconds. */
const isolationMs = 5_000;
const maxText = 16 * 1024;

export interface RespondingOptions {
  readonly settings: Pick<Settings, 'dataDir' | 'respond'>;
  readonly store: Store;
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  readonly scopePid: number | undefined;
  readonly destinations: readonly string[];
  /** Whether a rule of that id or name runs. */
  runs(rule: string): boolean;
  /** Called when an alert was revised. */
  revised(): void;
  /** Tells the destinations what is about no alert. */
  said(author: string, text: string): void;
}

/** The agent's part of responses: what comes back, what happens by itself, and what a crash has cut off. */
export class Responding {
  readonly #options: RespondingOptions;
  readonly #machine: Machine;
  readonly #engine: Engine;
  readonly #reinfection: Reinfection;
  readonly #automatic: AutomaticResponses;
  /** One after the other, behind everything else. */
  #queue: Promise<void> = Promise.resolve();
  #isolation: Timer | undefined;
  #isolationBusy = false;
  #stopped = false;

  constructor(options: RespondingOptions) {
    this.#options = options;
    const { settings, store, root, clock, log, scopePid, revised } = options;
    this.#reinfection = new Reinfection({
      ...{ store, clock, log, revised },
      get destinations() {
        return options.destinations;
      },
    });
    this.#machine = openMachine({
      root,
      clock,
      dataDir: settings.dataDir,
      store,
      scopePid,
      willPlace: async (path, ino) => this.#reinfection.placed(path, ino),
    });
    this.#engine = new Engine({ machine: this.#machine, tell: async (told) => this.#tell(told) });
    this.#automatic = new AutomaticResponses({
      ...automaticSettings(settings.respond),
      store,
      clock,
      decided: (decision) => this.#then(() => this.#carryOut(decision)),
    });
  }

  /** Finishes what was cut off, and arms what was not armed yet. */
  start(): void {
    this.#sayMissing(this.#options.settings.respond);
    this.#reinfection.load();
    this.#then(() => this.#recover());
  }

  /** What happens by itself from now on. What isolates is asked about these settings by whoever isolates. */
  configure(respond: Settings['respond']): void {
    this.#automatic.configure(automaticSettings(respond));
    this.#sayMissing(respond);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#isolation?.cancel();
    this.#automatic.stop();
    await this.#queue;
  }

  observed(events: readonly Event[]): void {
    this.#reinfection.observed(events);
  }

  committed(alerts: readonly Alert[]): void {
    this.#reinfection.committed(alerts);
    this.#automatic.committed(alerts);
  }

  status(): object {
    return {
      watches: this.#reinfection.armed,
      isolated: this.#isolation !== undefined,
      ...this.#automatic.status(),
    };
  }

  handlers(): ControlHandlers {
    return {
      [watchOp]: (args) => {
        const done = applyWatch(this.#options.store, args, this.#options.clock.now());
        this.#reinfection.load();
        return done;
      },
      [placedOp]: (args) => {
        const { path, ino } = (args ?? {}) as Record<string, unknown>;
        if (typeof path !== 'string' || typeof ino !== 'string') throw badRequest();
        this.#reinfection.placed(path, ino);
        return { done: true };
      },
      [saidOp]: (args) => {
        const { author, text } = (args ?? {}) as Record<string, unknown>;
        if (typeof author !== 'string' || typeof text !== 'string' || text.length > maxText)
          throw badRequest();
        this.#options.said(author.slice(0, 200), text);
        return { done: true };
      },
      [changedOp]: () => {
        this.#watchIsolation(allResponses(this.#options.settings.dataDir));
        return { done: true };
      },
    };
  }

  #sayMissing({ automatic }: Settings['respond']): void {
    const { runs, log } = this.#options;
    for (const { rule } of automatic)
      if (!runs(rule)) log.warn({ rule }, 'an automatic response names a rule that does not run here');
  }

  #then(run: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#stopped) return;
      try {
        await run();
      } catch (error) {
        this.#options.log.error({ error: messageOf(error) }, 'a response failed');
      }
    });
  }

  async #locked<T>(run: () => Promise<T>): Promise<T> {
    const lock = await lockResponses(this.#options.settings.dataDir, lockWaitMs);
    try {
      return await run();
    } finally {
      lock.release();
    }
  }

  async #recover(): Promise<void> {
    const { settings, log, store, clock } = this.#options;
    let responses = allResponses(settings.dataDir);
    if (responses.length === 0) return;
    await this.#locked(async () => {
      // What was under way may have ended while somebody else held the lock.
      responses = allResponses(settings.dataDir);
      for (const response of responses) {
        if (response.state === 'running' || response.state === 'undoing')
          log.warn({ response: response.id }, 'a response was cut off: it is finished');
        await this.#engine.recover(response);
        await this.#engine.tellRest(response.id);
      }
    });
    responses = allResponses(settings.dataDir);
    for (const response of responses) {
      if (response.state === 'done' || response.state === 'failed')
        store.reinfection.arm(watchesOf(response).arm, clock.now());
      else store.reinfection.disarm(response.id);
    }
    this.#reinfection.load();
    this.#watchIsolation(responses);
  }

  /** While the host is isolated it is looked whether it still is, and whether that is to end. */
  #watchIsolation(responses: readonly Response[]): void {
    const isolating = responses.some(isIsolating);
    if (isolating) this.#isolation ??= this.#options.clock.every(isolationMs, () => this.#keepIsolation());
    else {
      this.#isolation?.cancel();
      this.#isolation = undefined;
    }
  }

  #keepIsolation(): void {
    if (this.#isolationBusy) return;
    this.#isolationBusy = true;
    this.#then(async () => {
      try {
        const { settings, log } = this.#options;
        for (const response of allResponses(settings.dataDir).filter(isIsolating)) {
          const amended = (index: number, outcome: Outcome) =>
            this.#engine.amend(response.id, index, outcome);
          if (await keepIsolated(response, this.#machine, amended)) continue;
          log.warn({ response: response.id }, 'the time of an isolation is over: it is lifted');
          await this.#locked(() => this.#engine.undo(response, { author: agentAuthor, automatic: true }));
        }
        this.#watchIsolation(allResponses(settings.dataDir));
      } finally {
        this.#isolationBusy = false;
      }
    });
  }

  async #carryOut({ alert, policy, why, makePlan }: Decision): Promise<void> {
    const { log } = this.#options;
    if (why !== undefined) return this.#note(alert, why);
    let plan: Plan;
    try {
      plan = await makePlan(this.#machine);
    } catch (error) {
      return this.#note(alert, `automatic response (${policy.action}): not possible: ${messageOf(error)}`);
    }
    if (policy.shadow) {
      const outcomes = await rehearse(plan, this.#machine);
      const steps = plan.steps.map(
        (step, index) =>
          `${doesText(step)} (${outcomes[index]?.state ?? '?'}: ${outcomes[index]?.says ?? ''})`,
      );
      this.#note(
        alert,
        `automatic response (${policy.action}, shadow mode): would ${steps.join('; ') || 'do nothing'}`,
      );
      return;
    }
    if (!this.#machine.root.simulated && process.geteuid?.() !== 0)
      return this.#note(alert, `automatic response (${policy.action}): the agent does not run as root`);
    log.warn({ alert: alert.id, action: policy.action }, 'automatic response');
    await this.#locked(async () => {
      const response = await this.#engine.run(plan, { author: agentAuthor, automatic: true });
      this.#options.store.reinfection.arm(watchesOf(response).arm, this.#options.clock.now());
      this.#reinfection.load();
    });
  }

  #tell(told: Told): void {
    const text = noteText(told);
    const { alert, author } = told.response;
    if (alert === undefined) this.#options.said(author, text);
    else {
      const { store, destinations, revised } = this.#options;
      const value = stageOf(told);
      const change = {
        author: agentAuthor,
        action: 'response',
        text,
        ...(value === undefined ? {} : { value }),
      } as const;
      const done = store.alerts.change(alert, change, destinations);
      if (done !== undefined) tellStory(store, done.alert, change);
      revised();
    }
  }

  #note({ id }: Pick<Alert, 'id'>, text: string): void {
    const { store, destinations, revised } = this.#options;
    store.alerts.change(id, { author: agentAuthor, action: 'response', text }, destinations);
    revised();
  }
}

function automaticSettings({ automatic, perHour }: Settings['respond']): AutomaticSettings {
  return { policies: automatic, perHour };
}

function badRequest(): UserError {
  return new UserError('respond/bad-request', 'not a request about a response');
}
