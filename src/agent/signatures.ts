import { existsSync } from 'node:fs';
import { BoundedQueue } from '../base/bounded-queue.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { RootMap } from '../base/root.js';
import { runTool, type ToolAnswer } from '../base/tool.js';
import { codeSignatureOf, trustedRequirement } from '../enrich/index.js';
import type { Alert } from '../event/alert.js';
import type { CodeSignatureFields, EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';
import { Rights } from '../sensors/file-watch/index.js';
import type { Store } from '../store/index.js';

const maxAtOnce = 2;
const maxQueued = 256;
const maxCached = 512;
const timeoutMs = 5_000;
const maxOutputBytes = 256 * 1024;
/** PATH_MAX of macOS: launchd runs nothing longer. */
const maxPath = 1_024;

const codesign = '/usr/bin/codesign';
/** A process of its own and not stat(2): a file system that hangs must not hold one of our threads. */
const stat = '/usr/bin/stat';

/** Runs the program at an absolute path, as `uid` unless that is undefined. Never rejects; `signal` kills it. */
export type RunTool = (
  program: string,
  args: readonly string[],
  how: { readonly signal: AbortSignal; readonly uid: number | undefined },
) => Promise<ToolAnswer>;

export interface SignaturesOptions {
  readonly events: Pick<Store['events'], 'get'>;
  readonly log: Logger;
  /** Takes an event that tells more than the stored one of the same id. */
  amend(event: Event): void;
  /** True below `--root`: the paths are not this machine's. */
  readonly simulated: boolean;
  /** The tree of `--root`: where it has a codesign and a stat of its own, those are asked. */
  readonly root?: RootMap;
  /** For tests; otherwise the tools of macOS, and this machine. */
  readonly run?: RunTool;
  /** The user, when it is not root, who decides what stands at a path. */
  readonly decider?: (macPath: string) => number | undefined;
  readonly platform?: NodeJS.Platform;
}

/**
 * Asks codesign, once an alert is committed, who signed the program of its launch item, and tells it as an amendment of
 * the event: the alert grows by `launchwarden.plist.code_signature`. It asks with the rights of the user who could have
 * put the item there. Best effort, bounded in time, in number and in what is remembered; never holds up an alert. Does
 * nothing where there is no codesign, and says so.
 */
export class Signatures {
  /** `asked` of codesign, `cached` answers, events `amended`, `dropped` for want of room, `unanswered` in time. */
  readonly #counters = { asked: 0, cached: 0, amended: 0, dropped: 0, unanswered: 0 };
  readonly #options: SignaturesOptions;
  readonly #off: string | undefined;
  readonly #codesign: string;
  readonly #stat: string;
  readonly #run: RunTool;
  readonly #decider: (macPath: string) => number | undefined;
  readonly #stop = new AbortController();
  /** Ids of events. */
  readonly #queue = new BoundedQueue<string>(maxQueued);
  readonly #pending = new Set<string>();
  readonly #known = new Map<string, Readonly<CodeSignatureFields>>();
  #running = 0;

  constructor(options: SignaturesOptions) {
    this.#options = options;
    this.#run = options.run ?? runBounded;
    const { root = new RootMap() } = options;
    this.#codesign = root.toHost(codesign);
    this.#stat = root.toHost(stat);
    const rights = new Rights(root);
    this.#decider = options.decider ?? ((macPath) => rights.decider(macPath));
    this.#off = whyOff(options);
  }

  /** The counters, or why there are none. */
  status(): Readonly<Record<string, number>> | { readonly off: string } {
    return this.#off === undefined ? { ...this.#counters } : { off: this.#off };
  }

  /** Alerts that were committed just now, or that were stored before. */
  committed(alerts: readonly Alert[]): void {
    for (const { doc } of alerts) for (const id of eventsToAsk(doc)) this.#ask(id);
  }

  /** An event that an alert embeds has another document than before. */
  amended(event: Event): void {
    if (programOf(event.doc) !== undefined) this.#ask(event.id);
  }

  /** Who signed a program, as codesign says; undefined where it cannot be asked. `item`: what names the program. */
  async signerOf(program: string, item: string): Promise<Readonly<CodeSignatureFields> | undefined> {
    if (this.#off !== undefined || this.#stop.signal.aborted) return undefined;
    if (!program.startsWith('/') || program.length > maxPath)
      return { status: 'not checked: no absolute path' };
    return this.#signatureOf(program, this.#decider(item));
  }

  /** Kills what runs. Nothing is amended from now on. */
  stop(): void {
    this.#stop.abort();
  }

  #ask(eventId: string): void {
    if (this.#off !== undefined || this.#stop.signal.aborted || this.#pending.has(eventId)) return;
    if (!this.#queue.push(eventId)) {
      this.#counters.dropped++;
      return;
    }
    this.#pending.add(eventId);
    this.#next();
  }

  #next(): void {
    while (this.#running < maxAtOnce && !this.#stop.signal.aborted) {
      const eventId = this.#queue.shift();
      if (eventId === undefined) return;
      this.#running++;
      void this.#answer(eventId)
        .catch((error: unknown) => {
          this.#options.log.error({ error: messageOf(error) }, 'a code signature could not be added');
          return false;
        })
        .then((again) => {
          this.#running--;
          this.#pending.delete(eventId);
          if (again) this.#ask(eventId);
          this.#next();
        });
    }
  }

  /** True when the event has come to name another program meanwhile. */
  async #answer(eventId: string): Promise<boolean> {
    const { events, amend } = this.#options;
    const doc = events.get(eventId)?.doc;
    const program = programOf(doc);
    if (program === undefined) return false;
    const item = doc?.file?.path ?? doc?.Persistence?.path;
    // A user's item may name what only root could read: its user's rights are enough.
    const uid = item === undefined ? undefined : this.#decider(item);
    const signature = await this.#signatureOf(program, uid);
    if (this.#stop.signal.aborted) return false;
    const event = events.get(eventId);
    if (event === undefined) return false;
    if (programOf(event.doc) !== program) return true;
    this.#counters.amended++;
    amend({ ...event, doc: withSignature(event.doc, signature) });
    return false;
  }

  async #signatureOf(program: string, uid: number | undefined): Promise<Readonly<CodeSignatureFields>> {
    // They would forge lines of what codesign prints, and such a program is odd enough.
    if (/\p{Cc}/u.test(program)) return { status: 'not checked: its path holds control characters' };
    const before = await this.#fileOf(program, uid);
    if (before.key === undefined) return { status: before.reason };
    const known = this.#known.get(before.key);
    if (known !== undefined) {
      this.#counters.cached++;
      this.#remember(before.key, known);
      return known;
    }
    this.#counters.asked++;
    const signature = await this.#checked(program, uid);
    const after = await this.#fileOf(program, uid);
    if (after.key !== before.key) return { status: 'not checked: it changed meanwhile' };
    if (signature.exists === false || signature.trusted !== undefined) this.#remember(before.key, signature);
    return signature;
  }

  async #checked(program: string, uid: number | undefined): Promise<Readonly<CodeSignatureFields>> {
    const described = await this.#tool(this.#codesign, ['-d', '--verbose=4', program], uid);
    if (described.status === null) return { status: 'not checked: codesign gave no answer' };
    const read = codeSignatureOf(described.stderr);
    if (read.exists !== true) return read;
    const requirement = `=${trustedRequirement}`;
    const verified = await this.#tool(
      this.#codesign,
      ['--verify', '--strict', '-R', requirement, program],
      uid,
    );
    return codeSignatureOf(described.stderr, { status: verified.status, output: verified.stderr });
  }

  /** What tells one content of a file from another; its change time cannot be set back. */
  async #fileOf(
    program: string,
    uid: number | undefined,
  ): Promise<{ readonly key: string } | { readonly key?: undefined; readonly reason: string }> {
    const { status, stdout } = await this.#tool(
      this.#stat,
      ['-L', '-f', '%HT %d %i %z %Fm %Fc', program],
      uid,
    );
    if (status === null) return { reason: 'not checked: its file system gave no answer' };
    if (status !== 0) return { reason: 'not checked: no such file' };
    const facts = /^Regular File (\d.*)$/m.exec(stdout)?.[1];
    return facts === undefined
      ? { reason: 'not checked: not a regular file' }
      : { key: `${uid ?? 0}\0${program}\0${facts}` };
  }

  async #tool(program: string, args: readonly string[], uid: number | undefined): Promise<ToolAnswer> {
    const answer = await this.#run(program, args, { signal: this.#stop.signal, uid });
    if (answer.status === null) this.#counters.unanswered++;
    return answer;
  }

  #remember(key: string, signature: Readonly<CodeSignatureFields>): void {
    this.#known.delete(key);
    this.#known.set(key, signature);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxCached) return;
      this.#known.delete(oldest);
    }
  }
}

