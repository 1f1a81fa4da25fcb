import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EcsDocument, PersistentItemFields } from '../../src/event/document.js';
import { mechanisms } from '../../src/mechanisms/index.js';
import { openStore } from '../../src/store/index.js';
import {
  AgentProcess,
  allAlerts,
  cli,
  control,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { type Sample, samples } from '../unit/mechanisms/samples.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/every-mechanism.test.ts needs a C compiler for its launchctl\n');

/** Places that no file sensor watches (`src/agent/watched.ts`): the hourly inventory finds what is new there. */
const inventoryOnly = ['app-extension', 'dock-tile-plug-in', 'editor-extension'];
/** What says nothing odd, of mechanisms whose files change all the time: no alert on a healthy Mac. */
const quiet = [
  '/Users/mara/.vscode/extensions/example.tool-1.0.0',
  '/private/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v13.btm',
  '/private/var/db/dslocal/nodes/Default/users/root.plist',
  '/Library/Managed Preferences/com.apple.screencapture.plist',
  '/Users/mara/Library/Application Support/Google/Chrome/Default/Extensions/abcdefghijklmnopabcdefghijklmnop/1.2_0',
  '/Users/mara/Library/Application Support/Firefox/Profiles/x.default-release/extensions/a@example.xpi',
  '/Users/mara/Library/Containers/com.apple.Safari/Data/Library/Safari/WebExtensions/Extensions.plist',
];

/** One sample a path, with something in it. */
const all = [
  ...new Map(samples.filter(({ items }) => items.length > 0).map((one) => [one.path, one])).values(),
];

/**
 * Every way to persist on macOS that is known, the categories of KnockKnock and the rows of the EDR telemetry table among
 * them, with the mechanisms that stand for it.
 */
const ways: readonly (readonly [way: string, ...ids: string[]])[] = [
  ['launch agents and daemons', 'launch-agent', 'launch-daemon', 'bundled-launch-item', 'user-template'],
  ['settings of launchd', 'launchd-setting'],
  ['background items', 'background-item'],
  ['login items', 'login-item'],
  ['DirectoryService plug-ins', 'directory-service-plug-in', 'open-directory-module'],
  ['authorization plug-ins', 'authorization-plug-in'],
  ['cron and at', 'cron', 'at-job'],
  ['periodic, log rotation', 'periodic', 'log-rotation'],
  ['automount maps', 'automount-map'],
  ['file systems', 'file-system'],
  ['start-up scripts', 'startup-script', 'startup-item'],
  ['login and logout hooks', 'login-hook'],
  ['shell start-up', 'shell-startup'],
  ['event monitor', 'event-monitor'],
  ['kernel and system extensions', 'kernel-extension', 'system-extension'],
  ['browser extensions and policies', 'browser-extension', 'browser-policy'],
  ['app extensions and widgets', 'app-extension'],
  ['Dock tile plug-ins', 'dock-tile-plug-in'],
  ['Quick Look and Spotlight', 'quick-look-generator', 'spotlight-importer'],
  ['inserted libraries and proxies', 'dylib-insertion', 'dylib-proxy'],
  [
    'input methods, screen savers, preference panes, audio, colour pickers, scripting additions',
    ...['input-method', 'screen-saver', 'preference-pane', 'audio-plug-in', 'color-picker'],
    'scripting-addition',
    'program-plug-in',
  ],
  [
    'folder actions, workflows, services, Mail rules, calendar alarms',
    ...['folder-action', 'workflow', 'mail-rule', 'mail-bundle', 'calendar-alarm'],
  ],
  ['re-opened windows', 'reopened-window'],
  ['PAM and sudoers', 'pam', 'sudoers'],
  ['SSH', 'ssh-authorized-key', 'ssh-rc', 'ssh-config'],
  ['configuration profiles', 'configuration-profile'],
  [
    'Dock shortcuts, terminals, editors and other tools',
    ...['tool-startup', 'assistant-hook', 'python-startup'],
    'dock-shortcut',
    'terminal-startup',
    'editor-startup',
    'editor-extension',
    'editor-task',
  ],
  ['package managers', 'homebrew-service', 'git-config', 'npm-config'],
  ['accounts', 'account'],
];
const knockKnock = [
  ...[
    'Authorization Plugins',
    'Background Managed Tasks',
    'Browser Extensions',
    'Cron Jobs',
    'Dir. Services Plugins',
  ],
  ...['Dock Tiles Plugins', 'Library Inserts', 'Library Proxies', 'Event Rules', 'Extensions and Widgets'],
  ...['Kernel Extensions', 'Launch Items', 'Login/Logout Hooks', 'Login Items', 'Periodic Scripts'],
  ...[
    'Quicklook Plugins',
    'Shell Configuration Files',
    'Spotlight Importers',
    'Startup Scripts',
    'System Extensions',
  ],
];

