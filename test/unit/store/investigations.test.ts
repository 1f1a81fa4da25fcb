import { expect, test } from 'vitest';
import type { Answer } from '../../../src/event/investigation.js';
import { context, detection, fileEvent, standingClock, start, temporaryStore } from './samples.js';

const answer: Answer = {
  ...{ step: 'scope', question: 'Whom does it concern?', mark: 'notable', says: 'One user: \u202ealice.' },
  ...{ points: [{ mark: 'neutral', says: '<b>' }], facts: [{ name: 'path', value: '/x\ny' }], unknown: [] },
};

test('the newest answers are kept with their alert, and forgotten with it', () => {
  const clock = standingClock();
  const { alerts, investigations } = temporaryStore({ clock });
  const { id } = alerts.upsert(detection('a'), context, []).alert;
  expect(investigations.get(id)).toBeUndefined();
  const first = { alert: id, time: start, author: 'alice', answers: [answer] };
  expect(investigations.put(first)).toBe(true);
  expect(investigations.get(id)).toEqual(first);
  const second = { ...first, time: start + 1, answers: [] };
  expect(investigations.put(second)).toBe(true);
  expect(investigations.get(id)).toEqual(second);
  expect(investigations.put({ ...first, alert: 'none' })).toBe(false);
  alerts.setStatus(id, 'closed', { author: 'alice', text: '' });
  clock.time += 1e9;
  expect(alerts.prune(clock.time)).toBe(1);
  expect(investigations.get(id)).toBeUndefined();
});

const at = (id: string, time: number) => fileEvent(id, { path: `/Users/${id}/"x"` }, time);
const never = () => false;

test('the events around a time, the nearest ones, with how many there are', () => {
  const { events } = temporaryStore();
  events.append(Array.from({ length: 10 }, (_, n) => at(`e${n}`, start + n)));
  const range = { from: start + 1, to: start + 9 };
  const ids = (most: number, time = start + 5) =>
    events.nearest(time, range, most).events.map(({ id }) => id);
  expect(ids(2)).toEqual(['e3', 'e4', 'e5', 'e6']);
  expect(ids(100)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']);
  expect(ids(2, start + 50)).toEqual(['e7', 'e8']);
  expect(events.nearest(start + 5, range, 2)).toMatchObject({ rows: 8, complete: false });
  expect(events.nearest(start + 5, range, 4)).toMatchObject({ rows: 8, complete: true });
});

test('events are found by what their text holds, the newest first, as long as there is time', () => {
  const { events } = temporaryStore();
  const many = Array.from({ length: 5_000 }, (_, n) => at(`e${n}`, start + Math.floor(n / 2)));
  events.append(many);
  const range = { from: start, to: start + 1e6 };
  const search = (texts: readonly string[], limit = 10, expired = never) =>
    events.search(texts, range, { limit, expired });
  expect(search(['/Users/e77/"x"'])).toMatchObject({ events: [{ id: 'e77' }], rows: 5_000, complete: true });
  expect(search(['/Users/e10/', '/Users/e4999/']).events.map(({ id }) => id)).toEqual(['e10', 'e4999']);
  expect(search(['/Users/'], 3)).toMatchObject({
    events: [{ id: 'e4997' }, { id: 'e4998' }, { id: 'e4999' }],
    complete: false,
  });
  expect(search(['']).events).toEqual([]);
  expect(search(['/Users/e77/'], 10, () => true)).toEqual({ events: [], rows: 0, complete: false });
  let calls = 0;
  const cut = search(['/Users/e4999/', '/Users/e1/'], 10, () => ++calls > 1);
  expect(cut).toMatchObject({ events: [{ id: 'e4999' }], complete: false });
  expect(cut.rows).toBeLessThan(5_000);
});
