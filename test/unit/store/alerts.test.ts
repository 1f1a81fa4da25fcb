import { expect, test } from 'vitest';
import { hashParts } from '../../../src/base/digest.js';
import { UserError } from '../../../src/base/errors.js';
import type { EcsDocument } from '../../../src/event/document.js';
import {
  candidate,
  context,
  detection,
  fileEvent,
  processEvent,
  sampleRule,
  standingClock,
  start,
  temporaryStore,
} from './samples.js';

const own = (doc: EcsDocument) => doc.launchwarden?.['alert'] as Record<string, unknown>;

test('the first commit of a detection makes an alert with its document and a row for each destination', () => {
  const { alerts, outbox } = temporaryStore();
  const { alert, change } = alerts.upsert(detection('a'), context, ['file', 'siem']);
  expect(change).toBe('new');
  expect(alert).toMatchObject({ revision: 1, status: 'open', severity: 'low', riskScore: 21, notes: [] });
  expect(alert.doc.event?.id).toBe(alert.id);
  const limits = { maxItems: 10, maxBytes: 1e6, now: 0 };
  for (const destination of ['file', 'siem']) {
    const rows = outbox.take(destination, 'alert', limits);
    expect(rows).toMatchObject([{ id: alert.id, revision: 1, attempts: 0, lane: 'alert' }]);
    expect(JSON.parse(rows[0]!.body)).toEqual(alert.doc);
  }
});

test('the same or a smaller detection changes nothing', () => {
  const { alerts, outbox } = temporaryStore();
  const big = detection('a', {
    repeats: 3,
    candidates: [candidate(fileEvent('f-a')), candidate(fileEvent('x'), false)],
  });
  const first = alerts.upsert(big, context, ['file']).alert;
  for (const again of [
    big,
    { ...big, repeats: 2 },
    { ...big, candidates: [] },
    { ...big, candidates: [candidate(fileEvent('x'), false)] },
    { ...big, events: [{ ...fileEvent('f-a'), doc: { event: { id: 'f-a' } } }, processEvent('p-a')] },
  ]) {
    const { alert, change } = alerts.upsert(again, { ...context, version: '0.2.0', created: start + 9e6 }, [
      'file',
    ]);
    expect(change).toBe('same');
    expect(alert).toEqual(first);
  }
  expect(outbox.depth('file', 'alert').rows).toBe(1);
});

test.each([
  ['repeats', { repeats: 1 }],
  ['suppressed', { suppressed: 4 }],
  ['a candidate', { candidates: [candidate(fileEvent('x'), false)] }],
  ['a candidate that is named now', { candidates: [candidate(fileEvent('f-a'), true)] }],
  [
    'an event that tells more',
    { events: [fileEvent('f-a', { hash: { sha256: 'ab' } }), processEvent('p-a')] },
  ],
])('growth by %s is the next revision of the same alert', (_, more) => {
  const { alerts, outbox } = temporaryStore();
  const before = alerts.upsert(
    detection('a', { candidates: [candidate(fileEvent('f-a'), false)] }),
    context,
    ['file'],
  ).alert;
  const { alert, change } = alerts.upsert(detection('a', more), { ...context, created: start + 5e6 }, [
    'file',
  ]);
  expect(change).toBe('grown');
  expect(alert).toMatchObject({ id: before.id, revision: 2, created: before.created, updated: start + 5e6 });
  expect(own(alert.doc)).toMatchObject({ revision: 2 });
  expect(alert.doc.event).toMatchObject({ id: before.id, created: before.doc.event?.created });
  // The first one had not been sent: the newer revision goes in its place, as a new alert.
  const sent = outbox.take('file', 'alert', { maxItems: 10, maxBytes: 1e6, now: 0 });
  expect(sent.map(({ revision, update }) => [revision, update])).toEqual([[2, undefined]]);
  expect(alerts.upsert(detection('a', more), context, ['file']).change).toBe('same');
});

