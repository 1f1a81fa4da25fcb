import { readdirSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.js';
import { things } from '../../base/count.js';
import { messageOf, UserError } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import { type LoadedAddon, loadAddon, type NativeEsClient, unpack } from '../addon/index.js';
import { LaggingAnswer } from '../answer.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { type EsKind, esKinds, fileKinds, newestVersion, processKinds } from './message.js';
import { Normaliser } from './normalise.js';
import { type EndpointSecurityOptions, endpointSecurityDefaults } from './options.js';
import { fileReader } from './read-file.js';
import { readRecord } from './read-record.js';
import { troubleOf } from './results.js';
import { type EsTargets, targetsOf } from './targets.js';

export interface EndpointSecuritySensorOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
  /** macOS path patterns that the rules look for, and the launch directories. */
  readonly patterns: readonly string[];
  /** Further ones of which no wildcard reaches into another folder. */
  readonly entries?: readonly string[];
  /** Whether the content of a file is read, beside that of launch items and directory plug-ins. */
  readonly carries?: (macPath: string) => boolean;
  /** Kinds beyond the usual ones that a rule needs: `open`, `setextattr`, `deleteextattr`. */
  readonly more?: readonly EsKind[];
  readonly settings?: Partial<EndpointSecurityOptions>;
  /** For tests: another addon, and the double that its client is to talk to. */
  readonly addon?: LoadedAddon;
  readonly double?: object;
}

const batchesATurn = 8;

/** macOS's own feed of what happens: two clients in the addon, packed batches, one normaliser. */
export class EndpointSecuritySensor implements Sensor {
  readonly kind = 'endpoint-security';
  readonly #options: EndpointSecuritySensorOptions;
  readonly #settings: EndpointSecurityOptions;
  readonly #normaliser: Normaliser;
  readonly #answer: LaggingAnswer;
  #homes: Timer | undefined;
  readonly #counters = { observed: 0, unreadable: 0 };
  #client: NativeEsClient | undefined;
  #sink: SensorSink | undefined;
  #targets: EsTargets = { prefixes: [], literals: [], refused: [] };
  #draining = false;
  #lost = { kernel: 0, queue: 0 };
  #complete: Micros = 0;

