import type * as v from 'valibot';
import type { Clock, Timer } from '../../base/clock.js';
import { UserError } from '../../base/errors.js';
import { escapeText } from '../../base/escape.js';
import { RootMap } from '../../base/root.js';
import type { EcsDocument } from '../../event/document.js';
import type { Severity } from '../../event/rule-meta.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { consoleUser, show, whyNoDesktop } from './desktop.js';
import type { notificationOptions } from './options.js';
import { isAtLeast, sentenceOf } from './sentence.js';

export type NotificationOptions = v.InferOutput<typeof notificationOptions>;

const windowMs = 600_000;
/** Somebody may log in meanwhile. */
const nobodyMs = 30_000;
/** Alerts that were told of: their revisions are told again only when they are worse. */
const maxTold = 4_096;

export interface NotificationContext {
  readonly clock: Clock;
  /** The tree of `--root`. */
  readonly root?: string | undefined;
  readonly platform?: NodeJS.Platform;
}

/**
 * Tells the user in front of the screen about alerts, one sentence each, for a Mac without a SIEM. What is beyond the rate is
 * counted and told in one sentence. While nobody is logged in alerts wait. Raw events and word about the agent are for
 * machines and passed over.
 */
export class NotificationDestination implements Destination {
  readonly name: string;
  readonly type = 'notification';
  readonly network = false;
  readonly limits = { maxItems: 20, maxBytes: 1024 * 1024 };
  readonly #options: NotificationOptions;
  readonly #clock: Clock;
  readonly #root: RootMap;
  /** By the id of the alert, the level that was told. */
  readonly #told = new Map<string, Severity>();
  /** Steady milliseconds of the newest notifications. */
  #shown: number[] = [];
  /** Alerts beyond the rate. */
  #more = 0;
  #timer: Timer | undefined;
  readonly #stop = new AbortController();

  private constructor(name: string, options: NotificationOptions, context: NotificationContext) {
    this.name = name;
    this.#options = options;
    this.#clock = context.clock;
    this.#root = new RootMap(context.root);
  }

  /** Throws a UserError where there is no desktop of macOS. */
  static open(
    name: string,
    options: NotificationOptions,
    context: NotificationContext,
  ): NotificationDestination {
    const why = whyNoDesktop(new RootMap(context.root), context.platform ?? process.platform);
    if (why !== undefined)
      throw new UserError('forward/no-desktop', `destination "${name}" can show nothing here: ${why}`, {
        hint: 'Take this [[destination]] out of the configuration, or run the agent on a Mac.',
      });
    return new NotificationDestination(name, options, context);
  }

  async send(items: readonly OutboxItem[], signal: AbortSignal): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = [];
    let failed: Verdict | undefined;
    for (const item of items) {
      failed ??= await this.#tell(item, signal);
      verdicts.push(failed ?? { kind: 'delivered' });
    }
    return verdicts;
  }

  async probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }> {
    const uid = consoleUser(this.#root);
    if (uid === undefined) return { ok: false, detail: 'nobody is logged in at the screen' };
    const failed = await this.#show('This is a test: launchwarden can show notifications here.', uid, signal);
    return failed === undefined
      ? { ok: true, detail: `a notification was handed to the session of user ${uid}` }
      : { ok: false, detail: failed };
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#stop.abort();
  }

  /** Undefined when it was told, or is not for people. */
  async #tell(item: OutboxItem, signal: AbortSignal): Promise<Verdict | undefined> {
    const doc = item.lane === 'alert' ? documentOf(item.body) : undefined;
    if (doc === undefined || doc.labels?.['launchwarden_canary'] === true) return undefined;
    const { level, text } = sentenceOf(doc, item.id);
    const before = this.#told.get(item.id);
    if (before !== undefined && isAtLeast(before, level)) return undefined;
    if (!isAtLeast(level, this.#options.least)) return undefined;
    if (this.#isFull()) {
      this.#remember(item.id, level);
      this.#more++;
      this.#tellMoreLater();
      return undefined;
    }
    const uid = consoleUser(this.#root);
    if (uid === undefined)
      return { kind: 'retry', reason: 'nobody is logged in at the screen', afterMs: nobodyMs };
    const failed = await this.#show(text, uid, signal);
    if (failed !== undefined) return { kind: 'retry', reason: failed };
    this.#remember(item.id, level);
    return undefined;
  }

  #isFull(): boolean {
    const since = this.#clock.monotonic() - windowMs;
    this.#shown = this.#shown.filter((time) => time > since);
    return this.#shown.length >= this.#options.most;
  }

  /** Once there is room for one more. */
  #tellMoreLater(): void {
    const [oldest = this.#clock.monotonic()] = this.#shown;
    const wait = Math.max(1, oldest + windowMs - this.#clock.monotonic());
    this.#timer ??= this.#clock.after(wait, () => {
      this.#timer = undefined;
      const count = this.#more;
      const uid = consoleUser(this.#root);
      if (count === 0) return;
      if (uid === undefined || this.#isFull()) {
        this.#tellMoreLater();
        return;
      }
      this.#more = 0;
      const what = count === 1 ? 'One more alert' : `${count} more alerts`;
      void this.#show(`${what}: see "launchwarden alerts list".`, uid, this.#stop.signal);
    });
  }

  async #show(text: string, uid: number, signal: AbortSignal): Promise<string | undefined> {
    const failed = await show(text, uid, { root: this.#root, timeoutMs: this.#options.timeout, signal });
    if (failed === undefined) this.#shown.push(this.#clock.monotonic());
    return failed === undefined ? undefined : escapeText(failed);
  }

  #remember(id: string, level: Severity): void {
    this.#told.set(id, level);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= maxTold) return;
      this.#told.delete(oldest);
    }
  }
}

function documentOf(body: string): EcsDocument | undefined {
  try {
    return JSON.parse(body) as EcsDocument;
  } catch {
    return undefined;
  }
}