test('nothing shrinks when an alert grows', () => {
  const { alerts } = temporaryStore();
  const named = candidate(fileEvent('real', { hash: { sha256: 'cd' } }));
  alerts.upsert(detection('a', { candidates: [named], repeats: 2 }), context, []);
  const { alert } = alerts.upsert(
    detection('a', { candidates: [candidate(fileEvent('late'), false)], repeats: 1, suppressed: 1 }),
    context,
    [],
  );
  expect(own(alert.doc)).toMatchObject({
    repeats: 2,
    suppressed: 1,
    candidate_count: 2,
    file_event_id: 'real',
  });
  expect(alert.doc.file?.hash?.sha256).toBe('cd');
});

test('an amended event reaches every alert that embeds it and is not undone by what detection remembers', () => {
  const { alerts } = temporaryStore();
  const event = fileEvent('f-a', { size: 1_000_000, hash: { sha256: 'half-written' } });
  alerts.upsert(detection('a', { events: [event, processEvent('p-a')] }), context, ['file']);
  alerts.upsert(detection('b', { events: [event, processEvent('p-b')] }), context, ['file']);
  alerts.upsert(detection('c'), context, ['file']);
  const amended = fileEvent('f-a', { size: 9, hash: { sha256: 'whole' } });
  expect(alerts.amendEvent(amended, ['file'])).toBe(2);
  for (const alert of alerts.list().filter(({ revision }) => revision === 2)) {
    expect(alert.doc.file?.hash?.sha256).toBe('whole');
    expect((alert.doc['Events'] as EcsDocument[])[0]).toEqual(amended.doc);
  }
  expect(alerts.amendEvent(amended, ['file'])).toBe(0);
  expect(alerts.list().map(({ revision }) => revision)).toEqual([1, 2, 2]);
  const later = alerts.upsert(
    detection('a', { events: [event, processEvent('p-a')], repeats: 1 }),
    context,
    [],
  );
  expect(later.alert.doc.file?.hash?.sha256).toBe('whole');
});

test('list filters, orders newest first and pages without a gap', () => {
  const { alerts } = temporaryStore();
  const severities = ['low', 'medium', 'high', 'critical'] as const;
  const ids = Array.from({ length: 20 }, (_, n) => {
    const time = start + Math.floor(n / 2) * 1e6;
    return alerts.upsert(detection(`n${n}`, { rule: sampleRule(severities[n % 4]), time }), context, []).alert
      .id;
  });
  expect(alerts.list().map(({ id }) => id)).toEqual([...ids].reverse());
  expect(alerts.list({ severity: ['high', 'critical'] })).toHaveLength(10);
  expect(alerts.list({ rule: 'rule-low' })).toHaveLength(5);
  expect(alerts.list({ since: start + 2e6, until: start + 4e6 })).toHaveLength(4);
  alerts.setStatus(ids[3]!, 'closed', { author: 'bob', text: 'ours' });
  expect(alerts.list({ status: 'closed' }).map(({ id }) => id)).toEqual([ids[3]]);
  const paged: string[] = [];
  for (let before: string | undefined; ; before = paged.at(-1)) {
    const page = alerts.list({ limit: 3, ...(before === undefined ? {} : { before }) });
    if (page.length === 0) break;
    paged.push(...page.map(({ id }) => id));
  }
  expect(paged).toEqual([...ids].reverse());
});

test('an alert is found by a beginning of its id that no other has', () => {
  const { alerts } = temporaryStore();
  const ids = Array.from({ length: 40 }, (_, n) => alerts.upsert(detection(`n${n}`), context, []).alert.id);
  expect(alerts.get(ids[0]!.slice(0, 12))?.id).toBe(ids[0]);
  expect(alerts.get('zzzz')).toBeUndefined();
  expect(alerts.get('')).toBeUndefined();
  expect(() => alerts.get(ids.map((id) => id[0]).find((first, n, all) => all.indexOf(first) !== n)!)).toThrow(
    UserError,
  );
  expect(new Set(alerts.ids())).toEqual(new Set(ids));
});

