import { expect, test } from 'vitest';
import { mayHaveDottedKey, nested } from '../../../src/event/nested.js';
import { captureEvent } from '../../../src/sensors/capture/index.js';
import { fc } from '../../helpers/property.js';

/** Every value with the dotted name of its field, arrays opened: what Elasticsearch would index. */
function leaves(node: unknown, name = ''): string[] {
  if (node === null || node === undefined) return [];
  if (typeof node !== 'object') return [`${name}=${JSON.stringify(node)}`];
  if (Array.isArray(node)) return node.flatMap((item) => leaves(item, name));
  return Object.keys(node).flatMap((key) =>
    leaves((node as Record<string, unknown>)[key], name === '' ? key : `${name}.${key}`),
  );
}

function hasDottedKey(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(hasDottedKey);
  return Object.entries(node).some(([key, value]) => key.includes('.') || hasDottedKey(value));
}

const key = fc.constantFrom('a', 'b', 'a.b', 'b.a', 'a.b.c', '__proto__', 'a.__proto__', 'length', '1.a');
const scalar = fc.constantFrom<unknown>(1, 'x', 'a.b', 'q".', '.', true, null, 1.5);
const { tree } = fc.letrec<{ tree: unknown; any: unknown }>((tie) => ({
  tree: fc.dictionary(key, tie('any'), { maxKeys: 5, noNullPrototype: true }),
  any: fc.oneof({ maxDepth: 4 }, scalar, tie('tree'), fc.array(tie('any'), { maxLength: 3 })),
}));

test('no value is lost, none changes its field, and no key is dotted afterwards', () => {
  fc.assert(
    fc.property(tree, (doc) => {
      const expected = leaves(doc).sort();
      const after = nested(doc as object);
      expect(leaves(after).sort()).toEqual(expected);
      expect(hasDottedKey(after)).toBe(false);
      expect(nested(after)).toEqual(after);
    }),
  );
});

test('a text with a dotted key is never taken for one without, however it is spelled', () => {
  const spelled = fc.tuple(tree, fc.constantFrom(undefined, 2, '\t'), fc.constantFrom(':', ' :', '\n: '));
  fc.assert(
    fc.property(spelled, fc.boolean(), ([doc, indent, colon], escaped) => {
      let text = JSON.stringify(doc, undefined, indent).replace(/":/g, `"${colon}`);
      if (escaped) text = text.replace(/(?<=[a-z])\./g, '\\u002e');
      fc.pre(isJson(text));
      if (hasDottedKey(JSON.parse(text))) expect(mayHaveDottedKey(text)).toBe(true);
    }),
  );
  expect(mayHaveDottedKey('{"@timestamp":"2026-11-22T05:40:13.123Z","a":[1.5,"b.c"],"d":"x.y"}')).toBe(false);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('both spellings of one field hold the values of both', () => {
  expect(nested({ 'a.b': 1, a: { b: 2, c: 3 } })).toEqual({ a: { b: [1, 2], c: 3 } });
  expect(nested({ a: { b: { c: 1 }, 'b.d': 2 }, 'a.b.c': [3, 4] })).toEqual({
    a: { b: { c: [1, 3, 4], d: 2 } },
  });
  expect(nested({ a: [{ 'b.c': 1 }], 'a.b.c': 2 })).toEqual({ a: [{ b: { c: 1 } }, { b: { c: 2 } }] });
  expect(nested({ 'a.b': null, a: { b: 1 } })).toEqual({ a: { b: 1 } });
});

test('names without end and nesting without end stay as they are', () => {
  const long = Array.from({ length: 1_000 }, () => 'a').join('.');
  expect(nested({ [long]: 1 })).toEqual({ [long]: 1 });
  let deep: object = { 'x.y': 1 };
  for (let level = 0; level < 100_000; level++) deep = { deep };
  expect(Object.keys(nested(deep))).toEqual(['deep']);
});

test('no document of a capture reaches the prototype of all objects', () => {
  captureEvent('{"__proto__.polluted":1,"a.__proto__.polluted":1,"constructor.prototype.polluted":1}', 0);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('what a capture writes with dots is read as if it were nested', () => {
  const text =
    '{"event.category":"process","event.action":"exec","process.name":"launchctl","process.args":["launchctl","load","/x.plist"]}';
  expect(captureEvent(text, 0)?.doc).toMatchObject({
    process: { name: 'launchctl' },
    launchwarden: { launchctl: { verb: 'load', paths: ['/x.plist'] } },
  });
  expect(captureEvent(text.replace('"exec"', '"fork"'), 0)?.doc).not.toHaveProperty('launchwarden');
});
