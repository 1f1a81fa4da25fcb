import { expect, test } from 'vitest';
import { CanaryKeeper, type CanaryKeeperOptions } from '../../../src/agent/canary.js';
import { silentLogger } from '../../../src/base/log.js';
import { canaryOps, lastCanary, makeCanaryItem } from '../../../src/canary/index.js';
import { type AnnouncedCanary, isCanaryAlert } from '../../../src/event/canary.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event, Gap } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const item = makeCanaryItem({ kind: 'daemon' });
const { label, path, sha256 } = item;
const announced: AnnouncedCanary = { label, path, sha256, from: 1_000, until: 2_000 };
const other = '/Library/LaunchDaemons/com.evil.plist';

const written = (place = path, hash = sha256): EcsDocument => ({
  '@timestamp': '',
  event: { type: ['creation'] },
  file: { path: place, hash: { sha256: hash } },
});
const loaded = (...args: readonly string[]): EcsDocument => ({
  '@timestamp': '',
  process: { name: 'launchctl', args: ['launchctl', ...args] },
});
const candidate = (place = path, hash = sha256) => ({ path: place, sha256: hash });

function alertDoc(
  events: readonly EcsDocument[],
  candidates: readonly object[],
  more: Record<string, unknown> = {},
): EcsDocument {
  return {
    '@timestamp': '',
    launchwarden: { alert: { kind: 'match', candidates, candidate_count: candidates.length, ...more } },
    Events: [...events],
  };
}

const load = loaded('bootstrap', 'system', path);

test.each<[string, boolean, EcsDocument, number?]>([
  ['the canary written and loaded', true, alertDoc([written(), load], [candidate()])],
  ['the file alone', true, alertDoc([written()], [])],
  ['its boot out', true, alertDoc([loaded('bootout', 'system', path)], [])],
  ['before it was announced', false, alertDoc([written()], []), 999],
  ['long after its end', false, alertDoc([written()], []), 2_001],
  ['another content', false, alertDoc([written(path, 'f'.repeat(64))], [])],
  ['another path with its content', false, alertDoc([written(other)], [])],
  ['another file among the candidates', false, alertDoc([written(), load], [candidate(), candidate(other)])],
  [
    'more candidates than are shown',
    false,
    alertDoc([written(), load], [candidate()], { candidate_count: 2 }),
  ],
  ['a load of something else', false, alertDoc([written(), loaded('load', other)], [candidate()])],
  ['a load of both', false, alertDoc([written(), loaded('load', path, other)], [candidate()])],
  ['a call with more', false, alertDoc([written(), loaded('load', '-w', path)], [candidate()])],
  [
    'another program with the same arguments',
    false,
    alertDoc(
      [written(), { '@timestamp': '', process: { name: 'evil', args: ['launchctl', 'load', path] } }],
      [],
    ),
  ],
  ['a summary of a flood', false, alertDoc([written()], [], { kind: 'summary' })],
  ['no event', false, alertDoc([], [])],
])('%s: %s', (_, expected, doc, time = 1_500) => {
  expect(isCanaryAlert(doc, time, [announced]) !== undefined).toBe(expected);
});

test('two canaries after each other are both known, and nothing hides between them', () => {
  const one = makeCanaryItem({ kind: 'daemon' });
  const second: AnnouncedCanary = { ...announced, label: one.label, path: one.path, sha256: one.sha256 };
  const events = [written(), written(one.path, one.sha256), loaded('bootstrap', 'system', one.path)];
  const candidates = [candidate(), candidate(one.path, one.sha256)];
  const both = [announced, second];
  expect(isCanaryAlert(alertDoc(events, candidates), 1_500, both)?.label).toBe(one.label);
  expect(isCanaryAlert(alertDoc(events, candidates), 1_500, [second])).toBeUndefined();
  expect(isCanaryAlert(alertDoc(events, [...candidates, candidate(other)]), 1_500, both)).toBeUndefined();
  // The content of the one at the place of the other.
  expect(isCanaryAlert(alertDoc([written(path, one.sha256)], []), 1_500, both)).toBeUndefined();
});

function setUp(more: Partial<CanaryKeeperOptions> = {}) {
  const clock = new ManualClock();
  const values = new Map<string, string>();
  const meta = {
    get: (key: string) => values.get(key),
    set: (key: string, value: string) => void values.set(key, value),
    remove: (key: string) => void values.delete(key),
  };
  const gaps: Gap[] = [];
  const store = { meta, condition: () => ({ held_alerts: 0, reason: null }) } as never;
  const make = () =>
    new CanaryKeeper({
      ...{ store, clock, log: silentLogger },
      place: { kind: 'daemon' },
      destinations: ['siem'],
      ruleTrouble: () => undefined,
      destinationTrouble: () => 'it refuses',
      sightTrouble: () => undefined,
      everyMs: undefined,
      launch: () => {},
      reopen: () => {},
      failed: (gap) => void gaps.push(gap),
      ...more,
    });
  return { clock, gaps, make, store: { meta } };
}

