import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { OutboxItem } from '../../src/forward/index.js';
import { type Rig, rigs } from './destinations.js';
import { alertItem, eventItem, hostile, statusItem } from './receivers/items.js';

const never = new AbortController().signal;

describe.each(Object.entries(rigs))('%s', (_, make) => {
  let rig: Rig;
  const idOf = (item: OutboxItem) => String(JSON.parse(item.body).event.id).slice(0, rig.idLength);

  beforeEach(async () => {
    rig = await make('400ms');
  });

  afterEach(() => rig.close());

  test('every document of every lane arrives, with one verdict each in order', async () => {
    const items = [alertItem('a'), alertItem('b', { seq: 2 }), alertItem('c', { seq: 3 })];
    expect(await rig.destination.send(items, never)).toEqual(items.map(() => ({ kind: 'delivered' })));
    expect(await rig.destination.send([statusItem('s1')], never)).toEqual([{ kind: 'delivered' }]);
    expect(await rig.destination.send([eventItem('e1')], never)).toEqual([{ kind: 'delivered' }]);
    const { lanes = ['alert', 'status', 'event'] } = rig;
    const sent = [
      ...(lanes.includes('alert') ? items.map(idOf) : []),
      ...(lanes.includes('status') ? ['s1'] : []),
      ...(lanes.includes('event') ? ['e1'] : []),
    ];
    expect(rig.stored().length).toBe(sent.length);
    expect(rig.stored()).toEqual(expect.arrayContaining(sent));
  });

  test('hostile text in a document arrives as one document', async () => {
    const items = [
      alertItem('a', { text: hostile }),
      alertItem('b', { text: 'x'.repeat(100_000) }),
      alertItem('c'),
    ];
    expect(await rig.destination.send(items, never)).toEqual(items.map(() => ({ kind: 'delivered' })));
    expect(rig.stored()).toEqual(items.map(idOf));
  });

  test('what is sent again is the same document', async () => {
    const items = [alertItem('a')];
    for (let n = 0; n < 2; n++) {
      const [verdict] = await rig.destination.send(items, never);
      expect(['delivered', 'duplicate']).toContain(verdict?.kind);
    }
    expect(new Set(rig.stored()).size).toBe(1);
  });

  test('a probe says that the receiver is there', async () => {
    expect(await rig.destination.probe(never)).toMatchObject({ ok: true });
  });

  test('a receiver that says nothing is tried again later, within the time limit', async ({ skip }) => {
    if (rig.break === undefined) return skip('it has no receiver');
    rig.break('silent');
    const verdicts = await rig.destination.send([alertItem('a'), alertItem('b')], never);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['retry', 'retry']);
    rig.break('none');
    expect(await rig.destination.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
  });

  test('a receiver that cuts the connection loses nothing', async ({ skip }) => {
    if (rig.break === undefined) return skip('it has no receiver');
    rig.break('reset');
    const verdicts = await rig.destination.send([alertItem('a'), alertItem('b')], never);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['retry', 'retry']);
    expect((await rig.destination.probe(never)).ok).toBe(false);
    rig.break('none');
    expect(await rig.destination.send([alertItem('a')], never)).toEqual([{ kind: 'delivered' }]);
  });

  test('a shutdown ends the wait for a receiver', async ({ skip }) => {
    const patient = await make('1h');
    onTestFinished(() => patient.close());
    if (patient.break === undefined) return skip('it has no receiver');
    patient.break('silent');
    const stop = new AbortController();
    const waiting = patient.destination.send([alertItem('a')], stop.signal);
    stop.abort();
    expect((await waiting).map(({ kind }) => kind)).toEqual(['retry']);
  });

  test('closing twice is closing once', async () => {
    await rig.destination.send([alertItem('a')], never);
    await rig.destination.close();
    await rig.destination.close();
  });
});
