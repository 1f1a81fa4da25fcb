import type { Clock } from '../base/clock.js';
import type { RootMap } from '../base/root.js';
import { formatMicros, parseTime } from '../base/time.js';
import type { EcsDocument, FileFields, HostFields, UserFields } from '../event/document.js';
import type { Event, FileContent, Observation, SensorKind } from '../event/event.js';
import { fileEventId, persistentItemId } from '../event/ids.js';
import { runsLaunchctl, withLaunchctl } from '../event/launchctl.js';
import { type InstalledLabels, MechanismPlaces, mechanisms } from '../mechanisms/index.js';
import { persistenceOf } from '../mechanisms/launch-item.js';
import { type ItemFacts, launchItemFacts } from '../mechanisms/launch-item-facts.js';
import { hostFacts } from './host.js';
import { withItemFacts } from './item-facts.js';
import type { NamedPaths } from './named-paths.js';
import { entryFields, itemsOf, ownerFields, withPersistence } from './persistence.js';
import { ProcessTable } from './process-table.js';
import { UserNames } from './users.js';

/** File events whose launch item was told about: an amendment tells it again only when the content is another. */
const maxTold = 4_096;

const imitates = 'look-alike-label';

// What events have in common is one object for all of them: a flood makes some thousand events a second.
const ecs = { version: '8.11.0' } as const;
const ofProcesses = constantsOf('process');
const ofFiles = constantsOf('file');
const simulated = { labels: { launchwarden_simulated: true } } as const;

function constantsOf(what: 'process' | 'file') {
  const dataset = `endpoint.events.${what}` as const;
  return {
    message: `Endpoint ${what} event`,
    dataStream: { type: 'logs', dataset, namespace: 'default' },
  } as const;
}

export interface EnricherOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  /** Of launchwarden. */
  readonly version: string;
  readonly agentId: string;
  /** Stable identity of this machine. */
  readonly hostId: string;
  /** Identity of this boot: part of event ids. */
  readonly boot: string;
  /** For tests; otherwise made from the rest. */
  readonly host?: HostFields;
  readonly users?: Pick<UserNames, 'user' | 'group'>;
  readonly processes?: ProcessTable;
  /** Follows what a launchctl call names; left out where the files are not at hand. */
  readonly namedPaths?: Pick<NamedPaths, 'of'>;
  /** Where the mechanisms keep their items; those of all mechanisms when left out, in homes of /Users. */
  readonly places?: MechanismPlaces;
  /** Labels of launch items that are trusted here: what imitates one of them is a finding. */
  readonly installed?: () => InstalledLabels;
}

/** Completes what the sensors observe: host, agent, names of users, parents of processes, what a property list says. */
export class Enricher {
  readonly #options: EnricherOptions;
  readonly #host: HostFields;
  readonly #agent: NonNullable<EcsDocument['agent']>;
  readonly #users: Pick<UserNames, 'user' | 'group'>;
  readonly #processes: ProcessTable;
  readonly #places: MechanismPlaces;
  readonly #told = new Map<string, string>();
  #sequence = 0;

  constructor(options: EnricherOptions) {
    this.#options = options;
    const { root, clock, hostId, agentId: id, version } = options;
    this.#agent = { id, type: 'launchwarden', version };
    this.#host = options.host ?? hostFacts({ hostId, simulated: root.simulated });
    this.#users = options.users ?? new UserNames({ root, clock });
    this.#processes = options.processes ?? new ProcessTable();
    this.#places = options.places ?? new MechanismPlaces(mechanisms);
  }

  /** What every event says of this machine. */
  get host(): HostFields {
    return this.#host;
  }

  /** A process that ran before: no event, but the parent of some. */
  context(event: Event): void {
    this.#processes.complete(event.doc);
  }

