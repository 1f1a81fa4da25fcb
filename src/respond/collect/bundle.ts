import { createHash } from 'node:crypto';
import { formatMicros, type Micros } from '../../base/time.js';
import { type Alert, agentAuthor } from '../../event/alert.js';
import type { EcsDocument } from '../../event/document.js';
import { type Event, wallTime } from '../../event/event.js';
import type { Store, Version } from '../../store/index.js';
import { Redactor } from './redact.js';
import type { TarFile } from './tar.js';

/** What a bundle is made of: one alert with all that the store knows about it. */
export interface CollectOptions {
  readonly store: Pick<
    Store,
    'events' | 'evidence' | 'versions' | 'investigations' | 'inventory' | 'stories'
  >;
  readonly alert: Alert;
  readonly now: Micros;
  /** Facts about the machine and the agent, as JSON values. */
  readonly system: Readonly<Record<string, unknown>>;
  /** Without user names, homes, host names and addresses. */
  readonly redact: boolean;
}

/** Something that does not stand in the bundle, and why. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

export interface Bundle {
  /** In the order in which they are written; the last one is `manifest.json`. */
  files(): Generator<TarFile>;
  readonly leftOut: readonly LeftOut[];
}

/** Events around the alert, microseconds, and how many of them. */
const around = 10 * 60 * 1e6;
const maxAround = 2_000;
/** Versions of the item's files, and bytes of them. */
const maxVersions = 500;
const maxEvidenceBytes = 256 * 1024 * 1024;

/** One line of the timeline. */
export interface TimelineEntry {
  readonly time: string;
  /** Of an event; of what a person did its kind. */
  readonly what: string;
  readonly says: string;
  readonly event_id?: string;
  /** True when the alert embeds the event. */
  readonly of_alert?: boolean;
}

/** The events around an alert, its own first in rank: those that name its item, its files or its processes. */
export function eventsAround(
  store: Pick<Store, 'events'>,
  alert: Alert,
): { readonly events: readonly Event[]; readonly complete: boolean } {
  const found = store.events.nearest(
    alert.time,
    { from: alert.time - around, to: alert.time + around },
    maxAround / 2,
  );
  return { events: found.events, complete: found.complete };
}

