import { type ArgumentRoom, argumentFields, keepArguments } from '../event/arguments.js';
import type { EcsDocument, ProcessFields } from '../event/document.js';

/** Processes that are remembered; one that was not asked for in a long while is forgotten first. */
const defaultCapacity = 16_384;
/** Ancestors that an event names, as many as Elastic Defend does. */
const maxAncestors = 20;
/** Images that a process ran before, as many as an event names. */
const maxPrevious = 8;
/** What is kept of the arguments of one process. */
const room: ArgumentRoom = { text: 8_192, most: 1_024 };

interface Entry {
  /** When it was last asked for, in entries that were added since the start. */
  usedAt: number;
  readonly entityId: string;
  readonly pid: number;
  readonly name: string | undefined;
  readonly executable: string | undefined;
  readonly args: readonly string[] | undefined;
  readonly argsCount: number | undefined;
  readonly commandLine: string | undefined;
  readonly directory: string | undefined;
  readonly start: string | undefined;
  readonly codeSignature: ProcessFields['code_signature'];
  readonly previous: ProcessFields['previous'];
  readonly parentId: string | undefined;
  readonly parentPid: number | undefined;
}

/**
 * Who is whose parent: fed with every process event (and the processes that ran before), asked for what the operating
 * system does not say about a parent. Pure: no clock, no system call. Events are never changed; a completed document is
 * a new one.
 */
export class ProcessTable {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  /**
   * Goes from one that is forgotten to the next: from the front a Map passes all that was ever taken out. V8 keeps every table
   * of the Map that it has gone through since, so it is made anew now and then.
   */
  #oldest = this.#entries.values();
  #moves = 0;
  readonly #newest = new Map<number, string>();
  #added = 0;
  #evicted = 0;

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many were forgotten for want of room. */
  get evicted(): number {
    return this.#evicted;
  }

  /**
   * Takes note of a process that an event tells of beside its own, unless it is known: it may have begun before anybody
   * looked.
   */
  know(process: ProcessFields): void {
    const { pid, entity_id: entityId } = process;
    if (pid === undefined || entityId === undefined || this.#entries.has(entityId)) return;
    // What is told beside an event may be older than the newest image of that pid.
    this.#add(process, this.#newest.has(pid));
  }

  /**
   * The document with its process' parent, ancestry and effective parent filled in, as far as they are known; what the
   * sensor said stays. A process event is remembered. A document without a process is returned as it is.
   */
  complete(doc: EcsDocument): EcsDocument {
    const fields = this.fields(doc);
    return fields === undefined ? doc : { ...doc, ...fields };
  }

  /** What `complete` fills in; undefined of a document without a process. */
  fields(doc: EcsDocument): Pick<EcsDocument, 'process' | 'Effective_process'> | undefined {
    const { process } = doc;
    if (process?.pid === undefined) return undefined;
    const isProcess = doc.event?.category?.includes('process') === true;
    const ends = isProcess && doc.event?.type?.includes('end') === true;
    if (!isProcess) this.know(process);
    const own = isProcess && !ends ? undefined : this.#find(process);
    const parent = this.#parentOf(process, own);
    const known = ends
      ? argumentsOf(own)
      : doc.event?.action === 'fork'
        ? inherited(process, parent)
        : own && knownOf(own);
    const ancestry = process.Ext?.ancestry ?? this.#ancestry(parent?.entityId ?? process.parent?.entity_id);
    const effective = this.#described(process.Ext?.effective_parent);
    const previous = doc.event?.action === 'exec' ? this.#previous(process) : undefined;
    const completed: ProcessFields = {
      ...known,
      ...process,
      ...(previous === undefined ? {} : { previous }),
      ...(parent === undefined ? {} : { parent: { ...parentFields(parent), ...process.parent } }),
      ...(ancestry.length === 0 && effective === undefined
        ? {}
        : {
            Ext: {
              ...process.Ext,
              ...(ancestry.length === 0 ? {} : { ancestry }),
              ...(effective === undefined ? {} : { effective_parent: effective }),
            },
          }),
    };
    const responsible = this.#described(doc.Effective_process);
    if (isProcess) this.#remember(ends, completed);
    return responsible === undefined
      ? { process: completed }
      : { process: completed, Effective_process: responsible };
  }

  #find(process: Pick<ProcessFields, 'entity_id' | 'pid'>): Entry | undefined {
    const id = process.entity_id ?? (process.pid === undefined ? undefined : this.#newest.get(process.pid));
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry === undefined) return undefined;
    // It stands far from the oldest: a Map that is changed for each question costs more than the answer.
    if (this.#added - entry.usedAt < this.#capacity / 4) return entry;
    entry.usedAt = this.#added;
    this.#takeOut(entry.entityId);
    this.#entries.set(entry.entityId, entry);
    return entry;
  }

  #parentOf(process: ProcessFields, own: Entry | undefined): Entry | undefined {
    const entityId = process.parent?.entity_id ?? own?.parentId;
    const named = entityId === undefined ? undefined : this.#find({ entity_id: entityId });
    if (named !== undefined) return named;
    const pid = process.parent?.pid ?? own?.parentPid;
    if (pid === undefined || pid === process.pid) return undefined;
    const newest = this.#find({ pid });
    // A parent is older than its child: otherwise its pid was given out again.
    const younger =
      newest?.start !== undefined && process.start !== undefined && newest.start > process.start;
    return younger ? undefined : newest;
  }

