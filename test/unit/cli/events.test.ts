import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import type { ProcessFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { event } from './alert-fixture.js';

const at = (second: number) => `2026-11-22T09:00:${String(second).padStart(2, '0')}.000000Z`;

function start(id: string, second: number, process: ProcessFields, user = 'alice'): Event {
  const name = process.executable?.replace(/.*\//, '');
  return event(id, at(second), {
    event: { category: ['process'], type: ['start'], action: 'exec' },
    user: { id: '501', name: user },
    process: { ...process, ...(name === undefined ? {} : { name }) },
  });
}

const shell = { entity_id: 'e-shell', pid: 10, executable: '/bin/zsh' };
const installer = { entity_id: 'e-inst', pid: 11, executable: '/tmp/installer' };
const all: Event[] = [
  start('shell-0001', 1, {
    ...shell,
    args: ['-zsh'],
    parent: { entity_id: 'e-login', pid: 1, executable: '/sbin/launchd' },
  }),
  start('inst-0001', 2, { ...installer, args: ['installer', 'a b'], parent: shell }),
  event('file-0001', at(3), {
    event: { category: ['file'], type: ['change'], action: 'modification' },
    user: { id: '501', name: 'alice' },
    process: { ...installer, name: 'installer', parent: shell },
    file: { path: '/Users/alice/Library/LaunchAgents/x\u001b[2J.plist' },
    launchwarden: { persistence: { item_id: 'item-1' } },
  }),
  start('load-0001', 4, {
    entity_id: 'e-load',
    pid: 12,
    executable: '/bin/launchctl',
    args: ['launchctl', 'load'],
    parent: installer,
  }),
  start('other-0001', 5, { entity_id: 'e-other', pid: 13, executable: '/bin/ls', parent: shell }, 'bob'),
];

function stored(events: readonly Event[] = all): string {
  const dataDir = path.join(tempFolder(), 'data');
  const store = openStore({ dataDir, clock: systemClock });
  store.events.append(events);
  store.close();
  return dataDir;
}

async function listed(dataDir: string, ...options: string[]): Promise<unknown[]> {
  const run = await cli(['events', 'list', '--data-dir', dataDir, '--json', ...options]);
  expect(run.stderr).toBe('');
  return documents(run.stdout).map((one) => one['id']);
}

test('options narrow the choice, the newest come last', async () => {
  const dataDir = stored();
  expect(await listed(dataDir)).toEqual(all.map(({ id }) => id));
  expect(await listed(dataDir, '--limit', '2')).toEqual(['load-0001', 'other-0001']);
  expect(await listed(dataDir, '--category', 'file')).toEqual(['file-0001']);
  expect(await listed(dataDir, '--process', '12')).toEqual(['load-0001']);
  expect(await listed(dataDir, '--user', 'bob')).toEqual(['other-0001']);
  expect(await listed(dataDir, '--path', 'LaunchAgents')).toEqual(['file-0001']);
  expect(await listed(dataDir, '--item', 'item')).toEqual(['file-0001']);
  expect(await listed(dataDir, '--since', at(4), '--until', at(5))).toEqual(['load-0001']);
  expect(await listed(dataDir, '--filter', 'process.name: launchctl or user.name: bob')).toEqual([
    'load-0001',
    'other-0001',
  ]);
  const bad = await cli(['events', 'list', '--data-dir', dataDir, '--filter', 'a: (']);
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain('--filter:1:');
});

test('a table for people, hostile names escaped, and what was left out said', async () => {
  const run = await cli(['events', 'list', '--data-dir', stored(), '--limit', '3'], {
    columns: 120,
    env: { NO_COLOR: '1' },
  });
  expect(run.stdout).toContain('x\\x1b[2J.plist');
  expect(run.stdout).toMatch(/Showing the newest 3, back to [\d-]+ [\d:]+ \(/);
  const none = await cli(['events', 'list', '--data-dir', stored(), '--user', 'carol']);
  expect(none.stdout).toBe(
    'None of 5 events in that time is such a one: 5 events from 2026-11-22T09:00:01Z to 2026-11-22T09:00:05Z are recorded.\n',
  );
  expect((await cli(['events', 'list', '--data-dir', stored([])])).stdout).toBe(
    'Nothing has been recorded yet.\n',
  );
});

test('the process tree of an event: where it came from, and what came from it', async () => {
  const dataDir = stored();
  const run = await cli(['events', 'show', 'file', '--data-dir', dataDir, '--json']);
  const [doc = {}] = documents(run.stdout);
  expect(doc).toMatchObject({ schema: 'launchwarden.event/1', id: 'file-0001' });
  const { processes, complete } = doc['process_tree'] as {
    processes: Record<string, unknown>[];
    complete: boolean;
  };
  expect(complete).toBe(true);
  expect(
    processes.map(({ depth, relation, executable, event_id }) => [depth, relation, executable, event_id]),
  ).toEqual([
    [0, 'ancestor', '/sbin/launchd', null],
    [1, 'ancestor', '/bin/zsh', 'shell-0001'],
    [2, 'self', '/tmp/installer', 'inst-0001'],
    [3, 'descendant', '/bin/launchctl', 'load-0001'],
  ]);
  const shown = await cli(['events', 'show', 'file-0001', '--data-dir', dataDir]);
  expect(shown.stdout).toContain("      11  /tmp/installer 'a b'");
  expect(shown.stdout).toContain('launchwarden.persistence.item_id');
  const unknown = await cli(['events', 'show', 'nothing', '--data-dir', dataDir]);
  expect(unknown.stderr).toContain('events/unknown');
});

test('what is exported is read again, wrapped and bare', async () => {
  const dataDir = stored();
  const folder = tempFolder();
  for (const more of [[], ['--ecs']]) {
    const file = path.join(folder, `events${more.length}.ndjson`);
    const run = await cli([
      'events',
      'export',
      '--data-dir',
      dataDir,
      '--category',
      'process',
      '--output',
      file,
      ...more,
    ]);
    expect(run.code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(documents(readFileSync(file, 'utf8'))).toHaveLength(4);
    const query = 'process where process.name == "launchctl"';
    const found = await cli(['hunt', '--query', query, '--input', file, '--json']);
    expect(found.stdout).toBe('{"events":[2],"join_keys":[]}\n');
    const again = await cli(['events', 'export', '--data-dir', dataDir, '--output', file]);
    expect(again.stderr).toContain('events/not-written');
  }
});
