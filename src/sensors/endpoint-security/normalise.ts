import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cutFields } from '../../event/arguments.js';
import type { EcsDocument, FileFields } from '../../event/document.js';
import type { Event, FileContent, Observation } from '../../event/event.js';
import { fileEventId, processEventId } from '../../event/ids.js';
import type { EsFile, EsKind, EsMessage } from './message.js';
import {
  baseDocument,
  type DocumentContext,
  EntityIds,
  execFields,
  exitCode,
  fileFields,
  processFields,
} from './to-document.js';

/** What the file holds that a message names, read at once: it may be gone a moment later. */
export type ReadFile = (file: FileFields) => {
  readonly file: FileFields;
  readonly content?: FileContent;
  /** Not read: who decides where its path leads may not read it. */
  readonly withheld?: boolean;
};

/** How long and with what pauses a new file may still be written for its changes to belong to its creation, microseconds. */
const settlePause = 1_000_000;
const settleMost = 60_000_000;
const maxSettling = 1_024;
const maxItems = 4_096;
/** Characters of a service's name that an event carries; launchd takes no longer one than 127. */
const maxService = 1_024;

/** Actions of Elastic Defend on macOS. */
const actions: Partial<Record<EsKind, string>> = {
  create: 'modification',
  close: 'modification',
  rename: 'rename',
  unlink: 'deletion',
  link: 'modification',
  clone: 'modification',
  copyfile: 'modification',
  truncate: 'modification',
  exchangedata: 'modification',
  setmode: 'modification',
  setowner: 'modification',
  mount: 'mount',
  open: 'open',
  deleteextattr: 'extended_attributes_delete',
};

/**
 * `event.type` where it is not `change`. The loss of an attribute is none of the file: rules that take all but deletions
 * for changes of a file must not meet it.
 */
const types: Readonly<Record<string, string>> = {
  deletion: 'deletion',
  open: 'access',
  extended_attributes_delete: 'deletion',
};

/** Kinds after which the file stands at the path, so that reading it tells what was done. */
const readable: ReadonlySet<EsKind> = new Set([
  'create',
  'close',
  'rename',
  'link',
  'clone',
  'copyfile',
  'truncate',
  'exchangedata',
  'setmode',
  'setowner',
]);

interface Settling {
  readonly event: Event;
  last: number;
}

/** Makes events in Elastic Defend's macOS shape of EndpointSecurity's messages, whichever way they came. */
export class Normaliser {
  readonly #context: DocumentContext;
  readonly #ids: EntityIds;
  readonly #read: ReadFile | undefined;
  readonly #settling = new Map<string, Settling>();
  readonly #items = new Set<string>();

  /** `read` is left out where the files are not at hand: a recording. */
  constructor(context: DocumentContext, read?: ReadFile) {
    this.#context = context;
    this.#ids = new EntityIds(context.boot);
    this.#read = read;
  }