  constructor(options: EndpointSecuritySensorOptions) {
    this.#options = options;
    this.#settings = { ...endpointSecurityDefaults, ...options.settings };
    const { root, boot } = options;
    this.#answer = new LaggingAnswer(options.clock, this.#settings.lagMs, () => this.#drain());
    this.#normaliser = new Normaliser(
      { sensor: 'endpoint-security', root, boot },
      fileReader(root, options.carries),
    );
  }

  async start(sink: SensorSink): Promise<void> {
    const { addon = loadAddon(), clock, double, more = [] } = this.#options;
    if (addon.state !== 'loaded')
      throw unusable('addon', addon.reason, 'Build the native addon: npm run build.');
    this.#targets = this.#findTargets();
    const numbers = (kinds: readonly EsKind[]) => kinds.map((kind) => esKinds.indexOf(kind));
    const client = new addon.addon.EndpointSecurityClient(
      {
        processKinds: numbers(processKinds),
        fileKinds: numbers([...fileKinds, ...more]),
        prefixes: this.#targets.prefixes,
        literals: this.#targets.literals,
        queueBytes: this.#settings.queueMb * 1024 * 1024,
      },
      () => this.#drain(),
      double,
    );
    this.#sink = sink;
    this.#client = client;
    const result = client.start();
    if (result !== 0) {
      this.#sink = undefined;
      this.#client = undefined;
      client.stop();
      const trouble = troubleOf(result);
      throw unusable(trouble.code, trouble.message, trouble.hint);
    }
    this.#homes = clock.every(this.#settings.homesMs, () => this.#refreshTargets());
  }

  ask(time: Micros): void {
    this.#answer.ask(time);
  }

  async stop(): Promise<void> {
    this.#homes?.cancel();
    this.#answer.stop();
    const client = this.#client;
    if (client === undefined) return;
    if (!client.stop()) this.#options.logger.warn({}, 'a client of EndpointSecurity could not be closed');
    for (let batch = client.take(); batch !== undefined; batch = client.take()) this.#deliver(batch);
    this.#countLost();
    this.#client = undefined;
    this.#sink = undefined;
  }

  health(): SensorHealth {
    const { prefixes, refused } = this.#targets;
    const counters = this.#client?.counters() ?? {};
    return {
      kind: this.kind,
      running: this.#client !== undefined,
      notes: [
        `EndpointSecurity: all processes, and files below ${things(prefixes.length, 'folder')}`,
        'never run on a Mac by its authors: unproven ("launchwarden prove" asks)',
        ...unknownNotes(counters),
        ...refused.map((pattern) => `not watched, since it would take the whole disk: ${pattern}`),
      ],
      counters: { ...counters, ...this.#counters },
    };
  }

  #drain(): void {
    const client = this.#client;
    if (this.#draining || client === undefined) return;
    const now = this.#options.clock.now();
    for (let count = 0; count < batchesATurn; count++) {
      const batch = client.take();
      if (batch === undefined) {
        this.#countLost();
        this.#mark(now - this.#settings.lagMs * 1000);
        return;
      }
      this.#deliver(batch);
    }
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      this.#drain();
    });
  }

  #mark(time: Micros): void {
    if (time <= this.#complete) return;
    this.#complete = time;
    this.#sink?.completeThrough(time);
  }

  #deliver(batch: Uint8Array): void {
    unpack(batch, (record) => {
      try {
        const message = readRecord(record);
        if (message === undefined) return;
        for (const observation of this.#normaliser.observe(message)) {
          this.#counters.observed++;
          this.#sink?.observe(observation);
        }
      } catch (error) {
        this.#counters.unreadable++;
        this.#options.logger.error({ error: messageOf(error) }, 'message of EndpointSecurity not understood');
      }
    });
  }

  #countLost(): void {
    const { kernel_dropped: kernel = 0, dropped: queue = 0 } = this.#client?.counters() ?? {};
    const lost = kernel - this.#lost.kernel + (queue - this.#lost.queue);
    if (lost <= 0) return;
    const where = kernel > this.#lost.kernel ? 'EndpointSecurity' : 'the queue to JavaScript';
    this.#lost = { kernel, queue };
    const now = this.#options.clock.now();
    const from = this.#complete === 0 ? now : Math.min(this.#complete, now);
    this.#sink?.gap({
      sensor: this.kind,
      reason: 'dropped',
      from,
      to: now,
      lost,
      detail: `${where} dropped messages`,
    });
  }

  #findTargets(): EsTargets {
    const { patterns, entries, root } = this.#options;
    const list = (macPath: string) => {
      try {
        return readdirSync(root.toHost(macPath), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => name);
      } catch {
        return [];
      }
    };
    return targetsOf(patterns, list, entries);
  }

  #refreshTargets(): void {
    const targets = this.#findTargets();
    const same = (a: readonly string[], b: readonly string[]) =>
      a.length === b.length && a.every((one, index) => one === b[index]);
    if (same(targets.prefixes, this.#targets.prefixes) && same(targets.literals, this.#targets.literals))
      return;
    const known = new Set(this.#targets.prefixes);
    const fresh = targets.prefixes.filter((prefix) => !known.has(prefix));
    this.#targets = targets;
    const { clock, logger } = this.#options;
    if (fresh.length > 0) {
      const to = clock.now();
      const from = to - this.#settings.homesMs * 1000;
      const detail = `new folders are watched from now on only: ${fresh.slice(0, 10).join(', ')}`;
      this.#sink?.gap({ sensor: this.kind, reason: 'rescan', from, to, detail });
    }
    if (this.#client?.setTargets(targets.prefixes, targets.literals) === false)
      logger.error({}, 'EndpointSecurity refused a folder: changes in it are not seen');
  }
}

/** What came that this version does not know, and what this system does not have. */
function unknownNotes(counters: Readonly<Record<string, number>>): string[] {
  const types = Object.keys(counters).flatMap((name) => /^unknown_type_(\d+)$/.exec(name)?.[1] ?? []);
  const { newer_version: newer = 0, kinds_refused: refused = 0 } = counters;
  return [
    ...(types.length === 0 ? [] : [`messages of types that are not known here: ${types.join(', ')}`]),
    ...(newer === 0
      ? []
      : [`messages of version ${newer}: up to ${newestVersion} is known, what is new in it is not read`]),
    ...(refused === 0 ? [] : ['this macOS does not tell which launchd jobs begin to serve: 27 and later do']),
  ];
}

function unusable(code: string, message: string, hint: string): UserError {
  return new UserError(`sensor/endpoint-security-${code}`, `EndpointSecurity cannot be used: ${message}`, {
    hint,
  });
}
