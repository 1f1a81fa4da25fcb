import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One case: a query, events, and which of them it matches. */
export interface Case {
  readonly name: string;
  /** `kuery`, or EQL when absent. */
  readonly language?: 'kuery';
  readonly query: string;
  /** ECS documents in the order of their arrival; `t` stands for @timestamp, in seconds, else its place in the list. */
  readonly events: readonly Record<string, unknown>[];
  /** Indices of events: one a match, or for sequences and samples a list a match, null where a missing event stands. */
  readonly matches: readonly (number | readonly (number | null)[])[];
  readonly join_keys?: readonly (readonly unknown[])[];
  /** Where it is written that it is so. Never our own engine's answer. */
  readonly source: string;
}

export interface FiledCase extends Case {
  /** `eql/null: <name>`. */
  readonly id: string;
}

const folder = new URL('.', import.meta.url);

/** All cases of the corpora that run events; `syntax/` has a runner of its own. */
export function loadCorpus(): FiledCase[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json') && !file.startsWith('syntax') && file !== 'skip.json')
    .sort();
  return files.flatMap((file) => {
    const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Case[];
    const name = file.slice(0, -'.json'.length).split(path.sep).join('/');
    return cases.map((one) => ({ ...one, id: `${name}: ${one.name}` }));
  });
}

/** Cases that are known to fail, by id, with the reason. */
export function loadSkips(): Record<string, string> {
  return JSON.parse(readFileSync(new URL('skip.json', folder), 'utf8')) as Record<string, string>;
}
