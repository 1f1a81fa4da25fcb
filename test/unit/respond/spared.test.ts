import { expect, test } from 'vitest';
import { isBeyond, neverMoved, sparedBecause } from '../../../src/respond/spared.js';

const hers = '/Users/alice/Library/LaunchAgents/com.example.x.plist';
const ours = '/Library/LaunchDaemons/com.example.x.plist';

test.each([
  ['the home of another', '/Users/bob', hers],
  ['a file of another', '/Users/bob/notes', hers],
  ['a program of the system administrator', '/Library/Corp/agent', hers],
  ['a file of the system', '/private/etc/sudoers', ours],
  ['by a detour', '/opt/evil/../../private/etc/sudoers', ours],
  ['the list of another item', '/Library/LaunchDaemons/com.corp.agent.plist', ours],
  ['launchwarden itself', '/Library/Application Support/launchwarden/bin/launchwarden', ours],
  ['an interpreter', '/opt/tools/python3', ours],
  ['an application', '/Applications/Corp.app/Contents/MacOS/Corp', ours],
])('an item does not choose that %s is moved', (_, path, item) => {
  expect(sparedBecause(path, item)).toBeTypeOf('string');
});

test.each([
  ['/Users/alice/.x/run', hers],
  ['/private/tmp/run', hers],
  ['/Users/Shared/run', hers],
  ['/opt/evil/run', ours],
])('%s goes with its item', (path, item) => {
  expect(sparedBecause(path, item)).toBeUndefined();
});

test('processes of what a user may not change are not ended for the sake of his item', () => {
  expect(isBeyond('/Library/Corp/agent', hers)).toBe(true);
  expect(isBeyond('/Library/Corp/agent', ours)).toBe(false);
});

test.each([
  '/',
  '/Users',
  '/Users/alice',
  '/private/etc',
  '/private/var/db',
  '/Library/LaunchDaemons',
  '/Applications',
])('%s is never moved', (path) => {
  expect(neverMoved(path, '/private/var/db/launchwarden')).toBeTypeOf('string');
});

test('nor are data of launchwarden, and what holds them', () => {
  const data = '/Library/Application Support/launchwarden/data';
  for (const path of [data, `${data}/launchwarden.db`, '/Library/Application Support/launchwarden'])
    expect(neverMoved(path, data)).toBeTypeOf('string');
  expect(neverMoved(hers, data)).toBeUndefined();
});