  /**
   * The event, completed, and the `launch_daemon` event that a launch item's content makes of it. The observation is
   * not changed.
   */
  enrich(observation: Observation): Event[] {
    const { event, content, actor } = observation;
    if (actor !== undefined) this.#processes.know(actor);
    const { file } = event.doc;
    const sequence = this.#sequenceOf(event);
    let doc = this.#complete(event.doc, sequence);
    const facts =
      file === undefined || event.doc.event?.action === 'deletion'
        ? undefined
        : this.#withImitation(launchItemFacts(file, content), file);
    if (facts !== undefined) doc = withItemFacts(doc, facts);
    if (file !== undefined) doc = this.#withItem(doc, file, { content, facts });
    else if (event.doc.launchwarden?.job !== undefined) doc = this.#withJobsItem(doc);
    else doc = withLaunchctl(this.#withNamedFiles(doc));
    const { id, time, nanos } = event;
    const completed = { id, time, nanos, sequence, doc };
    const launchItem =
      facts === undefined || !isLoadable(facts, content)
        ? undefined
        : this.#launchItemEvent(completed, observation);
    return launchItem === undefined ? [completed] : [completed, launchItem];
  }

  /** What an event of a file would say; none is made of it. */
  inspect({ event, content }: Pick<Observation, 'event' | 'content'>): Event {
    const { file } = event.doc;
    if (file === undefined) return event;
    const facts = launchItemFacts(file, content);
    const doc = facts === undefined ? event.doc : withItemFacts(event.doc, facts);
    return { ...event, doc: this.#withItem(doc, file, { content, facts }) };
  }

  #withImitation(facts: ItemFacts | undefined, { path }: FileFields): ItemFacts | undefined {
    const label = facts?.plist?.label;
    const installed = this.#options.installed?.();
    if (facts === undefined || label === undefined || installed === undefined) return facts;
    const own = /^\/(?:System|Library\/Apple)\//i.test(path ?? '');
    if (own || facts.findings.includes(imitates) || installed.like(label) === undefined) return facts;
    return { ...facts, findings: [...facts.findings, imitates] };
  }

  #complete(doc: EcsDocument, sequence: number): EcsDocument {
    const { clock } = this.#options;
    const isProcess = doc.event?.category?.includes('process') === true;
    const constant = isProcess ? ofProcesses : ofFiles;
    const user = this.#user(doc.user);
    const group = this.#group(doc.group);
    const file = doc.file === undefined ? undefined : this.#owner(doc.file);
    return {
      message: constant.message,
      ...doc,
      ...this.#processes.fields(doc),
      ecs,
      agent: this.#agent,
      data_stream: constant.dataStream,
      event: {
        kind: 'event',
        module: 'endpoint',
        dataset: constant.dataStream.dataset,
        created: formatMicros(clock.now()),
        // What is told of a file has happened.
        outcome: doc.event?.category?.includes('file') === true ? 'success' : 'unknown',
        ...doc.event,
        sequence,
      },
      host: this.#host,
      ...(user === undefined ? {} : { user }),
      ...(group === undefined ? {} : { group }),
      ...(file === undefined ? {} : { file }),
      ...this.#simulated(doc.labels),
    };
  }

