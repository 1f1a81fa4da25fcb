import { existsSync } from 'node:fs';
import path from 'node:path';
import { knownSchemas, type QuickCheck, quickCheck } from '../../store/index.js';
import { defineProbe, failed, notHere, ok, unknown, warning } from '../probe.js';

/** For each file; a file of some 500 MB is read in that time. */
const budgetMs = 8_000;
const known: Readonly<Record<string, number>> = {
  'launchwarden.db': knownSchemas.main,
  'events.db': knownSchemas.events,
};
const files = Object.keys(known);

export const database = defineProbe({
  name: 'database',
  section: 'Data',
  asks: 'Are the databases sound?',
  async read({ dataDir }) {
    const found: [string, QuickCheck][] = [];
    for (const name of files) {
      const file = path.join(dataDir, name);
      if (existsSync(file)) found.push([name, await quickCheck(file, budgetMs)]);
    }
    return { dataDir, found };
  },
  judge({ dataDir, found }) {
    const lines = found.map(([name, answer]) => `${name}: ${told(answer)}`);
    const is = (state: QuickCheck['state']) => found.some(([, answer]) => answer.state === state);
    if (is('damaged'))
      return failed(
        lines.find((line) => line.includes('damaged')) ?? '',
        'Restart the agent: it sets the file aside, begins anew and tells the destinations.',
        lines,
      );
    const newer = found.flatMap(([name, answer]) =>
      answer.state === 'sound' && answer.schema > (known[name] ?? answer.schema)
        ? [`${name} has schema ${answer.schema}; this version knows schemas up to ${known[name]}`]
        : [],
    );
    if (newer.length > 0)
      return failed(
        newer.join('; '),
        'A newer launchwarden wrote it: install that version or a later one.',
        lines,
      );
    if (found.length === 0) return notHere(`there is none in ${dataDir} that can be seen`);
    if (is('unreadable'))
      return unknown(lines.find((_, at) => found[at]?.[1].state === 'unreadable') ?? '', 'Use sudo.');
    if (is('unfinished'))
      return warning(lines.join('; '), 'Stop the agent and run "doctor --only database" again.');
    return ok(lines.join('; '));
  },
});

function told(answer: QuickCheck): string {
  switch (answer.state) {
    case 'sound':
      return `sound, schema ${answer.schema}`;
    case 'damaged':
      return `damaged: ${answer.problems[0] ?? ''}`;
    case 'unfinished':
      return `nothing bad within ${budgetMs / 1000} s, not read to its end`;
    case 'unreadable':
      return answer.reason;
  }
}