  /** What the same process ran before this image: an exec keeps the pid and the time at which it was forked. */
  #previous({ pid, entity_id: entityId, start, previous }: ProcessFields): ProcessFields['previous'] {
    const id = pid === undefined ? undefined : this.#newest.get(pid);
    const before = id === undefined || id === entityId ? undefined : this.#entries.get(id);
    if (previous !== undefined || before?.start === undefined || before.start !== start) return previous;
    const { executable } = before;
    const last = { entity_id: before.entityId, ...(executable === undefined ? {} : { executable }) };
    return [...(before.previous ?? []), last].slice(-maxPrevious);
  }

  #ancestry(first: string | undefined): string[] {
    const ids: string[] = [];
    for (
      let id = first;
      id !== undefined && ids.length < maxAncestors;
      id = this.#entries.get(id)?.parentId
    ) {
      if (ids.includes(id)) break;
      ids.push(id);
    }
    return ids;
  }

  #described<T extends { entity_id?: string; executable?: string; name?: string; pid?: number }>(
    given: T | undefined,
  ): T | undefined {
    const entry = given === undefined ? undefined : this.#find(given);
    if (given === undefined || entry === undefined) return undefined;
    return {
      entity_id: entry.entityId,
      pid: entry.pid,
      ...(entry.executable === undefined ? {} : { executable: entry.executable }),
      ...(entry.name === undefined ? {} : { name: entry.name }),
      ...given,
    };
  }

  #remember(ends: boolean, process: ProcessFields): void {
    const { pid, entity_id: entityId } = process;
    if (pid === undefined || entityId === undefined) return;
    if (ends) {
      // Still the parent of whoever it started; only its pid means nobody any more.
      if (this.#newest.get(pid) === entityId) this.#newest.delete(pid);
      return;
    }
    this.#add(process, false);
  }

  #add(process: ProcessFields, isOlder: boolean): void {
    const pid = process.pid as number;
    const entityId = process.entity_id as string;
    const kept = process.args && keepArguments(process.args, room);
    // As it is, unless it is longer than what is kept of the arguments.
    const line =
      kept !== undefined && kept.args !== process.args
        ? argumentFields(kept).command_line
        : process.command_line;
    this.#takeOut(entityId);
    this.#entries.set(entityId, {
      usedAt: ++this.#added,
      entityId,
      pid,
      name: process.name,
      executable: process.executable,
      args: kept?.args,
      argsCount: process.args_count,
      commandLine: line?.slice(0, room.text),
      directory: process.working_directory,
      start: process.start,
      codeSignature: process.code_signature,
      previous: process.previous,
      parentId: process.parent?.entity_id,
      parentPid: process.parent?.pid,
    });
    if (!isOlder) this.#newest.set(pid, entityId);
    if (this.#entries.size > this.#capacity) this.#forgetOldest();
  }

  /** What is put in again stands behind all others. */
  #takeOut(entityId: string): void {
    if (!this.#entries.delete(entityId)) return;
    this.#moves++;
    if (this.#moves % this.#capacity === 0) this.#oldest = this.#entries.values();
  }

  #forgetOldest(): void {
    const { value } = this.#oldest.next();
    if (value === undefined) {
      this.#oldest = this.#entries.values();
      return;
    }
    const { entityId, pid } = value;
    this.#entries.delete(entityId);
    if (this.#newest.get(pid) === entityId) this.#newest.delete(pid);
    this.#evicted++;
  }
}

/** What a process was started with, for an event that does not say. */
function argumentsOf(entry: Entry | undefined): ProcessFields | undefined {
  return (
    entry && {
      ...(entry.args === undefined ? {} : { args: entry.args as string[] }),
      ...(entry.argsCount === undefined ? {} : { args_count: entry.argsCount }),
      ...(entry.commandLine === undefined ? {} : { command_line: entry.commandLine }),
      ...(entry.directory === undefined ? {} : { working_directory: entry.directory }),
    }
  );
}

/** A fork runs its parent's image with its arguments until it executes another one. */
function inherited(process: ProcessFields, parent: Entry | undefined): ProcessFields | undefined {
  return parent?.executable === process.executable ? argumentsOf(parent) : undefined;
}

/** What an event that is not about the process itself says of it, when its sensor did not. */
function knownOf(entry: Entry): ProcessFields {
  return {
    entity_id: entry.entityId,
    ...(entry.name === undefined ? {} : { name: entry.name }),
    ...(entry.executable === undefined ? {} : { executable: entry.executable }),
    ...(entry.commandLine === undefined ? {} : { command_line: entry.commandLine }),
    ...(entry.previous === undefined ? {} : { previous: entry.previous }),
    ...(entry.parentPid === undefined ? {} : { parent: { pid: entry.parentPid } }),
  };
}

function parentFields(parent: Entry): ProcessFields {
  return {
    pid: parent.pid,
    entity_id: parent.entityId,
    ...(parent.name === undefined ? {} : { name: parent.name }),
    ...(parent.executable === undefined ? {} : { executable: parent.executable }),
    ...(parent.args === undefined ? {} : { args: parent.args as string[] }),
    ...(parent.argsCount === undefined ? {} : { args_count: parent.argsCount }),
    ...(parent.commandLine === undefined ? {} : { command_line: parent.commandLine }),
    ...(parent.codeSignature === undefined ? {} : { code_signature: parent.codeSignature }),
    ...(parent.previous === undefined ? {} : { previous: parent.previous }),
  };
}
