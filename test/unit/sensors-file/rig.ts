import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import type { Event, Observation } from '../../../src/event/event.js';
import {
  type FileWatchLimits,
  FileWatchSensor,
  type FileWatchSensorOptions,
  type ItemChange,
  type RememberedItem,
} from '../../../src/sensors/file-watch/index.js';
import { RecordingSink } from '../../contract/sensor.contract.js';
import { waitFor } from '../../simulation/mac.js';

export const agents = '/Library/LaunchAgents';
/** For `expect.poll`: a busy machine is no failure. */
export const patient = { timeout: 15_000 };

export const plugIns = '/Library/DirectoryServices/PlugIns';

export interface RigOptions {
  readonly patterns?: readonly string[];
  readonly limits?: Partial<FileWatchLimits>;
  readonly remembered?: Iterable<RememberedItem>;
  readonly completeThrough?: number;
  readonly clock?: Clock;
  /** Not to wait for the first scan. */
  readonly early?: boolean;
  readonly events?: FileWatchSensorOptions['events'];
  readonly restless?: boolean;
  readonly homes?: FileWatchSensorOptions['homes'];
  readonly entries?: readonly string[];
  readonly inHomes?: readonly string[];
  readonly carries?: (macPath: string) => boolean;
}

/** A folder that stands for a Mac, and a file watcher on it. */
export class Rig {
  readonly base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-files-')));
  readonly root = path.join(this.base, 'root');
  readonly sink = new RecordingSink();
  readonly items = new Map<string, RememberedItem>();
  sensor: FileWatchSensor | undefined;
  #heart: NodeJS.Timeout | undefined;

  constructor() {
    this.folder(agents);
    this.folder('/Users/alice/Library');
    this.folder(plugIns);
  }

  host(macPath: string): string {
    return this.root + macPath;
  }

  folder(macPath: string): string {
    mkdirSync(this.host(macPath), { recursive: true });
    return this.host(macPath);
  }

  write(macPath: string, content: string | Uint8Array = 'x'): string {
    this.folder(path.dirname(macPath));
    writeFileSync(this.host(macPath), content);
    return this.host(macPath);
  }

  async start(options: RigOptions = {}): Promise<FileWatchSensor> {
    const { patterns = [], limits, remembered, completeThrough, clock = systemClock } = options;
    const { events, restless, homes, entries, inHomes, carries } = options;
    this.sensor = new FileWatchSensor({
      root: new RootMap(this.root),
      clock,
      logger: silentLogger,
      boot: 'boot',
      patterns,
      onItem: (change: ItemChange) => {
        if ('gone' in change) this.items.delete(change.path);
        else this.items.set(change.path, change);
      },
      ...(limits === undefined ? {} : { limits }),
      ...(events === undefined ? {} : { events }),
      ...(restless === undefined ? {} : { restless }),
      ...(homes === undefined ? {} : { homes }),
      ...(entries === undefined ? {} : { entries }),
      ...(inHomes === undefined ? {} : { inHomes }),
      ...(carries === undefined ? {} : { carries }),
      ...(remembered === undefined ? {} : { state: { load: () => remembered, completeThrough } }),
    });
    this.sink.sensor = this.sensor;
    await this.sensor.start(this.sink);
    if (options.early !== true)
      await waitFor('the first scan', () => (this.sensor?.compared === false ? undefined : true));
    // As the agent does, and more often: tests wait for what only a question makes the watcher look at.
    this.#heart = setInterval(() => this.sensor?.ask((Date.now() - 200) * 1000), 100);
    return this.sensor;
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    await this.sensor?.stop();
    this.sensor = undefined;
  }

  /** Waits until the watcher has told everything that happened up to now. */
  async quiet(): Promise<void> {
    await this.sink.completePast(Date.now() * 1000);
  }

  /** Actions of all events about a path so far, in order of arrival. */
  actions(macPath: string): string[] {
    return this.eventsOf(macPath).map((event) => event.doc.event?.action ?? '');
  }

  eventsOf(macPath: string): Event[] {
    return this.sink.events.filter((event) => event.doc.file?.path === macPath);
  }

  event(macPath: string, action = 'modification'): Promise<Event> {
    return waitFor(`${action} of ${macPath}`, () =>
      this.eventsOf(macPath).find((event) => event.doc.event?.action === action),
    );
  }

  /** The newest observation of an event, amendments included. */
  latest(id: string): Observation | undefined {
    return this.sink.observations.findLast((one) => one.event.id === id);
  }

  /** What the newest observation of a path carried away, as text. */
  content(macPath: string): string | undefined {
    const last = this.sink.observations.findLast(
      (one) => one.event.doc.file?.path === macPath && one.content !== undefined,
    );
    return last?.content === undefined ? undefined : Buffer.from(last.content.bytes).toString('utf8');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.base, { recursive: true, force: true });
  }
}
