import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { errnoOf, UserError } from '../../base/errors.js';
import type { RefusedYara, YaraFile } from './files.js';
import { workerCode } from './worker-code.js';

/** A YARA rule that matched. */
export interface YaraMatch {
  readonly rule: string;
  /** The file that holds the rule. */
  readonly file: string;
  readonly tags: readonly string[];
  readonly description?: string;
  /** Where its first patterns were found. */
  readonly strings: readonly { readonly id: string; readonly offset: number; readonly length: number }[];
}

export type YaraAnswer =
  | { readonly matches: readonly YaraMatch[] }
  /** Why the file was not scanned. */
  | { readonly failed: 'time' | 'memory' | 'error'; readonly reason: string };

export interface YaraOptions {
  readonly files: readonly YaraFile[];
  /** Time for one file, milliseconds. */
  readonly fileMs: number;
  /** What the worker may take up, bytes. */
  readonly memoryBytes: number;
  /** Path of a package's main file; for tests. Throws as `require.resolve` when it is not installed. */
  readonly resolve?: (name: string) => string;
}

const packageName = '@virustotal/yara-x';
const compileMs = 120_000;
/** YARA's own limit comes first; where it does not hold (a loop in a condition), the worker is ended. */
const graceMs = 1_000;
/** A worker that is ended has to compile anew: one bad rule is not to take all of the time. */
const maxRestarts = 5;
/** Of its memory, from which on it is started anew before the next file. */
const fullShare = 0.75;
const wasmPage = 65_536;

interface Compiled {
  readonly refused: readonly { readonly index: number; readonly message: string }[];
  readonly used: number;
}

interface Scanned {
  readonly matches: readonly (Omit<YaraMatch, 'file'> & { readonly index: number })[];
  readonly memory: number;
}

/** YARA rules over the bytes of files, in a worker with a budget of time and memory. One scan at a time. */
export class YaraEngine {
  readonly #options: YaraOptions;
  readonly #script: string;
  #worker: YaraWorker | undefined;
  #used: readonly YaraFile[];
  /** What the worker was sent: its answers count these. */
  #sent: readonly YaraFile[] = [];
  #restarts = 0;
  /** Files that do not compile. */
  readonly refused: RefusedYara[] = [];

  private constructor(options: YaraOptions, script: string) {
    this.#options = options;
    this.#script = script;
    this.#used = options.files;
  }

  /** Compiles the rules. Files that do not compile are refused, the others are used. Throws a UserError. */
  static async start(options: YaraOptions): Promise<YaraEngine> {
    const engine = new YaraEngine(options, scriptOf(options.resolve));
    await engine.#begin();
    return engine;
  }

  /** Files whose rules are used. */
  get files(): number {
    return this.#used.length;
  }

