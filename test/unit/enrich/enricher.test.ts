import { beforeEach, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { formatMicros } from '../../../src/base/time.js';
import { Enricher } from '../../../src/enrich/index.js';
import type { EcsDocument, FileFields } from '../../../src/event/document.js';
import type { Observation } from '../../../src/event/event.js';
import { findingMeaning } from '../../../src/event/findings.js';
import { persistentItemId } from '../../../src/event/ids.js';
import { InstalledLabels } from '../../../src/mechanisms/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { xml } from '../base/plist/samples.js';

const clock = new ManualClock();
const users = {
  user: (id: number) => (id === 501 ? 'alice' : undefined),
  group: (id: number) => (id === 20 ? 'staff' : undefined),
};
const path = '/Library/LaunchDaemons/com.example.plist';
const good = xml(
  '<dict><key>Label</key><string>com.example</string><key>Program</key><string>/usr/bin/true</string><key>RunAtLoad</key><true/></dict>',
);

let enricher: Enricher;
beforeEach(() => {
  enricher = make();
});

function make(root?: string): Enricher {
  return new Enricher({
    root: new RootMap(root),
    clock,
    version: '1.2.3',
    agentId: 'agent',
    hostId: 'host',
    boot: 'boot',
    users,
  });
}

interface Given {
  readonly id?: string;
  readonly file?: FileFields;
  readonly bytes?: Uint8Array;
  readonly sha256?: string;
  readonly amends?: boolean;
  readonly action?: string;
  readonly truncated?: boolean;
}

function observation({
  id = 'event',
  file,
  bytes,
  sha256 = 'sha',
  amends,
  action = 'modification',
  truncated,
}: Given): Observation {
  const time = clock.now();
  const doc: EcsDocument = {
    '@timestamp': formatMicros(time),
    event: { id, category: ['file'], type: [action === 'deletion' ? 'deletion' : 'change'], action },
    file: {
      path,
      name: 'com.example.plist',
      type: 'file',
      uid: '0',
      gid: '20',
      mode: '0644',
      inode: '7',
      ctime: formatMicros(time),
      hash: { sha256 },
      ...file,
    },
    launchwarden: { sensor: { kind: 'file-watch', precision: 'exact' } },
  };
  return deepFreeze({
    event: { id, time, nanos: 0, sequence: Number.POSITIVE_INFINITY, doc },
    ...(bytes === undefined ? {} : { content: { bytes, size: bytes.length, truncated: truncated ?? false } }),
    ...(amends === undefined ? {} : { amends }),
  });
}

function deepFreeze<T>(value: T): T {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

test('a file event, completed, in the shape of Elastic Defend; what was handed over stays as it was', () => {
  const given = observation({ file: { path: '/Users/alice/x', uid: '501' } });
  const [event, ...more] = enricher.enrich(given);
  expect(more).toEqual([]);
  expect(event).toMatchObject({ id: 'event', time: given.event.time, nanos: 0, sequence: 0 });
  expect(event?.doc).toMatchObject({
    '@timestamp': given.event.doc['@timestamp'],
    message: 'Endpoint file event',
    agent: { id: 'agent', type: 'launchwarden', version: '1.2.3' },
    event: {
      id: 'event',
      kind: 'event',
      category: ['file'],
      type: ['change'],
      action: 'modification',
      module: 'endpoint',
      dataset: 'endpoint.events.file',
      created: formatMicros(clock.now()),
      sequence: 0,
    },
    host: { id: 'host', os: { type: 'macos', family: 'macos', platform: 'macos', name: 'macOS' } },
    file: { owner: 'alice', group: 'staff' },
  });
  expect(event?.doc.labels).toBeUndefined();
});

test('events are numbered in the order in which they came, unless they have a number', () => {
  const numbers = [1, 2, 3].map(() =>
    enricher.enrich(observation({ bytes: good })).map(({ sequence, doc }) => [sequence, doc.event?.sequence]),
  );
  expect(numbers[0]).toEqual([
    [0, 0],
    [1, 1],
  ]);
  const numbered = observation({ file: { path: '/x' } });
  const own = { ...numbered, event: { ...numbered.event, sequence: 77 } };
  expect(enricher.enrich(own)[0]).toMatchObject({ sequence: 77, doc: { event: { sequence: 77 } } });
});

test('a label that imitates one that is installed here is a finding', () => {
  const list = (label: string) => ({
    bytes: Buffer.from(`<plist><dict><key>Label</key><string>${label}</string></dict></plist>`),
  });
  const own = new Enricher({
    ...{ root: new RootMap(), clock, version: '1', agentId: 'a', hostId: 'h', boot: 'b', users },
    installed: () => new InstalledLabels(['com.smallvendor.helper']),
  });
  const findings = (label: string) =>
    own.enrich(observation(list(label)))[0]?.doc.launchwarden?.findings ?? [];
  expect(findings('com.smallvend0r.helper')).toContain('look-alike-label');
  expect(findings('com.smallvendor.helper')).not.toContain('look-alike-label');
  expect(findings('org.other.thing')).not.toContain('look-alike-label');
});

test('a program that changed belongs to the items that run it', () => {
  const given = observation({ file: { path: '/opt/x' } });
  const doc = { ...given.event.doc, launchwarden: { program: { of: [path, '/nowhere'] } } };
  const [event] = enricher.enrich({ ...given, event: { ...given.event, doc } });
  expect(event?.doc.launchwarden?.program?.items).toEqual([persistentItemId('launch-daemon', path)]);
});

test('below a root everything is labelled as simulated', () => {
  const [event] = make('/tmp/root').enrich(observation({}));
  expect(event?.doc.labels).toEqual({ launchwarden_simulated: true });
  expect(event?.doc.host?.os?.type).toBe('macos');
});

test('a launch item is told about twice: as a file and as what persists', () => {
  const [file, persistence, ...more] = enricher.enrich(observation({ bytes: good }));
  expect(more).toEqual([]);
  expect(file?.doc.launchwarden?.plist).toMatchObject({
    format: 'xml',
    label: 'com.example',
    program: '/usr/bin/true',
  });
  expect(file?.doc.launchwarden?.findings).toBeUndefined();
  expect(persistence?.doc).toMatchObject({
    event: {
      id: persistence?.id,
      action: 'launch_daemon',
      category: ['file'],
      type: ['change'],
      dataset: 'endpoint.events.file',
    },
    Persistence: {
      name: 'com.example.plist',
      path,
      runatload: true,
      keepalive: false,
    },
    host: { id: 'host' },
  });
  expect(persistence?.doc.file).toBeUndefined();
  expect(persistence?.id).not.toBe(file?.id);
  expect(persistence?.time).toBe(file?.time);
});

test('the same content gives the same second event, other content another one', () => {
  const id = (given: Given) => make().enrich(observation({ bytes: good, ...given }))[1]?.id;
  expect(id({})).toBe(id({}));
  expect(id({ sha256: 'other' })).not.toBe(id({}));
  expect(id({ file: { inode: '8' } })).not.toBe(id({}));
});

test('a file that was still being written is told about when its content is whole, once', () => {
  const half = good.subarray(0, 250);
  const first = enricher.enrich(observation({ bytes: half, sha256: 'half' }));
  expect(first).toHaveLength(1);
  expect(first[0]?.doc.launchwarden).toMatchObject({
    findings: ['plist-cut'],
    plist: { format: 'xml' },
  });
  clock.pass(40);
  const whole = enricher.enrich(observation({ bytes: good, amends: true }));
  expect(whole).toHaveLength(2);
  expect(whole[0]?.doc.launchwarden?.findings).toBeUndefined();
  // Its time is that of the content, not of the first look.
  expect(whole[1]?.doc['@timestamp']).toBe(formatMicros(clock.now()));
  expect(enricher.enrich(observation({ bytes: good, amends: true }))).toHaveLength(1);
  expect(enricher.enrich(observation({ bytes: good, amends: true, sha256: 'another' }))).toHaveLength(2);
});

test('no second event of a deletion, a folder, a file elsewhere or one that is no property list', () => {
  for (const given of [
    { action: 'deletion', bytes: good },
    { file: { type: 'dir' }, bytes: good },
    { file: { path: '/Users/alice/Documents/x.plist' }, bytes: good },
    { bytes: Buffer.from('x') },
    { bytes: xml('<array/>') },
    { bytes: good.subarray(0, 250) },
    {},
  ])
    expect(enricher.enrich(observation(given))).toHaveLength(1);
});

test.each<[string, Given, string[]]>([
  ['a hidden name', { file: { path: '/Library/LaunchDaemons/.x.plist' } }, ['hidden-name']],
  ['a name that launchd passes over', { file: { path: '/Library/LaunchDaemons/x.txt' } }, ['not-plist-name']],
  [
    'a folder that launchd passes over',
    { file: { path: '/Library/LaunchDaemons/a/x.plist' } },
    ['in-subfolder'],
  ],
  ['a foreign owner', { file: { uid: '501' } }, ['not-owned-by-root']],
  ["a user's own agent", { file: { path: '/Users/alice/Library/LaunchAgents/x.plist', uid: '501' } }, []],
  ['a group that may write', { file: { mode: '0664' } }, ['writable-by-others']],
  ['an empty file', { bytes: new Uint8Array(0) }, ['plist-empty']],
  ['a list', { bytes: xml('<array/>') }, ['not-a-dictionary']],
  [
    "Apple's name in a foreign place",
    {
      bytes: xml(
        '<dict><key>Label</key><string>com.apple.x</string><key>Program</key><string>/x</string></dict>',
      ),
    },
    ['apple-label', 'label-not-file-name'],
  ],
])('found: %s', (_, given, expected) => {
  const [event] = enricher.enrich(observation(given));
  expect(event?.doc.launchwarden?.findings ?? []).toEqual(expected);
  for (const finding of expected) expect(findingMeaning(finding)).toMatch(/\.$/);
});

test('what the sensor found stays', () => {
  const given = observation({ bytes: Buffer.from('x') });
  const doc = {
    ...given.event.doc,
    launchwarden: { ...given.event.doc.launchwarden, findings: ['hard-link'] },
  };
  const [event] = enricher.enrich({ ...given, event: { ...given.event, doc } });
  expect(event?.doc.launchwarden?.findings).toEqual(['hard-link', 'plist-unknown-format']);
});

test('a process event gets its user, its group and, from what ran before, its parent', () => {
  const processEvent = (pid: number, parent: number, id: string): Observation['event'] => ({
    id,
    time: clock.now(),
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatMicros(clock.now()),
      event: { id, category: ['process'], type: ['start'], action: 'exec' },
      process: { pid, entity_id: `entity-${pid}`, name: `name-${pid}`, parent: { pid: parent } },
      user: { id: '501' },
      group: { id: '20' },
    },
  });
  enricher.context(deepFreeze(processEvent(10, 1, 'a')));
  const [event] = enricher.enrich(deepFreeze({ event: processEvent(11, 10, 'b') }));
  expect(event?.doc).toMatchObject({
    message: 'Endpoint process event',
    event: { dataset: 'endpoint.events.process' },
    user: { id: '501', name: 'alice' },
    group: { id: '20', name: 'staff' },
    process: { name: 'name-11', parent: { pid: 10, name: 'name-10', entity_id: 'entity-10' } },
  });
});
