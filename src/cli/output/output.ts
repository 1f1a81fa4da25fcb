import { systemClock } from '../../base/clock.js';
import { escapeJson, escapeText, markConfusable } from '../../base/escape.js';
import type { CliIo } from '../io.js';
import { type Style, styleFor } from './style.js';
import { localTimes, type Times, utcTimes } from './when.js';

/** Standard output of one command: text for people, or NDJSON documents for programs. */
export interface Output {
  readonly style: Style;
  /** Cells of the terminal; undefined when output goes elsewhere and nothing need be cut. */
  readonly width: number | undefined;
  /** Lines of the terminal; undefined when output goes elsewhere. */
  readonly height: number | undefined;
  /** Points in time for people: local on a terminal, UTC elsewhere. Documents always say UTC. */
  readonly times: Times;
  /** One line, or several with line feeds, of text that is already safe. */
  line(text?: string): void;
  /** One versioned document: `schema` first, `launchwarden.<name>/<version>`. */
  document(schema: string, fields: object): void;
}

/** JSON in one line that is safe to print and reads back as the same text. */
export function jsonLine(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

export function createOutput(io: CliIo): Output {
  const { stdout } = io;
  let times: Times | undefined;
  return {
    get height() {
      return stdout.isTTY && stdout.rows !== 0 ? stdout.rows : undefined;
    },
    get times() {
      times ??= stdout.isTTY ? localTimes(systemClock.now()) : utcTimes;
      return times;
    },
    style: styleFor(io, stdout),
    // A serial line or the terminal of a script says 0: it does not know.
    get width() {
      return stdout.isTTY && stdout.columns !== 0 ? stdout.columns : undefined;
    },
    line: (text = '') => stdout.write(`${text}\n`),
    document: (schema, fields) =>
      stdout.write(`${jsonLine({ schema: `launchwarden.${schema}`, ...fields })}\n`),
  };
}

export { counted } from '../../base/count.js';

/** One line that is safe to print, of anything that a document may hold. Undefined when there is nothing. */
export function safe(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return escapeText(markConfusable(value));
  return escapeText(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
