import { closeSync, constants, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';
import type { RootMap } from '../base/root.js';
import { formatMicros } from '../base/time.js';
import { runTool } from '../base/tool.js';
import { canaryLabelPrefix } from '../event/canary.js';
import { Journal, type Undo } from '../prove/journal.js';
import { launchctl } from '../prove/launch-job.js';
import { type Recovered, recoverIn } from '../prove/recover.js';
import { byHand, undoOne } from '../prove/undo.js';
import type { CanaryItem } from './item.js';
import {
  type CanaryBegun,
  type CanaryEnd,
  type CanaryEnded,
  type CanaryProgress,
  canaryOps,
} from './protocol.js';
import { type CanaryLink, type CanaryResult, type CanaryStep, countedFrom } from './result.js';

const runLimitMs = 20_000;
const mostBytes = 1024 * 1024;
const pollMs = 100;
/**
 * A launchctl that no sensor saw within that time is run again, milliseconds, after a growing pause and as long as there is
 * time: a scan can miss a short life, and on a busy machine many of them.
 */
const loadAgainMs = 4_000;
const longestPauseMs = 15_000;

/** A step that may be shown at once. */
export type OnStep = (step: CanaryStep) => void;

export interface CanaryOptions {
  readonly dataDir: string;
  readonly root: RootMap;
  readonly clock: Clock;
  /** Of this process. */
  readonly uid: number;
  /** How long the chain may take, milliseconds. */
  readonly timeoutMs: number;
  /** Asks the agent; undefined when none runs. */
  ask(op: string, args: unknown): Promise<{ readonly result: unknown } | undefined>;
  readonly signal: AbortSignal;
  readonly onStep?: OnStep;
  /** What a killed run had left and was cleaned up. */
  readonly onCleaned?: (line: string) => void;
}

const owner = { command: 'canary', labelPrefix: canaryLabelPrefix };
const folderOf = (dataDir: string) => path.join(dataDir, 'canary');

type Run = (program: string, args: readonly string[]) => ReturnType<typeof runTool>;

function runner(root: RootMap, signal = new AbortController().signal): Run {
  return (program, args) => runTool(root.toHost(program), args, { timeoutMs: runLimitMs, mostBytes, signal });
}

/** Takes away what a run that was killed has left. Throws `canary/running` while it still runs. */
export async function cleanUpCanary(dataDir: string, root: RootMap): Promise<Recovered> {
  return await recoverIn(folderOf(dataDir), root, owner);
}

/**
 * Runs the canary once, from the written item to what each destination acknowledged, and takes the item away again.
 * Rejects with a UserError when it cannot be begun (no agent, another run, an unsafe journal); else the result says which
 * link broke. Undefined when no agent runs.
 */
export async function runCanary(options: CanaryOptions): Promise<CanaryResult | undefined> {
  const { dataDir, root, ask, onCleaned } = options;
  const { undone, left } = await cleanUpCanary(dataDir, root);
  for (const line of [...undone, ...left]) onCleaned?.(line);
  const begun = await ask(canaryOps.begin, undefined);
  if (begun === undefined) return undefined;
  const { item } = begun.result as CanaryBegun;
  const journal = new Journal(folderOf(dataDir), owner);
  try {
    const own = await new Flight(options, item, journal).fly();
    const end: CanaryEnd = { label: item.label, steps: own, aborted: options.signal.aborted };
    const ended = await ask(canaryOps.end, end);
    if (ended === undefined) throw agentGone();
    const { result } = ended.result as CanaryEnded;
    for (const step of result.steps) if (!step.ok) options.onStep?.(step);
    return result;
  } finally {
    journal.close();
  }
}

function agentGone(): UserError {
  return new UserError('canary/agent-gone', 'the agent ended while the canary was under way', {
    hint: 'The canary was taken away again. Look at the log of the agent, and run it again.',
  });
}

/** One run: what this process does to the machine, and what it waits for. */
class Flight {
  readonly #options: CanaryOptions;
  readonly #item: CanaryItem;
  readonly #journal: Journal;
  readonly #deeds: { readonly id: number; readonly undo: Undo }[] = [];
  readonly #steps: CanaryStep[] = [];
  readonly #shown = new Set<string>();
  /** ISO 8601. */
  #written: string | undefined;

  constructor(options: CanaryOptions, item: CanaryItem, journal: Journal) {
    this.#options = options;
    this.#item = item;
    this.#journal = journal;
  }

  /** The steps `written`, `loaded` and `removed`. */
  async fly(): Promise<readonly CanaryStep[]> {
    try {
      if (this.#write() && (await this.#load())) await this.#wait();
    } finally {
      await this.#remove();
    }
    return this.#steps;
  }

  get #file(): string {
    return this.#options.root.toHost(this.#item.path);
  }

  get #domain(): string {
    return this.#item.kind === 'daemon' ? 'system' : `gui/${this.#options.uid}`;
  }

  #write(): boolean {
    const { label, content, path: macPath } = this.#item;
    const draft = path.join(folderOf(this.#options.dataDir), `${label}.plist`);
    try {
      this.#will({ kind: 'file', path: this.#file });
      this.#will({ kind: 'file', path: draft });
      writeNew(draft, content);
      // One rename: nobody sees it half written.
      try {
        renameSync(draft, this.#file);
      } catch (error) {
        if (errnoOf(error) !== 'EXDEV') throw error;
        writeNew(this.#file, content);
      }
      this.#done('written', macPath);
      return true;
    } catch (error) {
      if (error instanceof UserError) throw error;
      const denied = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
      this.#fail('written', `${macPath}: ${reasonOf(error)}`, {
        cure: denied
          ? 'use sudo, so that the agent and this command may write there'
          : `see to it that ${path.posix.dirname(macPath)} is there and may be written`,
      });
      return false;
    }
  }

  async #load(): Promise<boolean> {
    const domain = this.#domain;
    const { label } = this.#item;
    this.#will({
      kind: 'job',
      file: this.#file,
      label,
      ...(domain === 'system' ? {} : { domain }),
    });
    const { status, stderr } = await this.#launch();
    if (status === 0) {
      this.#done('loaded', domain);
      return true;
    }
    const said = stderr.trim().split('\n').at(-1) ?? '';
    this.#fail('loaded', `launchctl ended with ${status ?? 'no status'}${said === '' ? '' : `: ${said}`}`, {
      cure:
        domain === 'system'
          ? `look at "launchctl print ${domain}", and at what macOS says of background items`
          : 'log in at the screen of this Mac, or run the agent and this command as root',
    });
    return false;
  }

  /** The verb that the source rule of the folder asks for. */
  #launch(): ReturnType<typeof runTool> {
    const run = runner(this.#options.root, this.#options.signal);
    return this.#item.kind === 'daemon'
      ? run(launchctl, ['bootstrap', 'system', this.#file])
      : run(launchctl, ['load', this.#file]);
  }

  async #wait(): Promise<void> {
    const { clock, timeoutMs, ask, signal } = this.#options;
    const end = clock.monotonic() + timeoutMs;
    let loads = 1;
    let loadAt = clock.monotonic();
    while (!signal.aborted) {
      const answer = await ask(canaryOps.progress, { label: this.#item.label });
      if (answer === undefined) throw agentGone();
      const { steps, complete, loadSeen } = answer.result as CanaryProgress;
      for (const step of steps) this.#show(step);
      const now = clock.monotonic();
      if (complete || now >= end) return;
      if (!loadSeen && now - loadAt >= Math.min(loads * loadAgainMs, longestPauseMs)) {
        loads++;
        await runner(this.#options.root)(launchctl, ['bootout', this.#domain, this.#file]);
        await this.#launch();
        loadAt = clock.monotonic();
      }
      await pause(pollMs, undefined, { signal }).catch(() => {});
    }
  }

  /** The newest first; it is done whatever happened before. */
  async #remove(): Promise<void> {
    if (this.#deeds.length === 0) return;
    const run = runner(this.#options.root);
    const left: string[] = [];
    for (const { id, undo } of this.#deeds.reverse()) {
      const trouble = await undoOne(undo, run);
      if (trouble === undefined) this.#journal.done(id);
      else left.push(`${byHand(undo)}: ${trouble}`);
    }
    if (left.length === 0) this.#done('removed');
    else this.#fail('removed', left.join('; '), { cure: 'do that by hand' });
  }

  #will(undo: Undo): void {
    this.#deeds.push({ id: this.#journal.add(undo), undo });
  }

  #done(link: CanaryLink, detail?: string): void {
    const now = this.#options.clock.now();
    const at = formatMicros(now);
    this.#written ??= at;
    this.#add({
      link,
      ok: true,
      at,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #fail(link: CanaryLink, detail: string, { cure }: { readonly cure: string }): void {
    this.#add({ link, ok: false, detail: detail.slice(0, 500), cure });
  }

  #add(step: CanaryStep): void {
    this.#steps.push(countedFrom(this.#written, step));
    if (step.ok) this.#show(step);
  }

  #show(step: CanaryStep): void {
    const key = `${step.link} ${step.destination ?? ''}`;
    if (this.#shown.has(key)) return;
    this.#shown.add(key);
    this.#options.onStep?.(countedFrom(this.#written, step));
  }
}

/** A file of ours that was not there, on the disk. */
function writeNew(file: string, content: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    writeSync(fd, content);
    // Whatever the umask of the shell is.
    fchmodSync(fd, 0o644);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