function fileOf({ path, inside }: Sample): string {
  return inside === undefined ? path : `${path}/${inside}`;
}

/** The file that the event is about: of what the inventory found, the item itself. */
function eventPathOf(sample: Sample): string {
  return inventoryOnly.includes(sample.mechanism) ? sample.path : fileOf(sample);
}

test('every mechanism belongs to a way, has a sample, and every way has one', () => {
  expect(new Set(ways.flatMap(([, ...ids]) => ids))).toEqual(new Set(mechanisms.map(({ id }) => id)));
  expect(mechanisms.map(({ id }) => id).filter((id) => !all.some((one) => one.mechanism === id))).toEqual([]);
});

test('the categories of KnockKnock, all twenty', () => {
  expect(new Set(mechanisms.flatMap((one) => one.knockKnock ?? []))).toEqual(new Set(knockKnock));
});

describe.skipIf(!compiler)('real writes on a simulated Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  let events: readonly EcsDocument[] = [];
  let alerted: readonly string[] = [];
  let listed: readonly { readonly mechanism?: string; readonly path?: string }[] = [];

  beforeAll(async () => {
    mac = new SimulatedMac(['mara']);
    // An inventory of nothing would make everything after it a part of the baseline.
    mac.write('/private/etc/profile', 'umask 022\n');
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
    await control(mac.dataDir, 'inventory.refresh');
    for (const sample of all) mac.write(fileOf(sample), sample.content);
    await agent.settled();
    await control(mac.dataDir, 'inventory.refresh');
    // A file may be seen while it is still empty: its event says later what it holds.
    const complete = () => {
      events = storedEvents();
      return all.every((one) => describedOf(one).some(({ entries }) => entries === one.items.length))
        ? true
        : undefined;
    };
    // What is missing after that is named test by test.
    await waitFor('an event of each', complete, 30_000).catch(() => undefined);
    await agent.settled();
    const told = () => {
      alerted = allAlerts(mac).map(({ doc }) => doc.file?.path ?? '');
      return all.every((one) => quiet.includes(one.path) || alertsOf(one).length > 0) ? true : undefined;
    };
    await waitFor('an alert of each', told, 30_000).catch(() => undefined);
    listed = cli(mac, 'inventory', 'list', '--all', '--live', '--json', '--root', mac.root)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }, 120_000);

  /** What the events of a sample say of the item. */
  function describedOf(sample: Sample): PersistentItemFields[] {
    return events.flatMap(({ file, launchwarden }) => {
      const item = launchwarden?.persistence;
      return item?.path === sample.path && file?.path === eventPathOf(sample) ? [item] : [];
    });
  }

  function alertsOf({ path }: Sample): string[] {
    return alerted.filter((one) => one === path || one.startsWith(`${path}/`));
  }

  function storedEvents(): EcsDocument[] {
    const store = openStore({ dataDir: mac.dataDir, clock: systemClock, readOnly: true });
    try {
      return [...store.events.scan({})].map(({ doc }) => doc);
    } finally {
      store.close();
    }
  }

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  describe.each(all.map((one) => [one.mechanism, one.path, one] as const))('%s: %s', (id, path, sample) => {
    test('an event says which item it is and what it holds', () => {
      const described = describedOf(sample);
      expect(described).toContainEqual(
        expect.objectContaining({ mechanism: id, path, entries: sample.items.length }),
      );
      const runs = new Set(described.flatMap((one) => one.runs ?? []));
      for (const one of sample.items.flatMap((item) => item.runs ?? [])) expect([...runs]).toContain(one);
    });

    test(quiet.includes(path) ? 'no alert' : 'an alert', () => {
      expect(alertsOf(sample).length > 0).toBe(!quiet.includes(path));
    });
  });

  test.each(all.map((one) => [one.mechanism, one.path, one] as const))(
    '%s: %s stands in the inventory',
    (id, path, { items }) => {
      const found = listed.filter((one) => one.mechanism === id && one.path === path);
      expect(found).toHaveLength(items.length);
    },
  );
});