test('states and notes are kept with author and time, and are changes', () => {
  const clock = standingClock();
  const { alerts } = temporaryStore({ clock });
  const { id } = alerts.upsert(detection('a'), context, []).alert;
  const seq = alerts.lastChange();
  expect(alerts.changesSince(seq)).toEqual({ alerts: [], seq });
  clock.time += 1e6;
  alerts.setStatus(id, 'acknowledged', { author: 'bob', text: 'looking' });
  clock.time += 1e6;
  alerts.addNote(id, { author: 'eve', text: 'a note' });
  expect(alerts.setStatus('nothing', 'closed', { author: 'bob', text: '' })).toBeUndefined();
  expect(alerts.get(id)).toMatchObject({
    status: 'acknowledged',
    revision: 3,
    notes: [
      { time: start + 1e6, author: 'bob', kind: 'acknowledged', text: 'looking' },
      { time: start + 2e6, author: 'eve', kind: 'note', text: 'a note' },
    ],
  });
  const changes = alerts.changesSince(seq);
  expect(changes.alerts.map((alert) => alert.id)).toEqual([id]);
  expect(changes.seq).toBe(alerts.lastChange());
});

test('each alert carries the next link of a chain that anyone can check, also once it has grown', () => {
  const { alerts, outbox } = temporaryStore();
  const none = alerts.chain();
  expect(none).toMatchObject({ length: 0 });
  for (const name of ['a', 'b', 'c']) alerts.upsert(detection(name), context, ['siem']);
  alerts.upsert(detection('b', { repeats: 1 }), context, ['siem']);
  const sent = outbox.take('siem', 'alert', { maxItems: 10, maxBytes: 1e6, now: 0 });
  let previous = alerts.chain().id;
  expect(sent.map(({ revision }) => revision)).toEqual([1, 2, 1]);
  for (const [n, { id, body }] of sent.entries()) {
    const chain = (JSON.parse(body) as EcsDocument).launchwarden?.['chain'] as Record<string, string>;
    const digest = hashParts(['chain', previous, n + 1, id, 1, chain['content']!]);
    const { id: chainId } = alerts.chain();
    const grown = n === 1 ? { revised: expect.any(String) } : {};
    expect(chain).toEqual({
      id: chainId,
      index: n + 1,
      previous,
      content: chain['content'],
      digest,
      ...grown,
    });
    previous = digest;
  }
  expect(alerts.chain()).toMatchObject({ length: 3, digest: previous });
});

test('closed alerts are forgotten when they are old, and only then', () => {
  const clock = standingClock();
  const { alerts } = temporaryStore({ clock });
  const [a, b] = ['a', 'b'].map((name) => alerts.upsert(detection(name), context, []).alert.id) as [
    string,
    string,
  ];
  alerts.setStatus(a, 'closed', { author: 'bob', text: '' });
  expect(alerts.prune(start)).toBe(0);
  expect(alerts.prune(start + 1e9)).toBe(1);
  expect(alerts.ids()).toEqual([b]);
  expect(alerts.upsert(detection('a'), context, []).change).toBe('new');
});

const siem = { destinations: ['siem'], close: true };

