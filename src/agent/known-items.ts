import { setImmediate as turn } from 'node:timers/promises';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import type { Enricher } from '../enrich/index.js';
import type { Event } from '../event/event.js';
import { fileEventId } from '../event/ids.js';
import type { ProgramFacts, Story } from '../event/story.js';
import { FilesNow } from '../sensors/file-watch/index.js';
import type { RememberedItem, Store } from '../store/index.js';

/** Programs of one item that are compared; an item that runs more is no update of anything. */
const maxPrograms = 8;
/** A larger program is not read. */
const maxProgramBytes = 512 * 1024 * 1024;
/** Items that are read between two turns of everything else. */
const atOnce = 16;

export interface KnownItemsOptions {
  readonly store: Pick<Store, 'items' | 'stories'>;
  readonly enricher: Pick<Enricher, 'inspect'>;
  readonly root: RootMap;
  readonly boot: string;
  readonly log: Logger;
}

/** What an item that the watcher remembers is, and what the programs are that it runs. */
export class KnownItems {
  readonly #options: KnownItemsOptions;
  readonly #files: FilesNow;
  readonly #stop = new AbortController();

  constructor(options: KnownItemsOptions) {
    this.#options = options;
    this.#files = new FilesNow(options.root);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Begins the stories of the items that were there before the agent: what changes them later may be an update. */
  async findBaseline(): Promise<void> {
    const { store, log } = this.#options;
    let found = 0;
    try {
      for (const [index, item] of store.items.load().entries()) {
        if (this.#stop.signal.aborted) return;
        if (index % atOnce === atOnce - 1) await turn();
        const event = this.#eventOf(item);
        if (event === undefined || !store.stories.found(event)) continue;
        found++;
        const id = event.doc.launchwarden?.persistence?.item_id;
        const story = id === undefined ? undefined : store.stories.get(id);
        const programs = story && (await this.programs(story));
        if (id !== undefined && programs !== undefined) store.stories.setPrograms(id, programs);
      }
      if (found > 0) log.info({ items: found }, 'items that were there before are known');
    } catch (error) {
      log.error({ error: messageOf(error) }, 'items that were there before could not be read');
    }
  }

  /** The programs of an item as they are now; undefined when one of them cannot be read in full. */
  async programs({ path: own, facts }: Story): Promise<Readonly<Record<string, ProgramFacts>> | undefined> {
    const named = [facts.program, ...(facts.runs ?? [])].filter((one) => one?.startsWith('/') === true);
    // What belongs to the item itself is compared with its contents.
    const paths = [...new Set(named as string[])].filter((one) => one !== own && !one.startsWith(`${own}/`));
    if (paths.length > maxPrograms) return undefined;
    const programs: Record<string, ProgramFacts> = {};
    for (const path of paths) {
      const found = await this.#files.hash(path, { maxBytes: maxProgramBytes, signal: this.#stop.signal });
      if (found === undefined) return undefined;
      programs[path] = found === 'missing' ? { sha256: 'missing', uid: -1 } : found;
    }
    return programs;
  }

  /** What an event of the item would say now; undefined when it belongs to no mechanism or has changed meanwhile. */
  #eventOf(item: RememberedItem): Event | undefined {
    if (item.type !== 'file' && item.type !== 'dir') return undefined;
    const { enricher, boot } = this.#options;
    const id = fileEventId('file-watch', boot, item.path, item.inode, item.ctimeNanos, 'found');
    const time = Number(item.ctimeNanos / 1000n);
    const event = (sha256?: string): Event => ({
      id,
      time,
      nanos: 0,
      sequence: 0,
      doc: {
        event: { id, category: ['file'], type: ['info'], action: 'found' },
        file: {
          path: item.path,
          name: item.path.slice(item.path.lastIndexOf('/') + 1),
          type: item.type,
          inode: item.inode,
          mode: item.mode.toString(8).padStart(4, '0'),
          uid: String(item.uid),
          gid: String(item.gid),
          ...(sha256 === undefined ? {} : { hash: { sha256 } }),
        },
      },
    });
    if (enricher.inspect({ event: event() }).doc.launchwarden?.persistence === undefined) return undefined;
    if (item.type === 'dir') return enricher.inspect({ event: event() });
    const read = this.#files.content(item.path, item);
    return read && enricher.inspect({ event: event(read.sha256), content: read.content });
  }
}