const call = (keeper: CanaryKeeper, op: string, args?: unknown) =>
  keeper.handlers()[op]?.(args) as Record<string, never>;

test('a command that never comes back is a failure after ten minutes, kept over a restart', () => {
  const { clock, gaps, make, store } = setUp();
  const keeper = make();
  const begun = call(keeper, canaryOps.begin);
  expect(() => call(keeper, canaryOps.begin)).toThrow('under way');
  clock.pass(600_000);
  expect(gaps).toMatchObject([{ reason: 'canary-failed', blinded: true }]);
  expect(lastCanary(store)).toMatchObject({ ok: false, steps: [{ link: 'written', ok: false }] });
  expect(make().trouble).toMatch(/^the canary failed at .*: it was not written/);
  // What was announced is known to the next run of the agent.
  const made = (begun as unknown as { item: typeof item }).item;
  const doc = alertDoc([written(made.path, made.sha256)], []);
  expect(make().settles({ doc, time: clock.now() })).toMatchObject({ reason: 'canary' });
  clock.pass(31_000);
  expect(make().settles({ doc, time: clock.now() })).toBeUndefined();
});

test('whoever puts another content at its path ends it, also when its own comes back', () => {
  const reopened: string[] = [];
  const { clock, gaps, make } = setUp({ reopen: (id) => void reopened.push(id) });
  const keeper = make();
  const { item: made } = call(keeper, canaryOps.begin) as unknown as { item: typeof item };
  const own = alertDoc([written(made.path, made.sha256)], []);
  const alert = { doc: { ...own, event: { id: 'alert-1' } }, time: clock.now() };
  expect(keeper.settles(alert)).toBeDefined();
  const event = (sha256: string): Event => ({
    ...{ id: 'e', time: clock.now(), nanos: 0, sequence: 0 },
    doc: written(made.path, sha256),
  });
  keeper.completed(event(made.sha256));
  expect(reopened).toEqual([]);
  keeper.completed(event('f'.repeat(64)));
  expect(reopened).toEqual(['alert-1']);
  keeper.completed(event(made.sha256));
  expect(keeper.settles(alert)).toBeUndefined();
  call(keeper, canaryOps.end, { label: made.label, steps: [], aborted: false });
  expect(gaps).toMatchObject([{ reason: 'canary-failed' }]);
});

test('an interrupted one says nothing', () => {
  const { gaps, make, store } = setUp();
  const keeper = make();
  const { item: made } = call(keeper, canaryOps.begin) as unknown as { item: typeof item };
  call(keeper, canaryOps.end, { label: made.label, steps: [], aborted: true });
  expect(gaps).toEqual([]);
  expect(lastCanary(store)).toBeUndefined();
  expect(() => call(keeper, canaryOps.progress, { label: made.label })).toThrow('not under way');
});

test('it is refused where its rule does not run', () => {
  expect(() => call(setUp({ ruleTrouble: () => 'off' }).make(), canaryOps.begin)).toThrow(
    'does not run: off',
  );
});

test('the schedule runs it once a period, and tells when it cannot be run', () => {
  let runs = 0;
  let fail: ((error: Error) => void) | undefined;
  const { clock, gaps, make } = setUp({
    everyMs: 3_600_000,
    launch: (ended) => {
      runs++;
      fail = ended;
    },
  });
  const keeper = make();
  keeper.start();
  clock.pass(120_000);
  expect(runs).toBe(1);
  clock.pass(3_500_000);
  expect(runs).toBe(1);
  clock.pass(120_000);
  expect(runs).toBe(2);
  fail?.(new Error('ENOENT'));
  expect(gaps).toMatchObject([{ reason: 'canary-failed', detail: 'it could not be run: ENOENT' }]);
  keeper.stop();
});

test('another schedule counts from the last run, and none stops it', () => {
  let launched = 0;
  const { clock, make } = setUp({ launch: () => void launched++ });
  const keeper = make();
  keeper.start();
  clock.pass(3_600_000);
  expect(launched).toBe(0);
  keeper.schedule(600_000);
  expect(keeper.status()).toMatchObject({ every_ms: 600_000 });
  clock.pass(60_000);
  expect(launched).toBe(1);
  clock.pass(540_000);
  expect(launched).toBe(1);
  clock.pass(60_000);
  expect(launched).toBe(2);
  keeper.schedule(120_000);
  clock.pass(120_000);
  expect(launched).toBe(3);
  keeper.schedule(undefined);
  clock.pass(3_600_000);
  expect(launched).toBe(3);
  keeper.stop();
});
