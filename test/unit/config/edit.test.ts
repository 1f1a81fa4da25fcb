import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { editRuleLists } from '../../../src/config/index.js';

describe('editing the [rules] table', () => {
  test.each([
    ['an empty file', '', '[rules]\ndisabled = ["a"]\n'],
    ['no table', '[log]\nlevel = "info" # why', '[log]\nlevel = "info" # why\n\n[rules]\ndisabled = ["a"]\n'],
    [
      'a table without the key',
      '# top\n[rules] # mine\nbuiltin = true\n[log]\n',
      '# top\n[rules] # mine\ndisabled = ["a"]\nbuiltin = true\n[log]\n',
    ],
    ['a table at the very end', '[rules]', '[rules]\ndisabled = ["a"]\n'],
    [
      'the key in its place',
      '[rules]\ndisabled = [ # old\n  "x", "]",\n] # after\nbuiltin = true\n',
      '[rules]\ndisabled = ["a"] # after\nbuiltin = true\n',
    ],
    ['dotted keys', 'rules.builtin = true\n[log]\n', 'rules.disabled = ["a"]\nrules.builtin = true\n[log]\n'],
    ['the key inside an inline table', 'rules = { disabled = ["x"] }\n', 'rules = { disabled = ["a"] }\n'],
  ])('%s', (_what, text, expected) => {
    expect(editRuleLists(text, { disabled: ['a'] })).toBe(expected);
  });

  test('a folder is added once, behind those that are there', () => {
    const once = editRuleLists('[rules]\nfolders = ["mine"]\n', { addFolder: 'rules' });
    expect(once).toBe('[rules]\nfolders = ["mine", "rules"]\n');
    expect(editRuleLists(once, { addFolder: 'rules' })).toBe(once);
  });

  test('long lists stand one a line, and hostile text is kept as it is', () => {
    const ids = Array.from({ length: 5 }, (_, index) => `${index}"\\\n\u0000\u007f-${'x'.repeat(30)}`);
    const text = editRuleLists('[log]\nlevel = "info"\n', { disabled: ids, enabled: ['b'] });
    expect(parse(text)).toEqual({ log: { level: 'info' }, rules: { disabled: ids, enabled: ['b'] } });
  });

  test('what cannot be edited safely is refused', () => {
    expect(() => editRuleLists('rules = { builtin = true }\n', { disabled: ['a'] })).toThrow(
      expect.objectContaining({ code: 'config/cannot-edit', hint: 'Set disabled by hand.' }),
    );
  });
});
