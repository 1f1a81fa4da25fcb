import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { managedMark, type Settings } from '../config/index.js';
import { mechanisms } from '../mechanisms/index.js';
import type { Rule } from '../rules/index.js';
import { changedKeys, isTakenUp, newlyWanted, type ReloadAnswer } from './reload.js';
import { type SelectedRules, selectRules } from './rules.js';

export interface ReloadingOptions {
  /** Of the start, and the rules that they ask for. */
  readonly settings: Settings;
  readonly rules: readonly Rule[];
  readonly log: Logger;
  /** Reads the whole configuration again. Rejects with a UserError when no agent would start with it. */
  readonly reread: (() => Promise<Settings>) | undefined;
  /** Puts rules in force. Throws when they cannot be; nothing is changed then. */
  replaceRules(selected: SelectedRules, settings: Settings): void;
  /** Takes up what else a running agent can. */
  takeUp(next: Settings): Promise<void>;
  /** What is on the disk is not put in force, for a reason that was not told before. */
  refused(reason: string): void;
}

/** Reads the configuration again and puts in force what a running agent can take up; says what it cannot. */
export class Reloading {
  readonly #options: ReloadingOptions;
  #settings: Settings;
  #rules: readonly Rule[];
  #managedMark: string;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #refused: string | undefined;
  #needRestart: readonly string[] = [];

  constructor(options: ReloadingOptions) {
    this.#options = options;
    const { settings, rules } = options;
    this.#settings = settings;
    this.#rules = rules;
    this.#managedMark = managedMark(settings.root, process.platform);
  }

  /** In force now: those of the start, with what could be taken up since. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Nothing is taken up any more. Resolves when no reload is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Why the configuration on the disk is not the one in force (null when it is), and what takes force at the next start. */
  status(): { readonly refused: string | null; readonly restart: readonly string[] } {
    return { refused: this.#refused ?? null, restart: this.#needRestart };
  }

  /** What of the configuration is not in force, one sentence each. */
  reasons(): string[] {
    const refused = this.#refused?.split('\n')[0];
    return [
      ...(refused === undefined ? [] : [`the configuration on the disk is refused: ${refused}`]),
      ...this.#settings.problems.map(({ message }) => message),
    ];
  }

  /** One reload after the other. Never rejects. */
  reload(): Promise<ReloadAnswer> {
    const done = this.#running.then(() => this.#readAgain());
    this.#running = done;
    return done;
  }

  /** To be called now and then: a profile may have come, changed or gone. */
  lookAtProfiles(): void {
    const mark = managedMark(this.#options.settings.root, process.platform);
    if (mark === this.#managedMark) return;
    this.#managedMark = mark;
    void this.reload();
  }

  async #readAgain(): Promise<ReloadAnswer> {
    if (this.#stopped)
      return { changed: [], restart: this.#needRestart, refused: 'the agent is about to end' };
    const { log, reread, replaceRules, takeUp } = this.#options;
    try {
      const before = this.#settings;
      const next = (await reread?.()) ?? before;
      const selected = selectRules(next);
      const changed = changedKeys(before, next).filter(isTakenUp);
      // May refuse: nothing else has been changed then.
      replaceRules(selected, next);
      this.#settings = next;
      this.#rules = selected.rules;
      await takeUp(next);
      this.#refused = undefined;
      this.#needRestart = this.#restartKeys();
      log.info(
        { changed, restart: this.#needRestart, rules: selected.rules.length },
        'configuration read again',
      );
      return { changed, restart: this.#needRestart, refused: null };
    } catch (error) {
      const reason = error instanceof UserError ? error.describe() : messageOf(error);
      if (this.#refused !== reason) this.#options.refused(reason);
      this.#refused = reason;
      log.error({ error: reason }, 'the configuration is refused: the one before stays in force');
      return { changed: [], restart: this.#needRestart, refused: reason };
    }
  }

  /** What differs from what the agent was started with, and is read at a start alone. */
  #restartKeys(): string[] {
    const { settings, rules } = this.#options;
    const keys = changedKeys(settings, this.#settings).filter((key) => !isTakenUp(key));
    const unseen = newlyWanted(rules, this.#rules, settings.watch.mechanisms ? mechanisms : []);
    return [...keys, ...unseen.map((what) => `rules: ${what}`)];
  }
}
