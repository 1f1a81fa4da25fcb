import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileQuery, formatDiagnostic, querySource, readRuleFile } from '../../../src/rules/index.js';

/** Each input has the whole text that a person sees beside it, as `<name>.txt`. */
const folder = new URL('../../fixtures/diagnostics/', import.meta.url);
const inputs = readdirSync(folder).filter((name) => !name.endsWith('.txt'));

function shown(name: string): string {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const result = name.endsWith('.toml')
    ? readRuleFile(text, name)
    : compileQuery(name.endsWith('.eql') ? 'eql' : 'kuery', text, querySource(text, name));
  const found =
    'diagnostics' in result ? result.diagnostics : 'rule' in result ? result.rule.warnings : result.warnings;
  return `${(found ?? []).map(formatDiagnostic).join('\n')}\n`;
}

test.each(inputs)('%s', (name) => {
  expect(shown(name)).toBe(readFileSync(new URL(name.replace(/\.\w+$/, '.txt'), folder), 'utf8'));
});

test('no expected text without its input', () => {
  const texts = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  expect(texts.length).toBe(inputs.length);
  expect(existsSync(new URL('unknown-function.txt', folder))).toBe(true);
});