test('the agent closes an alert that nobody has worked on, tells why, and opens it again', () => {
  const { alerts, outbox } = temporaryStore();
  const { alert } = alerts.upsert(detection('a'), context, ['siem']);
  const settled = { reason: 'known update', text: 'same label and program' } as const;
  expect(alerts.settle(alert.id, undefined, siem)).toBeUndefined();
  const closed = alerts.settle(alert.id, settled, siem);
  expect(closed).toMatchObject({
    status: 'closed',
    revision: 2,
    priority: { score: 0 },
    notes: [{ author: 'launchwarden', kind: 'closed', text: 'known update: same label and program' }],
  });
  expect(own(closed!.doc)['settled']).toEqual(settled);
  expect(alerts.settle(alert.id, settled, siem)).toBeUndefined();
  const [row] = outbox.take('siem', 'alert', { maxItems: 10, maxBytes: 1e6, now: 0 });
  expect(own(JSON.parse(row!.body) as EcsDocument)['settled']).toBeDefined();
  const grown = alerts.upsert(detection('a', { repeats: 2 }), context, ['siem']).alert;
  expect(own(grown.doc)['settled']).toBeDefined();
  const opened = alerts.settle(alert.id, undefined, siem);
  expect(opened).toMatchObject({ status: 'open', priority: { score: 10 } });
  expect(own(opened!.doc)['settled']).toBeUndefined();
  // A person has to decide from now on.
  expect(alerts.settle(alert.id, settled, siem)).toBeUndefined();
  expect(alerts.ofEvent('f-a').map(({ id }) => id)).toEqual([alert.id]);
});

test('an alert that is not to be closed says all the same that it needs nobody', () => {
  const { alerts } = temporaryStore();
  const { alert } = alerts.upsert(detection('a'), context, []);
  const how = { destinations: [], close: false };
  const settled = { reason: 'known update', text: 'x' } as const;
  expect(alerts.settle(alert.id, settled, how)).toMatchObject({
    status: 'open',
    priority: { score: 0 },
    notes: [],
  });
  expect(alerts.settle(alert.id, undefined, how)).toMatchObject({ status: 'open', priority: { score: 10 } });
});

test('what a person has worked on is left as it is', () => {
  const { alerts } = temporaryStore();
  const settled = { reason: 'exception', text: 'x' } as const;
  for (const status of ['acknowledged', 'open', 'closed'] as const) {
    const { alert } = alerts.upsert(detection(`a-${status}`), context, []);
    // Reopened: what is open already is left as it is, and nobody has decided anything.
    if (status === 'open') alerts.setStatus(alert.id, 'closed', { author: 'alice', text: '' });
    alerts.setStatus(alert.id, status, { author: 'alice', text: '' });
    expect(alerts.settle(alert.id, settled, siem)).toBeUndefined();
    expect(alerts.settle(alert.id, undefined, siem)).toBeUndefined();
  }
});

test('alerts are grouped by item, with the gravest of each and as many ids as are wanted', () => {
  const store = temporaryStore();
  const { alerts } = store;
  const made = (id: string, item: string, severity: 'low' | 'high', at: number) => {
    const file = fileEvent(`f-${id}`);
    const persistence = item === '' ? {} : { persistence: { item_id: item, mechanism: 'launch-agent' } };
    const about = {
      ...file,
      doc: { ...file.doc, launchwarden: { ...file.doc.launchwarden, ...persistence } },
    };
    const found = { rule: sampleRule(severity), events: [about], candidates: [candidate(about)] };
    return alerts.upsert(detection(id, { ...found, time: start + at }), context, []).alert;
  };
  const [a, b, c, d] = [
    made('a', 'one', 'low', 1),
    made('b', 'one', 'high', 2),
    made('c', 'one', 'low', 3),
    made('d', '', 'low', 4),
  ] as const;
  const closed = made('e', 'one', 'high', 5);
  alerts.setStatus(closed.id, 'closed', { author: 'x', text: '' });
  const waiting = { status: ['open', 'acknowledged'] } as const;
  const grouped = (mostIds?: number) => store.reading(() => alerts.groups(waiting, mostIds).groups);
  const facts = { item: 'one', alerts: 3, severity: 'high', time: c.time };
  expect(grouped()).toMatchObject([
    { item: undefined, alerts: 1, severity: 'low', ids: [d.id], time: d.time },
    { ...facts, score: Math.max(a.priority.score, b.priority.score, c.priority.score) },
  ]);
  const all = grouped()[1]?.ids ?? [];
  expect(new Set(all)).toEqual(new Set([a.id, b.id, c.id]));
  expect(grouped(1)[1]).toMatchObject({ ...facts, ids: [all[0]] });
});
