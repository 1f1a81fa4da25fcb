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
  const carried = (field: string, category: string | null, supply = polled) =>
    supply
      .eventsOf(category)
      .filter(({ carries }) => carries(field))
      .map(({ action }) => action);
  expect(carried('process.name', 'process')).toEqual(['exec', 'fork']);
  expect(carried('process.name', 'file')).toEqual([]);
  expect(carried('process.name', null)).not.toEqual([]);
  expect(carried('file.hash.sha256', 'file')).toEqual(['modification', 'rename']);
  expect(carried('file.path', 'file')).not.toContain('launch_daemon');
  expect(carried('Persistence.args', 'persistence')).toEqual(['launch_daemon']);
  expect(polled.eventsOf('network')).toEqual([]);
  const apple = supplyOf(['eslogger']);
  expect(carried('process.name', 'file', apple)).toContain('modification');
  // Elastic documents no arguments on file events (endpoint-package, file/macos).
  expect(carried('process.args', 'file', apple)).toEqual([]);
  expect(carried('process.exit_code', 'process', apple)).toEqual(['end']);
  expect(supplyOf(['capture']).anything).toBe(true);
});

test('what no sensor fills is filled by none', () => {
  for (const name of [
    'process.env_vars',
    'process.hash.sha256',
    'process.end',
    'user.Ext.real.name',
    'file.Ext.entropy',
  ])
    expect(lookupField(name)?.filledBy).toEqual({});
  expect(lookupField('file.attributes')?.filledBy).toEqual({
    'endpoint-security': ['file extended_attributes_delete'],
    eslogger: ['file extended_attributes_delete'],
  });
});

test('the checker and the evaluator know the same functions', () => {
  expect(functionNames().filter((name) => functionNamed(name)?.name !== name)).toEqual([]);
});
