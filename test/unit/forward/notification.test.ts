import * as v from 'valibot';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { NotificationDestination } from '../../../src/forward/notification/notification.js';
import { notificationOptions } from '../../../src/forward/notification/options.js';
import { alertItem, hostile, statusItem } from '../../contract/receivers/items.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { standInDesktop } from '../../helpers/stand-in-desktop.js';

const never = new AbortController().signal;

function rig(settings: object = {}) {
  const root = tempFolder();
  const desktop = standInDesktop(root);
  const clock = new ManualClock();
  const options = v.parse(notificationOptions, { type: 'notification', least: 'low', ...settings });
  const destination = NotificationDestination.open('desk', options, { clock, root });
  onTestFinished(() => destination.close());
  return { desktop, clock, destination };
}

test('the text is an argument of a script that never changes, and hostile text in it is inert', async () => {
  const { desktop, destination } = rig();
  const item = alertItem('a', { text: `"; do shell script "touch /tmp/x" -- ${hostile}` });
  expect(await destination.send([item], never)).toEqual([{ kind: 'delivered' }]);
  const [shown] = desktop.shown();
  expect(shown?.args.slice(0, 14)).toEqual([
    'asuser',
    shown?.uid,
    '/usr/bin/sudo',
    '-n',
    '-u',
    `#${shown?.uid}`,
    '--',
    '/usr/bin/osascript',
    '-e',
    'on run argv',
    '-e',
    'display notification (item 1 of argv) with title (item 2 of argv) sound name "Funk"',
    '-e',
    'end run',
  ]);
  expect(shown?.args).toHaveLength(16);
  expect(shown?.text).toMatch(/^Priority \w+: .*do shell script.*\(launchwarden alerts show \w+\)$/);
  expect(shown?.text).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
});

test('a flood is a few notifications and one that counts the rest, once there is room', async () => {
  const { desktop, clock, destination } = rig({ most: 2 });
  const items = ['a', 'b', 'c', 'd', 'e'].map((name) => alertItem(name));
  expect(await destination.send(items, never)).toEqual(items.map(() => ({ kind: 'delivered' })));
  expect(desktop.shown()).toHaveLength(2);
  clock.pass(600_000);
  await vi.waitFor(() => expect(desktop.shown()).toHaveLength(3), 10_000);
  expect(desktop.shown()[2]?.text).toContain('3 more alerts');
});

test('a revision is not told again, a low priority and word about the agent not at all', async () => {
  const { desktop, destination } = rig();
  await destination.send([alertItem('a'), alertItem('a', { revision: 2 }), statusItem('s')], never);
  expect(desktop.shown()).toHaveLength(1);
  const strict = rig({ least: 'critical' });
  expect(await strict.destination.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
  expect(strict.desktop.shown()).toEqual([]);
});

test('a revision that is worse is told again', async () => {
  const { desktop, destination } = rig();
  const item = alertItem('a');
  await destination.send([item], never);
  const doc = JSON.parse(item.body) as { launchwarden: { alert: { priority: object } } };
  doc.launchwarden.alert.priority = { score: 90, level: 'critical', reasons: [] };
  await destination.send([{ ...item, revision: 2, update: true, body: JSON.stringify(doc) }], never);
  expect(desktop.shown().map(({ text }) => text.split(':')[0])).toEqual([
    expect.stringMatching(/^Priority (?:low|medium|high)$/),
    'Priority critical',
  ]);
});

test('while nobody is logged in alerts wait', async () => {
  const { desktop, destination } = rig();
  desktop.loggedIn(false);
  const waiting = await destination.send([alertItem('a'), alertItem('b')], never);
  expect(waiting).toMatchObject([
    { kind: 'retry', reason: 'nobody is logged in at the screen' },
    { kind: 'retry' },
  ]);
  desktop.loggedIn(true);
  expect(await destination.send([alertItem('a'), alertItem('b')], never)).toEqual([
    { kind: 'delivered' },
    { kind: 'delivered' },
  ]);
  expect(desktop.shown()).toHaveLength(2);
});

test('without a desktop of macOS it is parked with the reason', () => {
  const options = v.parse(notificationOptions, { type: 'notification' });
  const clock = new ManualClock();
  expect(() => NotificationDestination.open('d', options, { clock, platform: 'linux' })).toThrow(UserError);
  expect(() => NotificationDestination.open('d', options, { clock, root: tempFolder() })).toThrow(
    '/bin/launchctl',
  );
});