function whyOff({ simulated, root, platform = process.platform }: SignaturesOptions): string | undefined {
  if (simulated) {
    const hasTools = root !== undefined && [codesign, stat].every((one) => existsSync(root.toHost(one)));
    return hasTools ? undefined : "the programs of a --root tree are not this machine's";
  }
  return platform === 'darwin' ? undefined : 'codesign is a tool of macOS';
}

/** Ids of the events of an alert that name a program whose signature they do not tell. */
function eventsToAsk(doc: EcsDocument): ReadonlySet<string> {
  const ids = new Set<string>();
  const alert = doc.launchwarden?.['alert'] as { file_event_id?: string } | undefined;
  if (alert?.file_event_id !== undefined && programOf(doc) !== undefined) ids.add(alert.file_event_id);
  const embedded = Array.isArray(doc['Events']) ? (doc['Events'] as EcsDocument[]) : [];
  for (const one of embedded) {
    if (one.event?.id !== undefined && programOf(one) !== undefined) ids.add(one.event.id);
  }
  return ids;
}

/** The absolute path that launchd runs (launchd.plist(5)), unless its signature is told already. */
function programOf(doc: EcsDocument | undefined): string | undefined {
  const plist = doc?.launchwarden?.plist;
  if (plist === undefined || plist.code_signature !== undefined) return undefined;
  const program = plist.program ?? plist.program_arguments?.[0];
  return program?.startsWith('/') && program.length <= maxPath ? program : undefined;
}

function withSignature(doc: EcsDocument, signature: Readonly<CodeSignatureFields>): EcsDocument {
  const { launchwarden } = doc;
  return {
    ...doc,
    launchwarden: { ...launchwarden, plist: { ...launchwarden?.plist, code_signature: signature } },
  };
}

/** The `RunTool` of the agent. */
export function runBounded(
  program: string,
  args: readonly string[],
  { signal, uid }: { readonly signal: AbortSignal; readonly uid: number | undefined },
): Promise<ToolAnswer> {
  // Who is not root can run nothing as somebody else, and has no rights to lend.
  const as = uid === undefined || process.geteuid?.() !== 0 ? {} : { uid };
  return runTool(program, args, { timeoutMs, mostBytes: maxOutputBytes, signal, unref: true, ...as });
}