  /** `path`: what rules may ask for as `filepath`, `filename` and `extension`. */
  async scan(bytes: Uint8Array, path: string): Promise<YaraAnswer> {
    if (this.#used.length === 0) return { matches: [] };
    if (this.#worker === undefined) {
      if (this.#restarts >= maxRestarts)
        return { failed: 'error', reason: 'YARA was ended too often and is off' };
      await this.#begin();
    }
    const worker = this.#worker as YaraWorker;
    const { fileMs, memoryBytes } = this.#options;
    const filename = path.slice(path.lastIndexOf('/') + 1);
    const extension = /\.[^.]+$/.exec(filename)?.[0] ?? '';
    const message = {
      kind: 'scan',
      bytes,
      names: { filename, filepath: path, extension },
      timeoutMs: fileMs,
    };
    const answer = await worker.ask<Scanned>(message, fileMs + graceMs);
    if ('error' in answer) {
      const isTime = answer.error === 'time' || /time ?out/i.test(answer.error);
      if (answer.broken === true) await worker.end();
      if (!worker.alive) {
        this.#restarts++;
        this.#worker = undefined;
      }
      if (isTime)
        return { failed: 'time', reason: `YARA ran out of time (${Math.round(fileMs / 100) / 10} s)` };
      if (answer.broken === true || /memory/i.test(answer.error))
        return {
          failed: 'memory',
          reason: `YARA ran out of memory (${Math.round(memoryBytes / 2 ** 20)} MiB)`,
        };
      return { failed: 'error', reason: `YARA failed: ${answer.error}` };
    }
    // WebAssembly never gives memory back.
    if (answer.memory > memoryBytes * fullShare) await this.close();
    return {
      matches: answer.matches.map(({ index, ...match }) => ({
        ...match,
        file: this.#sent[index]?.file ?? '',
      })),
    };
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.end();
  }

  async #begin(): Promise<void> {
    const worker = new YaraWorker(this.#script, this.#options.memoryBytes);
    this.#sent = this.#used;
    const texts = this.#sent.map(({ text }) => text);
    const answer = await worker.ask<Compiled>({ kind: 'compile', files: texts }, compileMs);
    if ('error' in answer) {
      await worker.end();
      const why = answer.broken === true ? 'they need more memory than [scan] memory allows' : answer.error;
      throw new UserError('scan/yara-failed', `YARA rules could not be compiled: ${why}`, {
        hint: `Name fewer rules, allow more memory, or try another version of ${packageName}.`,
      });
    }
    for (const { index, message } of answer.refused)
      this.refused.push(refusal(this.#sent[index]?.file ?? '', message));
    const bad = new Set(answer.refused.map(({ index }) => index));
    this.#used = this.#sent.filter((_, index) => !bad.has(index));
    this.#worker = worker;
  }
}

/** `error[E025]: unknown pattern $x`, ` --> line:3:13`, an excerpt: what YARA-X says about a file. */
function refusal(file: string, message: string): RefusedYara {
  const [first = '', ...rest] = message.split('\n');
  const at = /-->\s*line:(\d+):(\d+)/.exec(message);
  const label = rest
    .map((line) => /\^+\s+(.+)$/.exec(line)?.[1])
    .find((text) => text !== undefined && !first.includes(text));
  return {
    file,
    ...(at === null ? {} : { line: Number(at[1]), column: Number(at[2]) }),
    message: `${first.replace(/^error\[\w+\]:\s*/, '')}${label === undefined ? '' : `: ${label}`}`,
  };
}

function scriptOf(resolve = createRequire(import.meta.url).resolve as (name: string) => string): string {
  try {
    // Not an import: the package is there only for those who installed it.
    return pathToFileURL(resolve(packageName)).href;
  } catch (error) {
    if (!/^(?:MODULE_NOT_FOUND|ERR_MODULE_NOT_FOUND)$/.test(errnoOf(error) ?? '')) throw error;
    throw new UserError(
      'scan/no-yara',
      `YARA rules need the package ${packageName}, which is not installed`,
      {
        hint: `Run "npm install ${packageName}@1.20.0" in the program's folder, or scan without YARA rules.`,
      },
    );
  }
}

type Answer<T> = T | { readonly error: string; readonly broken?: boolean };

class YaraWorker {
  readonly #worker: Worker;
  #settle: ((answer: { readonly error: string }) => void) | undefined;
  alive = true;

  constructor(script: string, memoryBytes: number) {
    // Of the whole process, which has no other WebAssembly that is large. A V8 without this flag says so and goes on.
    setFlagsFromString(`--wasm-max-mem-pages=${Math.max(64, Math.ceil(memoryBytes / wasmPage))}`);
    this.#worker = new Worker(workerCode, {
      eval: true,
      workerData: { script, wasm: new URL('./yara_x_js_bg.wasm', script).href },
      env: {},
      stdin: true,
      resourceLimits: { maxOldGenerationSizeMb: Math.max(64, Math.round(memoryBytes / 2 ** 20)) },
    });
    this.#worker.on('error', (error: Error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#fail('its worker ended'));
    this.#worker.unref();
  }

  async ask<T>(message: object, withinMs: number): Promise<Answer<T>> {
    if (!this.alive) return { error: 'its worker ended' };
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Answer<T>>((resolve) => {
      this.#settle = resolve;
      timer = setTimeout(() => resolve({ error: 'time' }), withinMs);
      this.#worker.once('message', resolve);
      this.#worker.postMessage(message);
    });
    clearTimeout(timer);
    this.#settle = undefined;
    this.#worker.removeAllListeners('message');
    if ('error' in (answer as object) && (answer as { error: string }).error === 'time') await this.end();
    return answer;
  }

  async end(): Promise<void> {
    this.alive = false;
    await this.#worker.terminate();
  }

  #fail(error: string): void {
    this.alive = false;
    this.#settle?.({ error });
  }
}
