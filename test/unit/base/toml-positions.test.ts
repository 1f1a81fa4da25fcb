import { expect, test } from 'vitest';
import { TomlPositions } from '../../../src/base/toml-positions.js';

const text = '[rule]\nname = "a"\nquery = """\nany where\\n true"""\n';

test('an offset in a string is found in the document, whenever it is asked for', () => {
  const offset = new TomlPositions(text).offsetsLater(['rule', 'query'], 'any where\n true');
  expect(text.slice(offset(4), offset(4) + 5)).toBe('where');
  expect(text.slice(offset(11))).toMatch(/^true/);
});

test('of another string than the one that stands there the key is told', () => {
  const positions = new TomlPositions(text);
  const key = text.indexOf('query');
  expect(positions.offsetsLater(['rule', 'query'], 'process where true')(4)).toBe(key);
  expect(positions.offsetsLater(['rule', 'nothing'], 'x')(0)).toBe(0);
  expect(positions.of(['rule', 'query'])).toMatchObject({ line: 3, column: 1 });
});
