import { expect, test } from 'vitest';
import { AutomaticResponses, type Decision } from '../../../src/agent/automatic.js';
import { loadSettings } from '../../../src/config/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { candidate, context, detection, fileEvent, processEvent, temporaryStore } from '../store/samples.js';

function setUp(policies: ConstructorParameters<typeof AutomaticResponses>[0]['policies'], perHour = 2) {
  const clock = new ManualClock();
  const store = temporaryStore();
  const decisions: Decision[] = [];
  const automatic = new AutomaticResponses({
    policies,
    perHour,
    store,
    clock,
    decided: (one) => void decisions.push(one),
  });
  const alert = (id: string) => {
    const file = fileEvent(id);
    const made = store.alerts.upsert(
      detection('x', {
        events: [file, processEvent(`p-${id}`)],
        candidates: [candidate(file)],
        time: file.time,
      }),
      context,
      [],
    ).alert;
    automatic.committed([made]);
    return made;
  };
  return { clock, store, decisions, automatic, alert };
}

const rule = 'rule-low';

test('nothing happens by itself unless a rule is named', () => {
  const { clock, decisions, alert } = setUp([{ rule: 'another', action: 'quarantine', shadow: false }]);
  alert('a');
  clock.pass(10_000);
  expect(decisions).toEqual([]);
});

test('an alert that was closed meanwhile, an update say, is left alone', () => {
  const { clock, store, decisions, alert } = setUp([{ rule, action: 'quarantine', shadow: false }]);
  const made = alert('a');
  alert('b');
  store.alerts.setStatus(made.id, 'closed', { author: 'launchwarden', text: 'known update' });
  clock.pass(10_000);
  expect(decisions.map((one) => one.alert.doc.file?.path)).toEqual([
    '/Users/alice/Library/LaunchAgents/b.plist',
  ]);
  expect(decisions[0]?.why).toBeUndefined();
});

test('what is over the limit of an hour is left to a person and said; shadow mode counts as nothing', () => {
  const { clock, decisions, automatic, alert } = setUp([
    { rule: 'A low rule', action: 'boot-out', shadow: false },
  ]);
  for (const id of ['a', 'b', 'c']) alert(id);
  clock.pass(10_000);
  expect(decisions.map(({ why }) => why !== undefined)).toEqual([false, false, true]);
  expect(decisions[2]?.why).toContain('respond.per_hour');
  expect(automatic.status()).toMatchObject({ automatic_limited: 1 });
  clock.pass(3_600_000);
  alert('d');
  clock.pass(10_000);
  expect(decisions[3]?.why).toBeUndefined();
  const shadow = setUp([{ rule, action: 'quarantine', shadow: true }], 0);
  shadow.alert('a');
  shadow.clock.pass(10_000);
  expect(shadow.decisions[0]).toMatchObject({ policy: { shadow: true } });
  expect(shadow.decisions[0]?.why).toBeUndefined();
});

test('an alert that grows is no new one', () => {
  const { clock, store, decisions, automatic, alert } = setUp([{ rule, action: 'notify', shadow: true }]);
  const made = alert('a');
  clock.pass(10_000);
  store.alerts.addNote(made.id, { author: 'alice', text: 'x' });
  automatic.committed([{ ...store.alerts.get(made.id)!, revision: 2 }]);
  clock.pass(10_000);
  expect(decisions).toHaveLength(1);
  expect(decisions[0]?.why).toContain('notifies only');
});

test('by default nothing happens by itself, and isolation is off', () => {
  const { respond } = loadSettings({ flags: {}, cwd: tempFolder(), platform: 'linux' });
  expect(respond.automatic).toEqual([]);
  expect(respond.isolation.enabled).toBe(false);
});

test('other policies hold for alerts that wait, and what happened within the hour counts on', () => {
  const { clock, decisions, automatic, alert } = setUp([{ rule, action: 'quarantine', shadow: false }], 1);
  alert('a');
  automatic.configure({ policies: [{ rule, action: 'boot-out', shadow: false }], perHour: 1 });
  clock.pass(10_000);
  expect(decisions.map(({ policy }) => policy.action)).toEqual(['boot-out']);
  alert('b');
  clock.pass(10_000);
  expect(decisions[1]?.why).toContain('1 within an hour is the limit');
  automatic.configure({ policies: [{ rule, action: 'boot-out', shadow: false }], perHour: 2 });
  alert('c');
  clock.pass(10_000);
  expect(decisions[2]?.why).toBeUndefined();
  automatic.configure({ policies: [], perHour: 2 });
  alert('d');
  clock.pass(10_000);
  expect(decisions).toHaveLength(3);
  expect(automatic.status()).toMatchObject({ automatic: 0 });
});
