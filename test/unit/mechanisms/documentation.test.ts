import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Mechanism, mechanisms, type Place } from '../../../src/mechanisms/index.js';

/** Places that a row names; browsers and editors have dozens. */
const named = 6;

function shown({ scope, path, what, extensions }: Place): string {
  const whole = scope === 'home' ? `~/${path}` : path;
  if (what === 'file') return `\`${whole}\``;
  const name = what === 'tree' ? '…' : extensions === undefined ? '*' : `*.${extensions.join(', *.')}`;
  return `\`${whole}/${name}\``;
}

function rowOf({ id, name, techniques, knockKnock, places }: Mechanism): string {
  const first = places.slice(0, named).map(shown);
  const more = places.length - first.length;
  const where = [...first, ...(more === 0 ? [] : [`${more} more`])].join(', ');
  return `| \`${id}\` | ${name} | ${techniques.join(', ')} | ${knockKnock ?? ''} | ${where} |`;
}

test('docs/mechanisms.md has the row of every mechanism, in order', () => {
  const rows = readFileSync('docs/mechanisms.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `') && !line.startsWith('| `launchwarden.'));
  expect(rows).toEqual(mechanisms.map(rowOf));
});
