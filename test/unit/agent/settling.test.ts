import { expect, test } from 'vitest';
import { ExceptionKeeper } from '../../../src/agent/exceptions.js';
import { Settling } from '../../../src/agent/settling.js';
import { silentLogger } from '../../../src/base/log.js';
import type { Event } from '../../../src/event/event.js';
import { persistentItemId } from '../../../src/event/ids.js';
import type { ProgramFacts } from '../../../src/event/story.js';
import { tempFolder } from '../../helpers/run-cli.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  processEvent,
  start,
  temporaryStore,
} from '../store/samples.js';

const programs: Record<string, ProgramFacts> = { '/v': { sha256: 'p', uid: 0 } };

function itemEvent(id: string, item: string, more: object = {}): Event {
  const event = fileEvent(id);
  const path = `/Library/LaunchAgents/${item}.plist`;
  const plist = { label: item, program: '/v', runs: ['/v'], ...more };
  return {
    ...event,
    doc: {
      ...event.doc,
      file: { ...event.doc.file, path, uid: '0', hash: { sha256: id.repeat(4) } },
      launchwarden: { plist, findings: [], persistence: { item_id: item, mechanism: 'launch-agent', path } },
    },
  };
}

function setUp(now: () => Record<string, ProgramFacts> | undefined = () => programs, closeUpdates = true) {
  const store = temporaryStore();
  let revised = 0;
  const settling = new Settling({
    store,
    exceptions: new ExceptionKeeper({
      settings: { folder: tempFolder(), folders: [], packs: [] },
      store,
      log: silentLogger,
      replaced: () => {},
    }),
    known: { programs: async () => now() },
    canary: () => undefined,
    closeUpdates,
    destinations: [],
    log: silentLogger,
    revised: () => revised++,
  });
  const known = (item: string) => {
    store.stories.found(itemEvent(`old-${item}`, item));
    store.stories.setPrograms(item, programs);
  };
  const alert = async (id: string, files: readonly Event[], more: Parameters<typeof detection>[1] = {}) => {
    store.stories.observe(files);
    store.events.append(files);
    const events = [files[0] as Event, processEvent(`p-${id}`)];
    const candidates = files.map((one) => candidate(one));
    const made = store.alerts.upsert(detection(id, { events, candidates, ...more }), context, []).alert;
    settling.committed([made]);
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    return store.alerts.get(made.id);
  };
  return { store, settling, known, alert, revised: () => revised };
}

test('an update of a known item is closed by the agent, with the reason in the alert and in the story', async () => {
  const { store, known, alert, revised } = setUp();
  known('a');
  const closed = await alert('x', [itemEvent('f1', 'a')]);
  expect(closed).toMatchObject({ status: 'closed', priority: { score: 0, level: 'low' }, item: 'a' });
  expect(closed?.doc.launchwarden?.['alert']).toMatchObject({ settled: { reason: 'known update' } });
  expect(revised()).toBe(1);
  expect(store.stories.get('a')).toMatchObject({ updates: 1, stage: 'loaded' });
});

test('what is new, has another program, or is odd stays open', async () => {
  const { known, alert } = setUp();
  known('a');
  expect((await alert('new', [itemEvent('f1', 'b')]))?.status).toBe('open');
  expect(
    (await alert('other', [itemEvent('f2', 'a', { program: '/tmp/x', runs: ['/tmp/x'] })]))?.status,
  ).toBe('open');
  const high = { rule: { ...detection('x').rule, severity: 'high' as const } };
  known('c');
  expect((await alert('high', [itemEvent('f3', 'c')], high))?.status).toBe('open');
  const swapped = setUp(() => ({ '/v': { sha256: 'another', uid: 0 } }));
  swapped.known('a');
  expect((await swapped.alert('swap', [itemEvent('f4', 'a')]))?.status).toBe('open');
});

test('a decoy that is an update does not close an alert that names something new as well', async () => {
  const { known, alert } = setUp();
  known('a');
  expect((await alert('x', [itemEvent('f1', 'a'), itemEvent('f2', 'b')]))?.status).toBe('open');
});

test('however many files changed besides, what the load names decides', async () => {
  const { store, known, alert } = setUp();
  known('a');
  // More than a document names.
  const others = Array.from({ length: 120 }, (_, index) => itemEvent(`o${index}`, `other-${index}`));
  store.events.append(others);
  const file = itemEvent('f1', 'a');
  const candidates = [candidate(file), ...others.map((one) => candidate(one, false))];
  expect((await alert('named', [file], { candidates }))?.status).toBe('closed');
  const decoy = itemEvent('f2', 'a');
  const unnamed = [decoy, ...others].map((one) => candidate(one, false));
  expect((await alert('unnamed', [decoy], { candidates: unnamed }))?.status).toBe('open');
});

test('a call that names one launch item belongs to its story, also when nobody knows it', async () => {
  const { store, settling } = setUp();
  const path = '/Library/LaunchDaemons/com.x.plist';
  const file = { path, resolved: '/opt/com.x.plist' };
  const alertOf = (id: string, files: readonly object[]) => {
    const call = processEvent(id);
    const launchwarden = { launchctl: { by: 'name', effect: 'load' }, process: { named_files: files } };
    const events = [{ ...call, doc: { ...call.doc, launchwarden } as Event['doc'] }];
    return store.alerts.upsert(detection(id, { events, candidates: [] }), context, []).alert;
  };
  const one = alertOf('one', [file]);
  const two = alertOf('two', [file, { path: '/Library/LaunchDaemons/com.y.plist' }]);
  settling.committed([one, two]);
  expect(store.alerts.get(one.id)).toMatchObject({
    item: persistentItemId('launch-daemon', path),
    status: 'open',
  });
  expect(store.alerts.get(two.id)?.item).toBeUndefined();
});