  /** The persistent item that the file belongs to, and unless it is gone what it says. */
  #withItem(told: EcsDocument, file: FileFields, given: Parameters<typeof itemsOf>[2]): EcsDocument {
    const doc = this.#withItemsOfProgram(told);
    const found = typeof file.path === 'string' ? this.#places.find(file.path) : undefined;
    if (found === undefined) return doc;
    const owner = ownerFields(found);
    if (doc.event?.action === 'deletion') return withPersistence(doc, owner);
    const items = itemsOf(found, file, given);
    if (items.length === 0) return withPersistence(doc, owner);
    const { fields, findings } = entryFields(items);
    return withPersistence(doc, { ...owner, ...fields }, findings);
  }

  /** A program that changed is a part of the stories of the items that run it. */
  #withItemsOfProgram(doc: EcsDocument): EcsDocument {
    const { program } = doc.launchwarden ?? {};
    if (program?.of === undefined) return doc;
    const items = program.of.flatMap((path) => {
      const found = this.#places.find(path);
      return found === undefined ? [] : [persistentItemId(found.mechanism.id, found.path)];
    });
    return { ...doc, launchwarden: { ...doc.launchwarden, program: { ...program, items } } };
  }

  /** A loaded job is a stage of the item that its property list describes. */
  #withJobsItem(doc: EcsDocument): EcsDocument {
    const path = doc.launchwarden?.job?.plist_path;
    const found = typeof path === 'string' ? this.#places.find(path) : undefined;
    return found === undefined ? doc : withPersistence(doc, ownerFields(found));
  }

  /** Of a program that begins: what it names may be gone a moment later. */
  #withNamedFiles(doc: EcsDocument): EcsDocument {
    const { namedPaths } = this.#options;
    if (namedPaths === undefined || doc.event?.action !== 'exec' || !runsLaunchctl(doc)) return doc;
    const files = namedPaths.of(doc);
    if (files === undefined) return doc;
    const { launchwarden } = doc;
    return {
      ...doc,
      launchwarden: { ...launchwarden, process: { ...launchwarden?.process, named_files: files } },
    };
  }

  #user(user: UserFields | undefined): UserFields | undefined {
    const id = Number(user?.id ?? Number.NaN);
    const name = user?.name ?? (Number.isSafeInteger(id) ? this.#users.user(id) : undefined);
    return user === undefined || name === undefined ? user : { ...user, name };
  }

  #group(group: EcsDocument['group']): EcsDocument['group'] {
    const id = Number(group?.id ?? Number.NaN);
    const name = group?.name ?? (Number.isSafeInteger(id) ? this.#users.group(id) : undefined);
    return group === undefined || name === undefined ? group : { ...group, name };
  }

  #owner(file: NonNullable<EcsDocument['file']>): NonNullable<EcsDocument['file']> {
    const owner = file.uid === undefined ? undefined : this.#users.user(Number(file.uid));
    const group = file.gid === undefined ? undefined : this.#users.group(Number(file.gid));
    return {
      ...file,
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
    };
  }

  #sequenceOf({ sequence }: Event): number {
    return Number.isFinite(sequence) ? sequence : this.#sequence++;
  }

  #simulated(labels: EcsDocument['labels']): Pick<EcsDocument, 'labels'> | undefined {
    if (!this.#options.root.simulated) return undefined;
    return labels === undefined ? simulated : { labels: { ...labels, ...simulated.labels } };
  }

  /** Without `file.*`, as Elastic Defend makes it; its time is that of the content. */
  #launchItemEvent(of: Event, { content }: Observation): Event | undefined {
    const { file, ...rest } = of.doc;
    const plist = rest.launchwarden?.plist;
    const sha256 = file?.hash?.sha256 ?? '';
    if (file?.path === undefined || plist === undefined || content === undefined) return undefined;
    if (this.#told.get(of.id) === sha256) return undefined;
    this.#remember(of.id, sha256);
    const seen = parseTime(file.ctime);
    const { time, nanos } = seen !== undefined && seen.time > of.time ? seen : of;
    const kind = (rest.launchwarden?.sensor?.kind ?? 'capture') as SensorKind;
    const ctimeNanos = BigInt(time) * 1000n + BigInt(nanos);
    const id = fileEventId(
      kind,
      this.#options.boot,
      file.path,
      file.inode ?? '',
      ctimeNanos,
      `launch_daemon:${sha256}`,
    );
    const sequence = this.#sequence++;
    const doc: EcsDocument = {
      ...rest,
      '@timestamp': formatMicros(time, nanos),
      event: { ...rest.event, id, action: 'launch_daemon', category: ['file'], type: ['change'], sequence },
      Persistence: persistenceOf(file.path, plist),
    };
    return { id, time, nanos, sequence, doc };
  }

  #remember(eventId: string, sha256: string): void {
    this.#told.set(eventId, sha256);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= maxTold) return;
      this.#told.delete(oldest);
    }
  }
}

/** Whether launchd could make a job of it. A file that ends too early is still being written, or never loads. */
function isLoadable({ plist, findings }: ItemFacts, content: FileContent | undefined): boolean {
  return plist?.json !== undefined && (content?.truncated === true || !findings.includes('plist-cut'));
}
