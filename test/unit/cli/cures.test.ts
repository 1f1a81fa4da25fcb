import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../../../src/cli/catalog.js';

const sources = path.resolve(import.meta.dirname, '../../../src');
/** `"sudo launchwarden alerts list`: what a hint, a cure or a help text tells its reader to run. */
const told = /"(?:sudo )?launchwarden ((?:[a-z]+(?:-[a-z]+)* ?)+)/g;

function isCommand(words: readonly string[], entries = catalog.commands ?? []): boolean {
  const [word, ...rest] = words;
  const entry = entries.find(({ name }) => name === word);
  if (entry?.commands === undefined || rest.length === 0) return entry !== undefined;
  return isCommand(rest, entry.commands);
}

test('every command that a text of the program names exists', () => {
  const named = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(path.join(sources, file), 'utf8').matchAll(told)])
    .map(([, words = '']) => words.trim());
  expect(named.length).toBeGreaterThan(50);
  expect([...new Set(named)].filter((words) => !isCommand(words.split(' ')))).toEqual([]);
});
