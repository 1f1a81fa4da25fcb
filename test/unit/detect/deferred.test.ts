import { describe, expect, test } from 'vitest';
import { DeferredMemory, Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import { event, fileEvent, rule } from './events.js';

const day = 86_400;
const path = '/Library/LaunchDaemons/x.plist';
const later = rule(
  'eql',
  `sequence with maxspan=90d [file where true] by host.id, file.path
     [configuration where event.action == "loaded"] by host.id, launchwarden.job.plist_path`,
  { launchwarden: { deferred: { after: 60_000_000 } } },
);

const written = (id: string, at: number, more: Parameters<typeof fileEvent>[3] = {}, where = path) =>
  fileEvent(id, at, where, { inode: id, ...more });
const loaded = (id: string, at: number, where = path): Event =>
  event(id, at, {
    event: { category: ['configuration'], action: 'loaded' },
    host: { id: 'mac-1' },
    launchwarden: { job: { plist_path: where } },
  });

/** An agent's life on the memory that an earlier one left: what it alerts on, and what it leaves. */
function live(events: readonly Event[], saved?: string) {
  const told: Detection[] = [];
  const evicted: string[] = [];
  const memory = new DeferredMemory(saved, (what, user) => evicted.push(`${what} ${user}`));
  const detector = new Detector({ rules: [later], deferred: memory, onDetection: (one) => told.push(one) });
  for (const one of events) detector.process(one);
  return {
    alerts: told.map(({ events: [first, second] }) => `${first?.id} ${second?.id}`),
    ids: told.map(({ id }) => id),
    saved: memory.saved(),
    memory,
    evicted,
    detector,
  };
}

test('what is written is joined with what loads it after a restart, days later, and once', () => {
  const first = live([written('w', 0)]);
  expect(first.alerts).toEqual([]);
  const second = live([loaded('l', 3 * day)], first.saved);
  expect(second.alerts).toEqual(['w l']);
  expect(live([loaded('again', 5 * day)], second.saved).alerts).toEqual([]);
  // What is judged again after a crash gives the same alert.
  expect(live([loaded('l', 3 * day)], second.saved).ids).toEqual(second.ids);
  expect(live([loaded('l', 3 * day)], first.saved).ids).toEqual(second.ids);
});

test('what loads it at once ends the waiting', () => {
  expect(live([written('w', 0), loaded('l', 59), loaded('next', day)]).alerts).toEqual([]);
  expect(live([written('w', 0), loaded('l', 60)]).alerts).toEqual(['w l']);
});

test('a write that is told late finds the load that came before it was told', () => {
  expect(live([loaded('l', 1_000), written('w', 0)]).alerts).toEqual(['w l']);
  expect(live([loaded('l', 0), written('w', 1_000)]).alerts).toEqual([]);
});

test('new content waits anew, the same content does not', () => {
  const sha = (digit: string) => ({ hash: { sha256: digit.repeat(64) } });
  const events = [written('a', 0, sha('1')), loaded('l1', 100), written('b', 1_000, sha('1'))];
  expect(live([...events, loaded('l2', 2_000)]).alerts).toEqual(['a l1']);
  const changed = [...events, written('c', 1_500, sha('2')), loaded('l3', 3_000)];
  expect(live(changed).alerts).toEqual(['a l1', 'c l3']);
});

test('after its time is over it is forgotten', () => {
  const { detector, memory, alerts } = live([written('w', 0), loaded('l', 91 * day)]);
  expect(alerts).toEqual([]);
  detector.advance(loaded('x', 92 * day).time);
  expect(memory.size).toBe(0);
});

test('the windows that a restart rebuilds do not grow by it', () => {
  expect(live([]).detector.horizon).toBeLessThanOrEqual(600_000_000);
});

describe('room', () => {
  test('is bounded: the user with the most gives up what is complete, then the oldest that is not odd', () => {
    const other = written('mine', 0, {}, '/Users/bob/Library/LaunchAgents/real.plist');
    const odd = written('odd', 0, {}, '/Users/alice/Library/LaunchAgents/odd.plist');
    const noise = Array.from({ length: 1_500 }, (_, index) =>
      written(`n${index}`, 1 + index / 1_000, {}, `/Users/alice/Library/LaunchAgents/${index}.plist`),
    );
    const oddEvent = { ...odd, doc: { ...odd.doc, launchwarden: { findings: ['program-in-tmp'] } } };
    const { memory, evicted, saved } = live([other, oddEvent, ...noise]);
    expect(memory.size).toBeLessThanOrEqual(1_000);
    expect(evicted.length + memory.size).toBe(1_502);
    expect(new Set(evicted)).toEqual(new Set(['deferred alice']));
    const calls = ['/Users/bob/Library/LaunchAgents/real.plist', odd.doc.file?.path ?? ''];
    expect(
      live(
        calls.map((where, index) => loaded(`l${index}`, day, where)),
        saved,
      ).alerts,
    ).toEqual(['mine l0', 'odd l1']);
  });

  test('large documents are kept without what only people read, and there is an end to what is saved', () => {
    const large = (id: string, where: string) => {
      const one = written(id, 0, {}, where);
      const plist = { label: 'x', json: 'j'.repeat(100_000), program_arguments: ['a'.repeat(3_000)] };
      return { ...one, doc: { ...one.doc, launchwarden: { plist } } };
    };
    const events = Array.from({ length: 900 }, (_, index) => large(`w${index}`, `/Library/${index}.plist`));
    const { saved } = live(events);
    expect(saved?.length).toBeLessThanOrEqual(2 * 1024 * 1024 + 2);
    expect(live([loaded('l', day, '/Library/899.plist')], saved).alerts).toEqual(['w899 l']);
  });

  test.each([
    '{',
    'null',
    '7',
    '[null, 1, {}, {"ruleId": 1}, {"ruleId":"a","key":"b","user":"c","event":{"id":"x"}}]',
  ])('what cannot be read of what was saved is left out: %s', (saved) => {
    expect(live([], saved).memory.size).toBe(0);
  });
});
