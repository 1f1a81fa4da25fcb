import { expect, test } from 'vitest';
import { allFields, lookupField, nearestField } from '../../../src/event/fields.js';
import { supplyOf } from '../../../src/event/supply.js';
import { functionNamed } from '../../../src/rules/functions/index.js';
import { functionNames } from '../../../src/rules/index.js';

test('every field has a name of its own, a type and a meaning', () => {
  const names = allFields().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const field of allFields()) {
    expect(field.name).toMatch(/^[@A-Za-z_][\w]*(\.[A-Za-z_]\w*)*$/);
    expect(['keyword', 'long', 'boolean', 'date', 'ip', 'text']).toContain(field.type);
    expect(field.meaning).not.toBe('');
  }
});

test('no field is also the parent of another one', () => {
  const names = allFields().map(({ name }) => name);
  expect(names.filter((name) => names.some((other) => other.startsWith(`${name}.`)))).toEqual([]);
});

test('look-up and the nearest name', () => {
  expect(lookupField('process.args')).toMatchObject({ type: 'keyword', array: true });
  expect(lookupField('event.category')?.array).toBe(true);
  expect(lookupField('process.parent.args')?.unproven).toBe(true);
  expect(lookupField('process.arg')).toBeUndefined();
  expect(nearestField('process.arg')).toBe('process.args');
  expect(nearestField('completely.different.thing')).toBeUndefined();
});

test('what a sensor supplies depends on the kind of event', () => {
  const polled = supplyOf(['process-scan', 'file-watch']);
  expect(polled.fills('process.name', 'process')).toBe(true);
  expect(polled.fills('process.name', 'file')).toBe(false);
  expect(polled.fills('process.name', null)).toBe(true);
  expect(polled.fills('file.path', 'file')).toBe(true);
  expect(polled.fills('Persistence.args', 'persistence')).toBe(true);
  expect(polled.fills('destination.port', 'network')).toBe(false);
  expect(polled.actionsOf('network')).toBeUndefined();
  expect(polled.actionsOf('file')?.has('open')).toBe(false);
  const apple = supplyOf(['eslogger']);
  expect(apple.fills('process.name', 'file')).toBe(true);
  // Elastic documents no arguments on file events (endpoint-package, file/macos).
  expect(apple.fills('process.args', 'file')).toBe(false);
  expect(apple.actionsOf('file')?.has('open')).toBe(true);
  expect(supplyOf(['capture']).fills('anything.at.all', 'network')).toBe(true);
});

test('the checker and the evaluator know the same functions', () => {
  expect(functionNames().filter((name) => functionNamed(name)?.name !== name)).toEqual([]);
});
