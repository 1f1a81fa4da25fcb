import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { ToolAnswer } from '../../../src/base/tool.js';
import type { Event, Gap } from '../../../src/event/event.js';
import type { Undo } from '../../../src/prove/journal.js';
import type { FileFacts, ProveSystem, RunningProgram, StartOptions } from '../../../src/prove/system.js';
import type { LoadedAddon } from '../../../src/sensors/addon/index.js';
import type { Sensor, SensorHealth, SensorSink } from '../../../src/sensors/sensor.js';

export type Script = (args: readonly string[]) => Partial<ToolAnswer>;

export interface Scripted {
  /** What programs answer, by macOS path; who is not here is not there. `*` is what any other one would answer. */
  readonly programs?: Readonly<Record<string, Script>>;
  readonly files?: Readonly<Record<string, FileFacts>>;
  readonly texts?: Readonly<Record<string, string>>;
  readonly platform?: NodeJS.Platform;
  readonly simulated?: boolean;
  readonly uid?: number;
  readonly person?: number;
  readonly status?: unknown;
  readonly gaps?: readonly Gap[];
  readonly addon?: LoadedAddon;
  readonly sensor?: Sensor;
  /** What a program that was started does with its output. */
  readonly started?: (args: readonly string[], onData: (chunk: Buffer) => void) => Partial<RunningProgram>;
}

/** A Mac of texts: time passes by waiting alone. */
export class ScriptedSystem implements ProveSystem {
  readonly platform: NodeJS.Platform;
  readonly simulated: boolean;
  readonly uid: number;
  readonly person: number | undefined;
  readonly node = '/usr/local/bin/node';
  readonly signal = new AbortController().signal;
  readonly agent: ProveSystem['agent'];
  readonly deeds: Undo[] = [];
  readonly root: string;
  readonly ran: string[] = [];
  #time = 1_000_000;
  readonly #script: Scripted;

  constructor(script: Scripted = {}) {
    this.#script = script;
    this.platform = script.platform ?? 'darwin';
    this.simulated = script.simulated ?? false;
    this.uid = script.uid ?? 0;
    this.person = script.person;
    this.root = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-test-'));
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
    this.agent = { status: async () => script.status, gaps: async () => script.gaps };
  }

  monotonic(): number {
    return this.#time;
  }

  now(): number {
    return 1_700_000_000e6 + this.#time * 1_000;
  }

  async wait(milliseconds: number): Promise<void> {
    this.#time += milliseconds;
  }

  host(macPath: string): string {
    return path.join(this.root, macPath);
  }

  has(macPath: string): boolean {
    return this.#script.programs?.[macPath] !== undefined;
  }

  facts(macPath: string): FileFacts | undefined {
    return this.#script.files?.[macPath];
  }

  read(macPath: string): Buffer | undefined {
    const text = this.#script.texts?.[macPath];
    return text === undefined ? undefined : Buffer.from(text);
  }

  async run(program: string, args: readonly string[]): Promise<ToolAnswer> {
    this.ran.push([program, ...args].join(' '));
    const answer = (this.#script.programs?.[program] ?? this.#script.programs?.['*'])?.(args);
    return { status: answer === undefined ? null : 0, stdout: '', stderr: '', ...answer };
  }

  start(_program: string, args: readonly string[], { onData = () => {} }: StartOptions = {}) {
    const started = this.#script.started?.(args, onData);
    return { pid: 4711, errorText: () => '', ended: () => false, stop: async () => {}, ...started };
  }

  willUndo(undo: Undo): void {
    this.deeds.push(undo);
  }

  folder(): string {
    const folder = path.join(this.root, `launchwarden-prove-${this.deeds.length}`);
    this.willUndo({ kind: 'folder', path: folder });
    mkdirSync(folder);
    return folder;
  }

  addon(): LoadedAddon {
    return this.#script.addon ?? { state: 'absent', reason: 'no addon' };
  }

  sensor(): Sensor {
    if (this.#script.sensor === undefined) throw new Error('no sensor');
    return this.#script.sensor;
  }
}

/** A sensor that has seen these events as soon as it is started. */
export function scriptedSensor(events: readonly object[], counters: Record<string, number> = {}): Sensor {
  const health: SensorHealth = { kind: 'process-scan', running: true, notes: [], counters };
  return {
    kind: 'process-scan',
    async start(sink: SensorSink) {
      for (const doc of events) sink.observe({ event: { doc } as unknown as Event });
    },
    ask: () => {},
    stop: async () => {},
    health: () => health,
  };
}

interface Job {
  readonly file: string;
  readonly through: string;
}

/** launchd as far as launchctl shows it. Labels are read from XML alone. */
export class ScriptedLaunchd {
  readonly jobs = new Map<string, Job>();
  /** What a job prints that has a place for it. */
  output = '';
  spawnType = 'interactive (4)';
  /** Exit statuses of `print` for what is not there. */
  noDomain = 112;
  noService = 113;
  /** Which property lists it takes, by their content. */
  takes: (content: string) => string | undefined = (content) =>
    /<key>Label<\/key><string>([^<]*)<\/string>/.exec(content)?.[1];
  /** The path that it gives for a job. */
  shows: (job: Job) => string = (job) => job.file;

  readonly script: Script = (args) => {
    const [verb, target = '', file = target] = args;
    if (verb === 'bootstrap' || verb === 'load') return this.#load(file);
    if (verb === 'bootout') return {};
    if (target === 'system') return { stdout: this.#domain() };
    const label = target.replace(/^system\//, '');
    if (label === target) return { status: this.noDomain, stderr: 'Could not find domain' };
    const job = this.jobs.get(label);
    if (job === undefined) return { status: this.noService, stderr: 'Could not find service' };
    return {
      stdout: `${target} = {\n\tpath = ${this.shows(job)}\n\tstate = running\n\tspawn type = ${this.spawnType}\n\tpid = 4711\n}\n`,
    };
  };

  #load(file: string): Partial<ToolAnswer> {
    const bytes = readFileSync(file);
    const content = bytes[0] === 0xff ? bytes.toString('utf16le') : bytes.toString();
    const label = this.takes(content);
    if (label === undefined) return { status: 5, stderr: 'Bootstrap failed: 5: Input/output error' };
    this.jobs.set(label, { file, through: file });
    const output = /<key>StandardOutPath<\/key><string>([^<]*)</.exec(content)?.[1];
    if (output !== undefined && this.output !== '') writeFileSync(output, this.output);
    return {};
  }

  #domain(): string {
    const rows = [...this.jobs.keys()].map((label) => `\t\t    4711      - \t${label}\n`);
    return `system = {\n\tservices = {\n${rows.join('')}\t}\n}\n`;
  }
}
