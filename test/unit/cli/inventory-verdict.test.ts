import { expect, test } from 'vitest';
import { openAlerts, verdictOf } from '../../../src/cli/commands/inventory/verdict.js';
import { temporaryStore } from '../store/samples.js';
import { detection, event, fileEvent, processEvent } from './alert-fixture.js';

test('an item is not quiet because thousands of newer alerts are about something else', () => {
  const store = temporaryStore();
  const add = (index: number, item: string) => {
    const file = fileEvent(`f${index}`);
    file.doc.launchwarden = {
      ...file.doc.launchwarden,
      persistence: { item_id: item, mechanism: 'launch-agent', path: `/Users/alice/${index}` },
    };
    const at = event(`t${index}`, new Date(Date.UTC(2026, 10, 22) + index * 1000).toISOString(), {}).time;
    store.alerts.upsert(
      detection({
        id: index.toString(16).padStart(32, '0'),
        time: at,
        events: [file, processEvent(`p${index}`)],
        candidates: [],
      }),
      { version: '1', agentId: 'a', created: at, sensors: [], simulated: true },
      [],
    );
  };
  add(0, 'old');
  for (let index = 1; index <= 2_050; index++) add(index, 'noise');
  const alerts = openAlerts(store);
  const row = { entry: { item_id: 'old', findings: [] } } as unknown as Parameters<typeof verdictOf>[0];
  expect(verdictOf(row, alerts)).toMatchObject({ word: 'alert', alerts: ['0'.repeat(32)] });
}, 60_000);
