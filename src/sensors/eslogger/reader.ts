import type { Observation } from '../../event/event.js';
import { newestVersion } from '../endpoint-security/message.js';
import { Normaliser, type ReadFile } from '../endpoint-security/normalise.js';
import type { DocumentContext } from '../endpoint-security/to-document.js';
import { isOfProcess, readEsloggerLine, sequenceOf } from './read-line.js';

export interface EsloggerReaderOptions extends Omit<DocumentContext, 'sensor'> {
  /** Left out for recordings, whose files are not at hand. */
  readonly readFile?: ReadFile;
  /** Whether file events on a path are wanted; all are when it is left out. */
  readonly wants?: (macPath: string) => boolean;
  /**
   * Every wanted path holds one of these words, in ASCII, or `mayWant` knows it: a line of a file event without one is not
   * parsed.
   */
  readonly words?: readonly string[];
  readonly mayWant?: (line: string) => boolean;
}

/** Events that are wanted whatever paths they name. */
const withoutPath =
  /"(?:exec|fork|exit|btm_launch_item_add|btm_launch_item_remove|bootstrap_check_in)":\s*\{/;

const maxUnknown = 20;

function whole(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}');
}

/** Lines of eslogger, live or recorded, into observations; counts what it cannot use. Never throws. */
export class EsloggerReader {
  readonly counters = {
    lines: 0,
    observed: 0,
    malformed: 0,
    oversized: 0,
    unknown_event: 0,
    unchanged: 0,
    denied: 0,
    unwanted: 0,
    /** Messages that the system dropped, by the gaps of their numbers. */
    kernel_dropped: 0,
  };

  /** Names of events that nobody knows here, and the newest message version beyond those that are known. */
  readonly #unknown = new Set<string>();
  #newer = 0;
  readonly #normaliser: Normaliser;
  readonly #wants: ((macPath: string) => boolean) | undefined;
  readonly #word: RegExp | undefined;
  readonly #mayWant: (line: string) => boolean;
  readonly #toMac: (path: string) => string;
  #nextSequence: number | undefined;

  constructor(options: EsloggerReaderOptions) {
    const { root, boot, readFile, wants, words, mayWant } = options;
    this.#mayWant = mayWant ?? (() => false);
    if (words !== undefined && words.length > 0)
      this.#word = new RegExp(words.map((word) => word.replace(/[^A-Za-z0-9]/g, '\\$&')).join('|'), 'i');
    this.#normaliser = new Normaliser({ sensor: 'eslogger', root, boot }, readFile);
    this.#wants = wants;
    this.#toMac = (path) => root.toMac(path);
  }

  read(line: string): Observation[] {
    this.counters.lines++;
    if (this.#isUnwanted(line)) {
      this.counters.unwanted++;
      this.#count(sequenceOf(line));
      return [];
    }
    const read = readEsloggerLine(line);
    if (!read.ok) {
      this.#count(read.globalSequence);
      this.counters[read.reason === 'unknown-event' ? 'unknown_event' : read.reason]++;
      if (read.name !== undefined && this.#unknown.size < maxUnknown)
        this.#unknown.add(read.name.slice(0, 64));
      return [];
    }
    const { message, globalSequence } = read;
    this.#count(globalSequence);
    if (message.version > newestVersion) this.#newer = Math.max(this.#newer, message.version);
    const { file, other } = message;
    if (
      file !== undefined &&
      this.#wants !== undefined &&
      !this.#wants(this.#toMac(file.path)) &&
      (other === undefined || !this.#wants(this.#toMac(other.path)))
    ) {
      this.counters.unwanted++;
      return [];
    }
    try {
      const observations = this.#normaliser.observe(message);
      this.counters.observed += observations.length;
      return observations;
    } catch {
      // One message that nobody foresaw must not end all the others.
      this.counters.malformed++;
      return [];
    }
  }

  /** What came that this version does not know, one line each. */
  notes(): string[] {
    return [
      ...(this.#unknown.size === 0
        ? []
        : [`events that are not known here: ${[...this.#unknown].join(', ')}`]),
      ...(this.#newer === 0
        ? []
        : [
            `messages of version ${this.#newer}: up to ${newestVersion} is known, what is new in it is not read`,
          ]),
    ];
  }

  /** A line that was too long to be kept. */
  skipOversized(): void {
    this.counters.lines++;
    this.counters.oversized++;
  }

  /** A new run of eslogger counts from 0. */
  restarted(): void {
    this.#nextSequence = undefined;
  }

  /** What can be told without parsing it. */
  #isUnwanted(line: string): boolean {
    if (this.#word === undefined || !whole(line)) return false;
    // Found faster than the words.
    if (isOfProcess(line)) return false;
    return !this.#word.test(line) && !withoutPath.test(line) && !this.#mayWant(line);
  }

  #count(sequence: number | undefined): void {
    if (sequence === undefined) return;
    const expected = this.#nextSequence;
    this.#nextSequence = sequence + 1;
    if (expected !== undefined && sequence > expected) this.counters.kernel_dropped += sequence - expected;
  }
}
