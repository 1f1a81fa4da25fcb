import { expect, test } from 'vitest';
import { tableLines } from '../../../src/cli/output/table.js';

test('one long cell does not make the other rows long', () => {
  const rows = [
    ['a', 'x'.repeat(4_096), '/long'],
    ['b', 'short', '/path'],
  ];
  const columns = [{ title: 'ITEM' }, { title: 'LABEL', flexible: true }, { title: 'PATH', flexible: true }];
  const lines = tableLines(columns, rows, { style: (_name, text) => text, width: undefined });
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400);
  expect(lines[1]).toMatch(/x…x+ {2}\/long$/);
});
