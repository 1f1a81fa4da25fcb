import { afterEach, beforeEach, expect, test } from 'vitest';
import { tellStory } from '../../../src/agent/triage.js';
import { systemClock } from '../../../src/base/clock.js';
import type { Event } from '../../../src/event/event.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

const path = '/Library/LaunchAgents/x.plist';
const written: Event = {
  id: 'a',
  time: 1_000_000,
  nanos: 0,
  sequence: 0,
  doc: {
    event: { id: 'a', action: 'modification' },
    file: { path, type: 'file', hash: { sha256: 'x' } },
    launchwarden: { persistence: { item_id: 'i', mechanism: 'launch-agent', path } },
  },
};
const change = { action: 'response', text: 'response 1, quarantine: done' } as const;
const stages = (store: Store) => store.stories.get('i')?.steps.map(({ stage }) => stage);

let store: Store;
beforeEach(() => {
  store = openStore({ dataDir: tempFolder(), clock: systemClock });
  store.stories.observe([written]);
});
afterEach(() => store.close());

test('what a response made of an item is a step of its story, once', () => {
  for (let times = 0; times < 2; times++)
    tellStory(store, { item: 'i', updated: 5_000_000 }, { ...change, value: 'quarantined' });
  expect(stages(store)).toEqual(['written', 'quarantined']);
  tellStory(store, { item: 'i', updated: 9_000_000 }, { ...change, text: 'undo', value: 'back' });
  expect(store.stories.get('i')?.stage).toBe('back');
});

test.each([
  ['no stage', { item: 'i', updated: 5 }, change],
  ['another action', { item: 'i', updated: 5 }, { ...change, action: 'note', value: 'quarantined' } as const],
  ['no item', { updated: 5 }, { ...change, value: 'quarantined' }],
  ['an item without a story', { item: 'j', updated: 5 }, { ...change, value: 'quarantined' }],
])('nothing is told of %s', (_, alert, given) => {
  tellStory(store, alert, given);
  expect(stages(store)).toEqual(['written']);
});
