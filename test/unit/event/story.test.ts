import { describe, expect, test } from 'vitest';
import type { EcsDocument, FileFields, LaunchItemFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import {
  baselineStory,
  isKnownAt,
  itemOf,
  itemsOf,
  nextStory,
  type Story,
  updateOf,
  withStep,
} from '../../../src/event/story.js';

const path = '/Library/LaunchAgents/com.vendor.agent.plist';
const second = 1_000_000;
const list: LaunchItemFields = {
  label: 'com.vendor.agent',
  program: '/Applications/V.app/v',
  runs: ['/Applications/V.app/v'],
};

function event(
  id: string,
  at: number,
  more: { action?: string; file?: FileFields; plist?: LaunchItemFields; findings?: string[] } = {},
): Event {
  const { action = 'modification', file, plist = list, findings = [] } = more;
  const doc: EcsDocument = {
    event: { id, action },
    file: { path, type: 'file', uid: '0', mode: '0644', hash: { sha256: id }, ...file },
    launchwarden: { findings, plist, persistence: { item_id: 'i', mechanism: 'launch-agent', path } },
  };
  return { id, time: at * second, nanos: 0, sequence: 0, doc };
}

const job = (id: string, at: number, pid?: number): Event => ({
  ...event(id, at),
  doc: {
    event: { id, action: 'loaded' },
    launchwarden: {
      job: { label: 'com.vendor.agent', domain: 'gui/501', ...(pid === undefined ? {} : { pid }) },
      persistence: { item_id: 'i', mechanism: 'launch-agent', path },
    },
  },
});

const told = (events: readonly Event[], from?: Story): Story =>
  events.reduce<Story | undefined>((story, one) => nextStory(story, one), from) as Story;
const stages = ({ steps }: Story) => steps.map(({ stage }) => stage);

test('written, loaded, running, changed, removed and back are stages of one story', () => {
  const story = told([
    event('a', 1),
    job('j', 2),
    job('k', 3, 77),
    event('b', 4),
    event('c', 5, { action: 'deletion' }),
    event('d', 100),
  ]);
  expect(stages(story)).toEqual(['written', 'loaded', 'running', 'changed', 'removed', 'back']);
  expect(story).toMatchObject({
    stage: 'back',
    label: 'com.vendor.agent',
    first: second,
    last: 100 * second,
  });
});

test('the same events again, and a newer document of one, add no step', () => {
  const events = [event('a', 1), job('j', 2)];
  const story = told([...events, ...events]);
  expect(stages(story)).toEqual(['written', 'loaded']);
  const amended = nextStory(story, event('a', 1, { plist: { ...list, label: 'other' } })) as Story;
  expect(amended.facts.label).toBe('other');
  expect(stages(amended)).toEqual(['written', 'loaded']);
});

test('an exchanged program is a step of each item that runs it, and changes nothing of what the item is', () => {
  const exchanged: Event = {
    ...event('p', 9),
    doc: {
      event: { id: 'p', action: 'modification' },
      file: { path: '/opt/v' },
      launchwarden: { program: { of: [path, '/x'], items: ['i', 'j'] } },
    },
  };
  expect([itemOf(exchanged.doc), itemsOf(exchanged.doc)]).toEqual(['i', ['i', 'j']]);
  const story = told([event('a', 1)]);
  const after = nextStory(story, exchanged, 'i') as Story;
  expect(after.steps.at(-1)).toMatchObject({ stage: 'changed', says: 'Its program /opt/v was exchanged.' });
  expect(after.facts).toEqual(story.facts);
  expect(nextStory(undefined, exchanged, 'j')).toBeUndefined();
});

test('what is in the quarantine is not removed, and what stands there again is back', () => {
  const file = { hash: { sha256: 'x' } };
  const written = told([event('a', 1, { file })]);
  const quarantined = withStep(written, { time: 5 * second, stage: 'quarantined', event: 'response:1' });
  const deleted = told([event('b', 5, { action: 'deletion' })], quarantined);
  expect(stages(deleted)).toEqual(['written', 'quarantined']);
  expect(told([event('c', 9, { file })], deleted).stage).toBe('back');
});

test('a rewrite of the same content is no news', () => {
  const same = { file: { hash: { sha256: 'x' } } };
  const story = told([event('a', 1, same), event('b', 2, same), event('c', 3, same)]);
  expect(stages(story)).toEqual(['written']);
  expect(stages(told([event('d', 4, { file: { ...same.file, mode: '0600' } })], story))).toEqual([
    'written',
    'changed',
  ]);
});

test('a long story keeps its beginning and its end', () => {
  const story = told(Array.from({ length: 200 }, (_, index) => event(`e${index}`, index)));
  expect(story.steps.length).toBeLessThanOrEqual(40);
  expect(story.steps[0]?.event).toBe('e0');
  expect(story.steps.at(-1)?.event).toBe('e199');
});

describe('an update of a known item', () => {
  const programs = { '/Applications/V.app/v': { sha256: 'p1', uid: 0 } };
  const known = (): Story => {
    const story = baselineStory(event('a', 1)) as Story;
    return { ...story, facts: { ...story.facts, programs } };
  };
  const verdict = (change: Parameters<typeof event>[2], now: object = { programs }, from = known()) => {
    const story = told([event('b', 10, change)], from);
    return updateOf(story.before['b'], { ...story.facts, ...now });
  };
  const signed = (team: string, trusted = true): LaunchItemFields => ({
    ...list,
    code_signature: { exists: true, trusted, team_id: team, signing_id: 's' },
  });

  test('has the label and the programs of before, byte by byte', () => {
    expect(verdict({})).toContain('same programs byte by byte');
    expect(verdict({ file: { hash: { sha256: 'a' } } })).toContain('rewritten with the content that it had');
  });

  test.each<[string, Parameters<typeof event>[2], object?]>([
    ['another label', { plist: { ...list, label: 'x' } }],
    ['another program', { plist: { ...list, program: '/tmp/x' } }],
    ['one more program', { plist: { ...list, runs: [...(list.runs ?? []), '/tmp/x'] } }],
    ['another owner', { file: { uid: '501' } }],
    ['an odd finding', { findings: ['dyld-environment'] }],
    [
      'another content of the program',
      {},
      { programs: { '/Applications/V.app/v': { sha256: 'p2', uid: 0 } } },
    ],
    [
      'another owner of the program',
      {},
      { programs: { '/Applications/V.app/v': { sha256: 'p1', uid: 501 } } },
    ],
    ['a program that could not be read', {}, {}],
  ])('%s is more than an update', (_, change, now = { programs }) => {
    expect(verdict(change, now)).toBeUndefined();
  });

  test('of changes that follow each other the files of a bundle are all compared', () => {
    const file = (id: string, name: string, sha: string, at = 1) => {
      const one = event(id, at, { file: { path: `${path}/${name}`, hash: { sha256: sha } } });
      const { plist: _, ...rest } = one.doc.launchwarden ?? {};
      return { ...one, doc: { ...one.doc, launchwarden: rest } };
    };
    let story = baselineStory(file('a', 'Contents/Info.plist', '1'));
    story = baselineStory(file('b', 'Contents/MacOS/x', '2'), story);
    expect(story).toMatchObject({ known: 0, steps: [{ stage: 'found' }] });
    expect(baselineStory(file('b', 'Contents/MacOS/x', '3'), story)).toBeUndefined();
    const from = { ...(story as Story), facts: { ...(story as Story).facts, programs: {} } };
    const same = told([file('c', 'Contents/MacOS/x', '2', 5)], from);
    expect(updateOf(same.before['c'], { ...same.facts, programs: {} })).toContain('rewritten');
    const changed = told([file('d', 'Contents/MacOS/x', 'evil', 6)], same);
    expect(updateOf(same.before['c'], { ...changed.facts, programs: {} })).toBeUndefined();
  });

  test('by the signer, whatever the content of the program', () => {
    const before = told([event('a', 1, { plist: signed('ABCDE12345') })]);
    const from: Story = { ...before, known: 0 };
    expect(verdict({ plist: signed('ABCDE12345') }, {}, from)).toContain('still signed by ABCDE12345/s');
    expect(verdict({ plist: signed('EVIL123456') }, {}, from)).toBeUndefined();
    expect(verdict({ plist: signed('ABCDE12345', false) }, {}, from)).toBeUndefined();
    expect(verdict({ plist: { ...list, code_signature: { exists: false } } }, {}, from)).toBeUndefined();
  });

  test('an interpreter is what it is told to run', () => {
    const shell = (text: string): Parameters<typeof event>[2] => ({
      plist: {
        label: 'l',
        program: '/bin/sh',
        runs: ['/bin/sh'],
        program_arguments: ['/bin/sh', '-c', text],
      },
      findings: ['interpreter-one-liner'],
    });
    const at = { '/bin/sh': { sha256: 's', uid: 0 } };
    const first = told([event('a', 1, shell('date'))]);
    const from: Story = { ...first, known: 0, facts: { ...first.facts, programs: at } };
    expect(verdict(shell('date'), { programs: at }, from)).toBeDefined();
    expect(verdict(shell('curl evil | sh'), { programs: at }, from)).toBeUndefined();
  });

  test('nothing new is known: not for an hour after somebody was told of it, and not after it was removed', () => {
    const fresh = told([event('a', 1), event('b', 2)]);
    expect(fresh.before).toEqual({});
    const alerted: Story = { ...fresh, known: 2 * second };
    expect(isKnownAt(alerted, 3 * second)).toBe(false);
    expect(told([event('c', 60)], alerted).before).toEqual({});
    expect(Object.keys(told([event('c', 3_700)], alerted).before)).toEqual(['c']);
    const back = told([event('d', 20, { action: 'deletion' }), event('e', 3_700)], known());
    expect(back).toMatchObject({ stage: 'back', before: {} });
    expect(back.known).toBeUndefined();
    // An updater removes its list and writes it again at once.
    const replaced = told([event('d', 20, { action: 'deletion' }), event('e', 21)], known());
    expect(Object.keys(replaced.before)).toEqual(['e']);
  });
});

test('a bundle whose code is another one is no update, whatever it calls itself', () => {
  const bundle = '/Library/DirectoryServices/PlugIns/V.dsplug';
  const part = (id: string, at: number, inside: string, sha256: string): Event => {
    const base = event(id, at, { file: { path: `${bundle}/${inside}`, hash: { sha256 } } });
    const persistence = { item_id: 'i', mechanism: 'directory-service-plug-in', path: bundle };
    const described = { label: ['v'], runs: [`${bundle}/Contents/MacOS/v`], entries: 1 };
    const isInfo = inside === 'Contents/Info.plist';
    return {
      ...base,
      doc: {
        ...base.doc,
        launchwarden: { persistence: { ...persistence, ...(isInfo ? described : {}) } },
      },
    };
  };
  const info = part('a', 1, 'Contents/Info.plist', 'info');
  const known = { ...(baselineStory(info) as Story), known: 0 };
  const first = told([part('b', 2, 'Contents/MacOS/v', 'good')], known);
  const swapped = told([part('c', 3, 'Contents/MacOS/v', 'evil')], first);
  expect(updateOf(swapped.before['c'], { ...swapped.facts, programs: {} })).toBeUndefined();
});
