import { expect, test } from 'vitest';
import { beyondArguments } from '../../../src/detect/beyond-arguments.js';
import type { StepCondition } from '../../../src/rules/index.js';
import { compileQuery, planConditions } from '../../../src/rules/index.js';

function step(text: string): StepCondition {
  const compiled = compileQuery('eql', text);
  if ('diagnostics' in compiled || compiled.query.kind !== 'event') throw new Error(text);
  return compiled.query;
}

const process = (name: string, args_cut: boolean, type = 'start') => ({
  event: { category: ['process'], type: [type] },
  process: { name, args: [name] },
  launchwarden: { process: { args_cut } },
});

function holds(query: string, doc: unknown): boolean {
  const hits: number[] = [];
  planConditions([beyondArguments(step(query))]).match(doc, hits);
  return hits.length === 1;
}

const load = 'process where event.type == "start" and process.name == "launchctl" and process.args : "load"';

test('meets what a step asks beside the arguments, with arguments that are cut', () => {
  expect(holds(load, process('launchctl', true))).toBe(true);
  expect(holds(load, process('launchctl', false))).toBe(false);
  expect(holds(load, process('other', true))).toBe(false);
  expect(holds(load, process('launchctl', true, 'end'))).toBe(false);
});

test.each([
  ['an alternative', 'process where process.name == "launchctl" or process.args : "load"'],
  ['what must not stand there', 'process where not process.args : "unload"'],
  ['a number of arguments', 'process where process.args_count >= 3'],
  ['a function of the line', 'process where stringContains(process.command_line, "load")'],
  ['what launchctl was told', 'process where launchwarden.launchctl.effect in ("load", "unknown")'],
  ['a process that came from another', 'process where descendant of [process where process.name == "x"]'],
])('%s may hold for any process', (_, query) => {
  expect(holds(query, process('other', true))).toBe(true);
  expect(holds(query, process('other', false))).toBe(false);
});

test('an alternative that arguments do not touch stays', () => {
  const query =
    'process where process.name in ("launchctl", "lctl") and (process.args : "load" and process.name : "l*")';
  expect(holds(query, process('lctl', true))).toBe(true);
  expect(holds(query, process('other', true))).toBe(false);
});
