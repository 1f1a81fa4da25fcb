import { expect, test } from 'vitest';
import { isRefused, markText, wakingOptions } from '../../../src/agent/file-events.js';
import { UserError } from '../../../src/base/errors.js';
import { RootMap } from '../../../src/base/root.js';
import type { Addon, LoadedAddon } from '../../../src/sensors/addon/index.js';
import { fileEventsRefused, restlessLimits } from '../../../src/sensors/file-watch/index.js';

const loaded: LoadedAddon = { state: 'loaded', addon: {} as Addon };
const absent: LoadedAddon = { state: 'absent', reason: 'not built' };
const mac = new RootMap();

test('a Mac with the addon is woken by FSEvents, and by libuv when those are refused', () => {
  const ways = wakingOptions({
    root: mac,
    platform: 'darwin',
    since: 'A-B 18446744073709551615',
    addon: loaded,
  });
  expect(ways).toEqual([
    { events: { addon: loaded.addon, since: { history: 'A-B', id: '18446744073709551615' } } },
    { restless: true, limits: restlessLimits },
  ]);
});

test.each([
  ['without the addon', mac, absent],
  ['on a tree', new RootMap('/tmp/tree'), loaded],
])('a Mac %s polls more, since libuv loses file events', (_how, root, addon) => {
  expect(wakingOptions({ root, platform: 'darwin', since: undefined, addon })).toEqual([
    { restless: true, limits: restlessLimits },
  ]);
});

test('elsewhere chokidar wakes as it is', () => {
  expect(wakingOptions({ root: mac, platform: 'linux', since: undefined, addon: loaded })).toEqual([{}]);
});

test.each([undefined, '', 'x', 'h -1', 'h 1 2', 'h 1e9', 'h 123456789012345678901'])(
  'the mark %j is none',
  (since) => {
    const [way] = wakingOptions({ root: mac, platform: 'darwin', since, addon: loaded });
    expect(way?.events?.since).toBeUndefined();
  },
);

test('what is written is read again', () => {
  const mark = { history: '6D2E3C0E-9B5D', id: '42' };
  const [way] = wakingOptions({ root: mac, platform: 'darwin', since: markText(mark), addon: loaded });
  expect(way?.events?.since).toEqual(mark);
});

test('only a refusal of file events leads to the next way', () => {
  expect(isRefused(new UserError(fileEventsRefused, 'no', { hint: '' }))).toBe(true);
  expect(isRefused(new UserError('file-watch/root', 'no', { hint: '' }))).toBe(false);
  expect(isRefused(new Error('x'))).toBe(false);
});
