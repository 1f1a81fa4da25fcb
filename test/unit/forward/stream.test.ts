import { expect, test } from 'vitest';
import type { Verdict } from '../../../src/forward/index.js';
import { Stream } from '../../../src/forward/stream.js';
import type { OutboxRow, Settlement } from '../../../src/store/outbox.js';

/** A stream with a clock; `ask` sends one row and returns what became of it. */
function streamOf() {
  const stream = new Stream('alert');
  let steady = 0;
  let taken = 1000;
  const settled: Settlement[] = [];
  const row = (seq: number): OutboxRow => ({
    ...{ seq, lane: 'alert', id: `r${seq}`, revision: 1, body: '{}', attempts: 0 },
  });
  const at = () => ({ now: steady, steady, random: () => 0, receiver: 'siem' });
  const ask = (seqs: readonly number[], verdict: (seq: number) => Verdict) => {
    const some = stream.judge(seqs.map(row), seqs.map(verdict), at());
    settled.push(...some);
    return some.map(({ outcome, seq }) => `${outcome} ${seq}`);
  };
  return {
    ...{ stream, settled, ask },
    dead: () => settled.filter(({ outcome }) => outcome === 'dead').map(({ seq }) => seq),
    pass: (milliseconds: number) => {
      steady += milliseconds;
    },
    /** Another row goes through. */
    accept: () => ask([taken++], () => ({ kind: 'delivered' })),
    blocked: () => Math.max(0, stream.blockedMs(steady)),
  };
}

const bad: Verdict = { kind: 'split', reason: 'HTTP 400' };

test.each<[string, Verdict]>([
  ['429', { kind: 'retry', reason: '429' }],
  ['503', { kind: 'retry', reason: '503' }],
  ['no reply', { kind: 'retry', reason: 'ECONNRESET' }],
])('%s is charged to no row, however often and whatever else goes through', (_, verdict) => {
  const { ask, accept, pass, dead, settled } = streamOf();
  for (let n = 0; n < 200; n++) {
    ask([1], () => verdict);
    accept();
    ask([1, 5000 + n], (seq) => (seq === 1 ? verdict : { kind: 'delivered' }));
    pass(400_000);
  }
  expect(dead()).toEqual([]);
  expect(settled.filter((one) => one.outcome === 'retry' && one.charged === true)).toEqual([]);
});

test('a row dies when it is rejected again and again right after others went through, not before', () => {
  const { ask, accept, stream, dead } = streamOf();
  for (let n = 0; n < 50; n++) ask([1], () => bad);
  expect(dead()).toEqual([]);
  accept();
  expect(stream.wanted).toBe(1);
  let requests = 0;
  for (; stream.wanted === 1; requests++) ask([1], () => bad);
  expect([requests, dead()]).toEqual([3, []]);
  accept();
  for (; stream.wanted === 1; requests++) ask([1], () => bad);
  expect([requests, dead()]).toEqual([7, [1]]);
});

test('a rejection long after an acceptance proves nothing', () => {
  const { ask, accept, pass, dead } = streamOf();
  for (let n = 0; n < 50; n++) {
    accept();
    pass(3_600_000);
    for (let k = 0; k < 9; k++) ask([1], () => bad);
  }
  expect(dead()).toEqual([]);
});

test('trouble in between makes what was proven before worth nothing', () => {
  const { ask, accept, dead } = streamOf();
  for (let n = 0; n < 50; n++) {
    accept();
    ask([1], () => bad);
    ask([1], () => bad);
    ask([2], () => ({ kind: 'retry', reason: '502' }));
    for (let k = 0; k < 5; k++) ask([1], () => bad);
  }
  expect(dead()).toEqual([]);
});

test.each([2, 3])(
  'of %i machines behind an address one rejects everything: no sound row dies',
  (machines) => {
    const { ask, dead, stream, pass } = streamOf();
    let request = 0;
    const left = new Set(Array.from({ length: 60 }, (_, n) => n + 1));
    for (let n = 0; n < 4000 && left.size > 0; n++) {
      const seq = stream.wanted ?? [...left][n % left.size]!;
      if (
        ask([seq], () => (request++ % machines === 0 ? bad : { kind: 'delivered' })).includes(
          `delivered ${seq}`,
        )
      )
        left.delete(seq);
      else if (stream.wanted === undefined) pass(400_000);
    }
    expect([dead(), left.size]).toEqual([[], 0]);
  },
);

test('one of a batch that is rejected by name, while another one is accepted, dies at once', () => {
  const { ask } = streamOf();
  const verdict = (seq: number): Verdict =>
    seq === 2 ? { kind: 'poison', reason: 'mapping' } : { kind: 'delivered' };
  expect(ask([1, 2, 3], verdict)).toEqual(['delivered 1', 'delivered 3', 'dead 2']);
});

test('a batch of which each document is named bad is no batch of bad documents', () => {
  const { ask, stream, dead, blocked } = streamOf();
  const verdict = (): Verdict => ({ kind: 'poison', reason: 'a broken template' });
  expect(ask([1, 2, 3, 4], verdict)).toEqual([]);
  expect(stream.share).toBe(2);
  for (const seq of [1, 2, 3]) ask([seq], verdict);
  expect(dead()).toEqual([]);
  expect([stream.standing(0), blocked() > 0]).toEqual(['rejecting', true]);
});

test('a filter that answers 403 to one document stops no other', () => {
  const { ask, accept, stream, blocked } = streamOf();
  const forbidden: Verdict = { kind: 'pause', reason: '403', cause: 'auth' };
  accept();
  expect(ask([1, 2, 3, 4], () => forbidden)).toEqual([]);
  expect([blocked(), stream.share]).toEqual([0, 2]);
  expect(ask([1, 2], () => ({ kind: 'delivered' }))).toHaveLength(2);
  // From the first request on it is a refusal of everything.
  const other = streamOf();
  other.ask([1, 2, 3, 4], () => forbidden);
  expect(other.stream.standing(0)).toBe('refused');
  // So is 401 at any time.
  accept();
  ask([3, 4], () => ({ ...forbidden, certain: true }) as Verdict);
  expect(stream.standing(0)).toBe('refused');
});

test('a receiver that names a time of a moment again and again is not asked all the time', () => {
  const { ask, blocked, pass } = streamOf();
  for (let n = 0; n < 12; n++) {
    ask([1, 2], () => ({ kind: 'retry', reason: 'channel missing', afterMs: 1 }));
    pass(blocked());
  }
  ask([1, 2], () => ({ kind: 'retry', reason: 'channel missing', afterMs: 1 }));
  expect(blocked()).toBeGreaterThan(100_000);
});

test('a partial success that names no record is sent singly', () => {
  const { ask, stream } = streamOf();
  ask([1, 2, 3, 4, 5, 6, 7, 8], () => ({ kind: 'split', reason: '2 of 8', singly: true }));
  expect(stream.share).toBe(1);
});