test('it is opened again when the item turns out to be another', async () => {
  const { store, settling, known, alert } = setUp();
  known('a');
  const file = itemEvent('f1', 'a');
  expect((await alert('x', [file]))?.status).toBe('closed');
  const evil = itemEvent('f1', 'a', { program: '/tmp/x', runs: ['/tmp/x'] });
  store.stories.observe([evil]);
  store.events.replace(evil);
  store.alerts.amendEvent(evil, []);
  settling.amended('f1');
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  expect(store.alerts.list()).toMatchObject([{ status: 'open', priority: { score: 10 } }]);
});

test('a change that follows at once is held against an update that was closed', async () => {
  const { store, settling, known, alert } = setUp();
  known('a');
  expect((await alert('x', [itemEvent('f1', 'a')]))?.status).toBe('closed');
  const evil = itemEvent('f2', 'a', { program: '/tmp/x', runs: ['/tmp/x'] });
  store.stories.observe([evil]);
  settling.observed([evil]);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  expect(store.alerts.list()).toMatchObject([{ status: 'open' }]);
});

test('alerts about a temporary name belong to the item that it was for, and need nobody when that does not', async () => {
  const { store, known, alert } = setUp();
  known('com.vendor');
  const named = (id: string, name: string, more: object = {}) => {
    const event = itemEvent(id, name, more);
    return event;
  };
  const temporary = named('f1', '.com.vendor.plist.tmp');
  temporary.doc.launchwarden = { ...temporary.doc.launchwarden, findings: ['vanished', 'hidden-name'] };
  expect((await alert('x', [temporary], { candidates: [candidate(temporary, false)] }))?.status).toBe('open');
  const event = named('f2', 'com.vendor');
  expect((await alert('y', [event], { candidates: [candidate(event)] }))?.status).toBe('closed');
  expect(store.alerts.list().map(({ status, item }) => [status, item])).toEqual([
    ['closed', 'com.vendor'],
    ['closed', 'com.vendor'],
  ]);
  expect(store.alerts.groups().groups).toHaveLength(1);
});

test('a call that names another file than those that changed is about that one', async () => {
  const { store, known, alert } = setUp();
  const call = (id: string, named: string): Event => {
    const one = processEvent(id);
    return { ...one, doc: { ...one.doc, launchwarden: { process: { named_files: [{ path: named }] } } } };
  };
  const item = (mechanism: string, name: string) =>
    persistentItemId(mechanism, `/Library/LaunchDaemons/${name}.plist`);
  const id = item('launch-daemon', 'com.vendor');
  store.stories.found(itemEvent('old', id));
  store.stories.setPrograms(id, programs);
  const fresh = itemEvent('f1', 'new');
  const alertOf = (name: string) =>
    alert(`x-${name}`, [fresh], {
      events: [fresh, call(`p-${name}`, `/Library/LaunchDaemons/${name}.plist`)],
      candidates: [{ event: fresh, named: false, link: 'matched' }],
      unlinked: true,
    });
  known('other');
  expect(await alertOf('com.vendor')).toMatchObject({ status: 'closed', item: id });
  expect((await alertOf('com.unknown'))?.status).toBe('open');
});

test('a later stage grows the alert, and is told once', async () => {
  const { store, settling, alert, revised } = setUp();
  const file = itemEvent('f1', 'a');
  const made = await alert('x', [file], { candidates: [{ event: file, named: false, link: 'matched' }] });
  expect(made?.revision).toBe(1);
  const gone: Event = { ...itemEvent('g1', 'a'), time: file.time + 9_000_000 };
  gone.doc.event = { ...gone.doc.event, action: 'deletion' };
  store.stories.observe([gone]);
  settling.observed([gone]);
  settling.observed([gone]);
  const [grown] = store.alerts.list();
  expect(grown).toMatchObject({ status: 'open', revision: 2 });
  expect(grown?.doc.launchwarden?.['story']).toMatchObject({ stage: 'removed' });
  expect(revised()).toBe(1);
  const events = [file, processEvent('p-x')];
  expect(
    store.alerts.upsert(detection('x', { events, candidates: [], repeats: 3 }), context, []).change,
  ).toBe('grown');
  expect(store.alerts.list()[0]?.doc.launchwarden?.['story']).toMatchObject({ stage: 'removed' });
});

test('with close_updates off it is only said', async () => {
  const { known, alert } = setUp(() => programs, false);
  known('a');
  expect(await alert('x', [itemEvent('f1', 'a')])).toMatchObject({ status: 'open', priority: { score: 0 } });
});

test('a known item that is loaded without a change is no news; a new one is', async () => {
  const { store, known, alert } = setUp();
  const loaded = (id: string, item: string): Event => ({
    ...processEvent(id),
    doc: {
      event: { id, action: 'loaded' },
      launchwarden: {
        job: { label: item },
        persistence: { item_id: item, mechanism: 'launch-agent', path: item },
      },
    },
  });
  known('a');
  const none = { candidates: [] };
  expect((await alert('x', [loaded('j1', 'a')], { ...none, events: [loaded('j1', 'a')] }))?.status).toBe(
    'closed',
  );
  store.stories.observe([loaded('j2', 'b')]);
  expect((await alert('y', [loaded('j2', 'b')], { ...none, events: [loaded('j2', 'b')] }))?.status).toBe(
    'open',
  );
  expect(start).toBeGreaterThan(0);
});
