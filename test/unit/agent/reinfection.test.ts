import { expect, test } from 'vitest';
import { Reinfection } from '../../../src/agent/reinfection.js';
import { silentLogger } from '../../../src/base/log.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { ReinfectionWatch } from '../../../src/store/index.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  processEvent,
  standingClock,
  start,
  temporaryStore,
} from '../store/samples.js';

const minute = 60_000_000;
const path = '/Users/alice/Library/LaunchAgents/evil.plist';

function setUp(...watches: readonly Pick<ReinfectionWatch, 'kind' | 'value'>[]) {
  const clock = standingClock();
  const store = temporaryStore({ clock });
  const file = fileEvent('evil');
  const first = store.alerts.upsert(
    detection('x', { events: [file, processEvent('p')], candidates: [candidate(file)], time: file.time }),
    context,
    [],
  ).alert;
  let revised = 0;
  const reinfection = new Reinfection({
    store,
    clock,
    log: silentLogger,
    destinations: [],
    revised: () => revised++,
  });
  store.reinfection.arm(
    watches.map((one) => ({ ...one, response: '0123456789ab', alert: first.id })),
    start + minute,
  );
  reinfection.load();
  const close = () => store.alerts.setStatus(first.id, 'closed', { author: 'alice', text: 'gone' });
  const now = () => store.alerts.get(first.id)!;
  return { store, clock, first, reinfection, close, now, revised: () => revised };
}

function later(id: string, doc: Partial<EcsDocument> = {}, time = start + 2 * minute): Event {
  const event = fileEvent(id, {}, time);
  return { ...event, doc: { ...event.doc, ...doc } };
}

test.each<[string, Pick<ReinfectionWatch, 'kind' | 'value'>, Partial<EcsDocument>]>([
  ['its path', { kind: 'path', value: path }, { file: { path } }],
  ['its path in another case', { kind: 'path', value: path }, { file: { path: path.toUpperCase() } }],
  [
    'something in its bundle',
    { kind: 'path', value: '/x/Y.dsplug' },
    { file: { path: '/x/y.dsplug/Contents/z' } },
  ],
  ['its label', { kind: 'label', value: 'com.evil' }, { launchwarden: { plist: { label: 'com.evil' } } }],
  [
    'its loaded job',
    { kind: 'label', value: 'com.evil' },
    { file: undefined as never, launchwarden: { job: { label: 'com.evil' } } },
  ],
  ['its content', { kind: 'sha256', value: 'ab' }, { file: { path: '/elsewhere', hash: { sha256: 'ab' } } }],
  [
    'its signer',
    { kind: 'signer', value: 'TEAM/com.evil' },
    { process: { executable: '/x', code_signature: { team_id: 'TEAM', signing_id: 'com.evil' } } },
  ],
])('%s opens the closed alert again, with the event', (_, watch, doc) => {
  const { reinfection, close, now, store, revised } = setUp(watch);
  close();
  reinfection.observed([later('again', doc)]);
  expect(now().status).toBe('open');
  expect(now().notes.at(-1)).toMatchObject({ author: 'launchwarden', kind: 'open' });
  expect(now().notes.at(-1)?.text).toMatch(/event again.*response 0123456789ab/);
  expect(store.reinfection.list()).toMatchObject([{ hits: 1, last: start + 2 * minute }]);
  expect(revised()).toBe(1);
});

test('a new alert is linked with the first one, in both directions', () => {
  const { reinfection, close, now, store } = setUp({
    kind: 'path',
    value: '/Users/alice/Library/LaunchAgents/other.plist',
  });
  close();
  const file = fileEvent('other', {}, start + 2 * minute);
  const second = store.alerts.upsert(
    detection('x', {
      events: [file, processEvent('q', start + 2 * minute + 1)],
      candidates: [candidate(file)],
      time: file.time,
    }),
    context,
    [],
  ).alert;
  reinfection.committed([second]);
  reinfection.committed([second]);
  expect(now().status).toBe('open');
  expect(now().notes.filter(({ text }) => text.includes(second.id))).toHaveLength(1);
  expect(store.alerts.get(second.id)?.notes.at(-1)?.text).toContain(now().id);
});

test.each<[string, Event]>([
  ['before the response', later('x', { file: { path } }, start)],
  ['that goes', later('x', { file: { path }, event: { type: ['deletion'] } })],
  ['that was only found there', later('x', { file: { path }, event: { type: ['info'] } })],
  ['elsewhere', later('x', { file: { path: `${path}.other` } })],
])('what happens %s is none', (_, event) => {
  const { reinfection, close, now } = setUp({ kind: 'path', value: path });
  close();
  reinfection.observed([event]);
  expect(now().status).toBe('closed');
});

test('what launchwarden itself puts there is none, and an alert about it says so; what another puts there is one', () => {
  const { reinfection, close, now, store } = setUp({ kind: 'path', value: path });
  close();
  reinfection.placed(path, '77');
  const own = later('own', { file: { path, inode: '77' } });
  reinfection.observed([own]);
  const alert = store.alerts.upsert(
    detection('x', {
      events: [own, processEvent('r', own.time + 1)],
      candidates: [candidate(own)],
      time: own.time,
    }),
    context,
    [],
  ).alert;
  reinfection.committed([alert]);
  expect(now().status).toBe('closed');
  expect(store.alerts.get(alert.id)?.notes.at(-1)?.text).toContain('launchwarden itself');
  reinfection.observed([later('other', { file: { path, inode: '78' } })]);
  expect(now().status).toBe('open');
});

test('a disarmed response watches for nothing; many hits are counted and told once a minute', () => {
  const { reinfection, now, store } = setUp({ kind: 'path', value: path });
  const notes = now().notes.length;
  for (let count = 0; count < 5; count++)
    reinfection.observed([later(`e${count}`, { file: { path } }, start + 2 * minute + count)]);
  reinfection.observed([later('late', { file: { path } }, start + 4 * minute)]);
  expect(now().notes).toHaveLength(notes + 2);
  expect(store.reinfection.list()[0]?.hits).toBe(6);
  expect(store.reinfection.disarm('0123456789ab')).toBe(1);
  reinfection.load();
  reinfection.observed([later('after', { file: { path } }, start + 9 * minute)]);
  expect(now().notes).toHaveLength(notes + 2);
});