/** Events the alert embeds. */
export function ownEvents({ doc }: Pick<Alert, 'doc'>): readonly EcsDocument[] {
  const events: unknown = doc['Events'];
  return Array.isArray(events) ? events.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** What happened, in order: events, and what was done about the alert. */
export function timelineOf(alert: Alert, events: readonly Event[]): TimelineEntry[] {
  const own = new Set(ownEvents(alert).map(({ event }) => event?.id));
  const lines = events.map((event) => ({
    at: wallTime(event),
    entry: {
      time: formatMicros(wallTime(event)),
      what: `${event.doc.event?.category?.[0] ?? 'event'} ${event.doc.event?.action ?? ''}`.trim(),
      says: sentenceOf(event.doc),
      event_id: event.id,
      ...(own.has(event.id) ? { of_alert: true } : {}),
    },
  }));
  const done = alert.notes.map(({ time, author, kind, text }) => ({
    at: time,
    entry: { time: formatMicros(time), what: kind, says: `${author}: ${text}` },
  }));
  const made = {
    at: alert.created,
    entry: { time: formatMicros(alert.created), what: 'alert', says: alert.ruleName },
  };
  return [...lines, ...done, made].sort((a, b) => a.at - b.at).map(({ entry }) => entry);
}

function sentenceOf({ file, process, user, event, launchwarden }: EcsDocument): string {
  const by = user?.name === undefined ? '' : ` by ${user.name}`;
  if (file?.path !== undefined) {
    const writer = process?.executable === undefined ? '' : `, ${process.executable} (${process.pid ?? '?'})`;
    return `${file.path}${writer}${by}`;
  }
  if (process !== undefined)
    return `${process.command_line ?? process.executable ?? process.name ?? ''}${by}`;
  return launchwarden?.job?.label ?? String(event?.['reason'] ?? '');
}

/** Everything about one alert, for somebody who was not there. Files are made as they are taken. */
export function collectBundle(options: CollectOptions): Bundle {
  const { store, alert, redact } = options;
  const leftOut: LeftOut[] = [];
  const { events, complete } = eventsAround(store, alert);
  if (!complete)
    leftOut.push({ what: 'events around the alert', why: `only the nearest ${maxAround} within 10 minutes` });
  const redactor = redact ? new Redactor() : undefined;
  const people = [...alert.notes, store.investigations.get(alert.id)].map((one) => one?.author);
  const authors = [...people, alert.assignee].filter((name) => name !== undefined && name !== agentAuthor);
  redactor?.learn([
    alert.doc,
    options.system,
    ...events.map(({ doc }) => doc),
    ...authors.map((name) => ({ user: { name } })),
  ]);
  const files = (left: LeftOut[]) => filesOf(options, { events, redactor, leftOut: left });
  return {
    leftOut,
    *files() {
      // A name that the last file tells may stand in the first one as well.
      for (
        let before = -1, turn = 0;
        redactor !== undefined && before !== redactor.size && turn < 4;
        turn++
      ) {
        before = redactor.size;
        for (const _ of files([]));
      }
      yield* files(leftOut);
    },
  };
}

function* filesOf(
  { store, alert, now, system }: CollectOptions,
  parts: {
    readonly events: readonly Event[];
    readonly redactor: Redactor | undefined;
    readonly leftOut: LeftOut[];
  },
): Generator<TarFile> {
  const { events, redactor, leftOut } = parts;
  const manifest: { name: string; size: number; sha256: string }[] = [];
  const file = (name: string, content: Uint8Array): TarFile => {
    manifest.push({ name, size: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    return { name, content };
  };
  const clean = <T>(value: T): T => (redactor === undefined ? value : redactor.value(value));
  const json = (name: string, value: unknown) =>
    file(name, Buffer.from(`${JSON.stringify(clean(value), undefined, 2)}\n`));
  const lines = (name: string, values: readonly unknown[]) =>
    file(name, Buffer.from(values.map((one) => `${JSON.stringify(clean(one))}\n`).join('')));

  yield file('README.txt', Buffer.from(readme(alert, redactor !== undefined)));
  yield json('alert.json', alertOf(alert));
  yield lines('alert-events.ndjson', ownEvents(alert));
  yield lines(
    'events.ndjson',
    events.map(({ doc }) => doc),
  );
  yield lines('timeline.ndjson', timelineOf(alert, events));
  const investigation = store.investigations.get(alert.id);
  if (investigation === undefined)
    leftOut.push({ what: 'investigation.json', why: 'nobody has run "alerts investigate" for this alert' });
  else yield json('investigation.json', { ...investigation, time: formatMicros(investigation.time) });
  if (alert.item !== undefined)
    yield json('item.json', {
      inventory: store.inventory.of(alert.item),
      story: store.stories.get(alert.item) ?? null,
    });
  yield* evidenceOf(alert, { store, redactor, leftOut, file, lines });
  yield json('system.json', { collected: formatMicros(now), ...system });
  yield json('left-out.json', leftOut);
  yield json('manifest.json', manifest.slice());
}

/** Versions of what the alert is about: of its item, or without one of the files that its events name. */
export function versionsOf(store: Pick<Store, 'versions'>, alert: Alert, limit: number): readonly Version[] {
  if (alert.item !== undefined) return store.versions.ofItem(alert.item, { limit });
  const paths = new Set(ownEvents(alert).flatMap(({ file }) => file?.path ?? []));
  return [...paths]
    .slice(0, 16)
    .flatMap((path) => store.versions.ofPath(path, { limit }))
    .slice(0, limit);
}

function* evidenceOf(
  alert: Alert,
  parts: {
    readonly store: CollectOptions['store'];
    readonly redactor: Redactor | undefined;
    readonly leftOut: LeftOut[];
    readonly file: (name: string, content: Uint8Array) => TarFile;
    readonly lines: (name: string, values: readonly unknown[]) => TarFile;
  },
): Generator<TarFile> {
  const { store, redactor, leftOut, file, lines } = parts;
  const versions = versionsOf(store, alert, maxVersions);
  yield lines(
    'evidence.ndjson',
    versions.map((version) => versionFields(version, { attributes: redactor === undefined })),
  );
  const done = new Set<string>();
  let bytes = 0;
  const named = ownEvents(alert).map(({ file }) => ({ sha256: file?.hash?.sha256, path: file?.path ?? '' }));
  for (const { sha256, path } of [...versions, ...named]) {
    if (sha256 === undefined || done.has(sha256)) continue;
    done.add(sha256);
    const read = store.evidence.read(sha256);
    const skip = (why: string) => leftOut.push({ what: `evidence ${sha256} of ${path}`, why });
    if (read.state !== 'kept') {
      skip(
        read.state === 'missing' ? 'its bytes are not kept' : `damaged: it has the hash ${read.found} now`,
      );
      continue;
    }
    const content = Buffer.from(read.content.bytes);
    if (bytes + content.length > maxEvidenceBytes) {
      skip(`more than ${maxEvidenceBytes / 2 ** 20} MiB of evidence`);
      continue;
    }
    const shown = redactor === undefined ? content : redacted(content, redactor);
    if (shown === undefined) {
      skip('it holds names, and is no text in which they can be replaced');
      continue;
    }
    bytes += shown.length;
    if (read.content.truncated)
      leftOut.push({ what: `the end of ${path}`, why: 'only its beginning is kept' });
    const changed = shown === content || shown.equals(content) ? '' : '.redacted';
    yield file(`evidence/${sha256}${changed}`, shown);
  }
}

/** Undefined when names stand in bytes that are no text. */
function redacted(content: Buffer, redactor: Redactor): Buffer | undefined {
  const text = content.toString('utf8');
  const isText = !text.includes('\0') && Buffer.from(text, 'utf8').equals(content);
  if (isText) return Buffer.from(redactor.text(text));
  return redactor.isIn(content) ? undefined : content;
}

/** A version as a JSON document; `attributes`: with the values of its extended attributes. */
function versionFields(version: Version, { attributes }: { readonly attributes: boolean }): object {
  const { birth, mtime, ctime, xattrs, time, lastSeen, gone, ...rest } = version;
  return {
    ...rest,
    time: formatMicros(time),
    last_seen: formatMicros(lastSeen),
    ...(gone === undefined ? {} : { gone: formatMicros(gone) }),
    ...(birth === undefined ? {} : { birth: nanoTime(birth) }),
    mtime: nanoTime(mtime),
    ctime: nanoTime(ctime),
    ...(xattrs === undefined
      ? {}
      : {
          xattrs: xattrs.map(({ name, value, size }) => ({
            name,
            size,
            ...(attributes ? { value_base64: Buffer.from(value).toString('base64') } : {}),
          })),
        }),
  };
}

function nanoTime(nanos: bigint): string {
  return formatMicros(Number(nanos / 1000n), Number(nanos % 1000n));
}

function alertOf(alert: Alert): object {
  const { time, created, updated, notes, ...rest } = alert;
  return {
    ...rest,
    time: formatMicros(time),
    created: formatMicros(created),
    updated: formatMicros(updated),
    notes: notes.map((note) => ({ ...note, time: formatMicros(note.time) })),
  };
}

function readme(alert: Alert, isRedacted: boolean): string {
  return `All that launchwarden knows about alert ${alert.id}.

alert.json            the alert: rule, findings, priority, notes
alert-events.ndjson   the events that it is made of
events.ndjson         what else was seen within 10 minutes of it
timeline.ndjson       all of that in order, one sentence each, with what people did
investigation.json    the answers of "alerts investigate", when it was run
item.json             the persistent item: inventory and story
evidence.ndjson       every version of its files: times, owner, mode, attributes, hashes
evidence/             their bytes, by SHA-256 of what the file held. HANDLE AS MALWARE
system.json           the Mac and the agent
left-out.json         what is not here, and why
manifest.json         size and SHA-256 of each file

Times are UTC. Paths are those of macOS.
${isRedacted ? '\nUser names, homes, host names and addresses were replaced (user-1, host-1, address-1).\n' : ''}`;
}
