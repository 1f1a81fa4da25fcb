import { redactor } from '../prove/index.js';

/** Names of settings whose values are not handed on, whatever they hold. */
const privateKeys =
  /pass|secret|token|api_key|credential|authorization|cookie|header|private|user(?:name)?$/i;
const removed = '<removed>';
const maxDepth = 30;

/** Takes out what must not be handed on: people, this Mac, receivers, secrets. Texts and JSON values alike. */
export class Cleaner {
  readonly #names: (text: string) => string;
  readonly #receivers: RegExp | undefined;

  constructor(known: {
    readonly people: readonly string[];
    readonly hosts: readonly string[];
    /** Host names of destinations. */
    readonly receivers: readonly string[];
  }) {
    this.#names = redactor(known.people, known.hosts);
    const names = [...new Set(known.receivers)].filter((one) => one.length > 3);
    this.#receivers =
      names.length === 0
        ? undefined
        : new RegExp(names.map((one) => one.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'gi');
  }

  text(text: string): string {
    let clean = text
      // A login in a URL, then its query: both may be secrets.
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"'@]*@/gi, `$1${removed}@`)
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s"'?#]*)\?[^\s"']*/gi, `$1?${removed}`)
      .replace(/\b(Bearer|Basic|ApiKey|Splunk) +[\w+/=.~-]{6,}/gi, `$1 ${removed}`);
    if (this.#receivers !== undefined) clean = clean.replace(this.#receivers, '<receiver>');
    return this.#names(clean);
  }

  value(value: unknown, key = '', depth = 0): unknown {
    if (depth > maxDepth) return removed;
    if (typeof value === 'string') return privateKeys.test(key) ? removed : this.text(value);
    if (Array.isArray(value)) return value.map((one) => this.value(one, key, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    if (privateKeys.test(key)) return removed;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [this.text(name), this.value(one, name, depth + 1)]),
    );
  }
}

/** Fields of a log line about an alert that say nothing about what it holds. */
const ofAlert = new Set(['level', 'time', 'name', 'pid', 'stage', 'msg', 'severity', 'priority', 'revision']);

/** The newest lines of a log, without what alerts hold; a line that is no JSON is left out, and counted. */
export function logLines(text: string, cleaner: Cleaner): { readonly lines: string; readonly left: number } {
  let left = 0;
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      const record = JSON.parse(line) as Record<string, unknown>;
      const isAlert = 'alert' in record || 'rule' in record;
      const kept = Object.entries(record).filter(([key]) => !isAlert || ofAlert.has(key));
      lines.push(JSON.stringify(cleaner.value(Object.fromEntries(kept))));
    } catch {
      left++;
    }
  }
  return { lines: lines.map((line) => `${line}\n`).join(''), left };
}