  /** None for a message that is no event: a file closed as it was, a launch item that is known. */
  observe(message: EsMessage): Observation[] {
    switch (message.kind) {
      case 'exec':
      case 'fork':
      case 'exit':
        return [this.#processEvent(message)];
      case 'btm_launch_item_add':
      case 'btm_launch_item_remove':
        return this.#launchItem(message);
      case 'bootstrap_check_in':
        return this.#jobRuns(message);
      case 'close':
        if (message.modified !== true && message.mappedWritable !== true) return [];
        break;
      default:
    }
    const { file, other, kind } = message;
    const action = actions[kind];
    if (file === undefined || action === undefined) return [];
    const observations = [this.#fileEvent(message, file, action)];
    if (kind === 'exchangedata' && other !== undefined)
      observations.push(this.#fileEvent(message, other, action));
    if (kind === 'clone') observations.push(this.#fileEvent(message, file, 'clone'));
    return observations;
  }

  #processEvent(message: EsMessage): Observation {
    const { boot, sensor, root } = this.#context;
    const { pid, pidversion, executable } = message.process;
    const base = baseDocument(message, this.#context, this.#ids);
    const action = message.kind === 'exit' ? 'end' : message.kind;
    const { script } = message.exec ?? {};
    const cut = message.exec && cutFields(message.exec.arguments);
    const ext = {
      ...base.process?.Ext,
      ...(script === undefined ? {} : { script: { path: root.toMac(script) } }),
      ...(cut === undefined ? {} : { command_line_truncated: true }),
    };
    const { actor } = message;
    const event = finish(message, processEventId(sensor, boot, pid, `${pidversion} ${action}`, executable), {
      ...base,
      event: { category: ['process'], type: [action === 'end' ? 'end' : 'start'], action },
      process: {
        ...base.process,
        ...execFields(message, root),
        ...(message.exitStatus === undefined ? {} : { exit_code: exitCode(message.exitStatus) }),
        ...(Object.keys(ext).length === 0 ? {} : { Ext: ext }),
      },
      ...(cut === undefined ? {} : { launchwarden: { ...base.launchwarden, process: cut } }),
    });
    return actor === undefined ? { event } : { event, actor: processFields(actor, root, this.#ids) };
  }

  #fileEvent(message: EsMessage, file: EsFile, action: string): Observation {
    const { boot, sensor, root } = this.#context;
    // The moved object keeps its inode; what the message says of a path without a stat is the source's.
    const stat = file.stat ?? (message.kind === 'rename' ? message.other?.stat : undefined);
    const named = fileFields(stat === undefined ? file : { ...file, stat }, root);
    const read = readable.has(message.kind) ? this.#read?.(named) : undefined;
    const fields = read?.file ?? named;
    const settled = this.#settle(message, fields, read?.content);
    if (settled !== undefined) return settled;

    const base = baseDocument(message, this.#context, this.#ids);
    const nanos = BigInt(message.time) * 1000n + BigInt(message.nanos);
    const id = fileEventId(
      sensor,
      boot,
      fields.path ?? '',
      fields.inode ?? '',
      nanos,
      `${message.kind} ${action}`,
    );
    const findings = [
      ...(file.pathTruncated === true ? ['path-truncated'] : []),
      ...(read?.withheld === true ? ['content-withheld'] : []),
    ];
    const event = finish(message, id, {
      ...base,
      event: {
        category: ['file'],
        type: [types[action] ?? 'change'],
        action,
      },
      file: withDetails(
        message,
        fields,
        action === 'rename' || action === 'mount' ? this.#original(message) : undefined,
      ),
      ...(findings.length === 0 ? {} : { launchwarden: { ...base.launchwarden, findings } }),
    });
    const key = settleKey(fields);
    if (message.kind === 'create') this.#remember(key, event, message.time);
    else if (action === 'rename' || action === 'deletion') this.#settling.delete(key);
    return { event, ...(read?.content === undefined ? {} : { content: read.content }) };
  }

  #original(message: EsMessage): string | undefined {
    if (message.kind === 'mount') return message.mountFrom;
    return message.other === undefined ? undefined : this.#context.root.toMac(message.other.path);
  }

  /** A file that is still being written after its creation: one event, that grows. */
  #settle(message: EsMessage, fields: FileFields, content: FileContent | undefined): Observation | undefined {
    if (actions[message.kind] !== 'modification' || message.kind === 'create') return undefined;
    const key = settleKey(fields);
    const created = this.#settling.get(key);
    if (created === undefined) return undefined;
    if (message.time - created.last > settlePause || message.time - created.event.time > settleMost) {
      this.#settling.delete(key);
      return undefined;
    }
    created.last = message.time;
    const { event } = created;
    return {
      event: { ...event, doc: { ...event.doc, file: { ...event.doc.file, ...fields } } },
      amends: true,
      ...(content === undefined ? {} : { content }),
    };
  }

  #remember(key: string, event: Event, time: number): void {
    this.#settling.delete(key);
    this.#settling.set(key, { event, last: time });
    for (const oldest of this.#settling.keys()) {
      if (this.#settling.size <= maxSettling) break;
      this.#settling.delete(oldest);
    }
  }

  /**
   * A process serves a Mach service of its launchd job from now on: launchd runs the job. Jobs that offer no service are
   * not told of, and which job it is only its service's name says.
   */
  #jobRuns(message: EsMessage): Observation[] {
    const { boot, sensor } = this.#context;
    const service = message.service?.slice(0, maxService) ?? '';
    if (service === '' || message.instigator === undefined) return [];
    const { pid, pidversion } = message.instigator;
    const nanos = BigInt(message.time) * 1000n + BigInt(message.nanos);
    const base = baseDocument(message, this.#context, this.#ids);
    const id = fileEventId(sensor, boot, service, '', nanos, `check-in ${pid} ${pidversion}`);
    return [
      {
        event: finish(message, id, {
          ...base,
          message: 'launchd job runs',
          event: { module: 'launchwarden', category: ['configuration'], type: ['info'], action: 'job_runs' },
          launchwarden: { ...base.launchwarden, job: { service, pid } },
        }),
      },
    ];
  }

  /** Background task management: late, repeated and incomplete, so a supplement to the files themselves. */
  #launchItem(message: EsMessage): Observation[] {
    const { item } = message;
    const itemPath = item === undefined ? undefined : pathOfUrl(item.url, item.appUrl);
    if (item === undefined || itemPath === undefined) return [];
    const { boot, sensor, root } = this.#context;
    const macPath = root.toMac(itemPath);
    const key = `${item.type} ${item.uid} ${macPath}`;
    if (message.kind === 'btm_launch_item_remove') {
      this.#items.delete(key);
      return [];
    }
    if (this.#items.has(key)) return [];
    if (this.#items.size >= maxItems) this.#items.clear();
    this.#items.add(key);
    const nanos = BigInt(message.time) * 1000n + BigInt(message.nanos);
    const base = baseDocument(message, this.#context, this.#ids);
    const executable = item.executable === undefined ? undefined : pathOfUrl(item.executable, item.appUrl);
    const event = finish(
      message,
      fileEventId(sensor, boot, macPath, '', nanos, `btm ${item.type} ${item.uid}`),
      {
        ...base,
        event: { category: ['file'], type: ['change'], action: 'launch_daemon' },
        Persistence: {
          name: path.posix.basename(macPath),
          path: macPath,
          ...(executable === undefined ? {} : { args: [root.toMac(executable)] }),
        },
        launchwarden: {
          sensor: { kind: sensor, precision: 'exact', reason: 'told by background task management' },
        },
      },
    );
    return [{ event }];
  }
}

function finish(message: EsMessage, id: string, doc: EcsDocument): Event {
  return {
    id,
    time: message.time,
    nanos: message.nanos,
    sequence: Number.POSITIVE_INFINITY,
    doc: { ...doc, event: { id, ...doc.event } },
  };
}

function settleKey(fields: FileFields): string {
  return `${fields.inode ?? ''} ${fields.path ?? ''}`;
}

function withDetails(message: EsMessage, fields: FileFields, original: string | undefined): FileFields {
  const extension = original === undefined ? '' : path.posix.extname(original).slice(1).toLowerCase();
  return {
    ...fields,
    ...(message.attribute === undefined ? {} : { attributes: [message.attribute] }),
    ...(original === undefined
      ? {}
      : { Ext: { ...fields.Ext, original: { path: original, ...(extension === '' ? {} : { extension }) } } }),
  };
}

/** A `file:` URL, or a path, as an absolute path; relative ones below the app. Undefined when it is neither. */
function pathOfUrl(url: string, appUrl: string | undefined): string | undefined {
  try {
    if (url.startsWith('/')) return url;
    if (url.startsWith('file:')) return fileURLToPath(url, { windows: false });
    if (url === '' || appUrl === undefined) return undefined;
    const base = appUrl.startsWith('file:') ? fileURLToPath(appUrl, { windows: false }) : appUrl;
    return base.startsWith('/') ? path.posix.join(base, decodeURIComponent(url)) : undefined;
  } catch {
    return undefined;
  }
}
