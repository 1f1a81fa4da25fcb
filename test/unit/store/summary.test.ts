import { describe, expect, test } from 'vitest';
import type { Candidate, Detection } from '../../../src/event/alert.js';
import { slimDocument } from '../../../src/forward/slim.js';
import { candidate, context, detection, fileEvent, processEvent, temporaryStore } from './samples.js';

interface Shown {
  event_id: string;
  path?: string;
  named: boolean;
  process?: { event_id: string; '@timestamp'?: string; command_line?: string };
}

interface Fields {
  candidates: Shown[];
  candidate_count: number;
  suppressed: number;
}

function held(name: string, named = true, extra: Parameters<typeof fileEvent>[1] = {}): Candidate {
  return { ...candidate(fileEvent(`f-${name}`, extra), named), process: processEvent(`p-${name}`) };
}

function summary(candidates: readonly Candidate[], suppressed = candidates.length): Detection {
  return {
    ...detection('summary', { events: [], candidates, suppressed, kind: 'summary' }),
    id: 'summary-1',
  };
}

function harness() {
  const store = temporaryStore();
  return {
    store,
    commit(one: Detection) {
      const { alert, change } = store.alerts.upsert(one, context, []);
      return { alert, change, fields: alert.doc.launchwarden?.['alert'] as unknown as Fields };
    },
  };
}

describe('the document of a summary', () => {
  test('lists what was held back with file, link, process, times and event ids', () => {
    const { alert, fields } = harness().commit(summary([held('a', true, { hash: { sha256: 'ab' } })], 7));
    expect(fields).toMatchObject({ suppressed: 7, candidate_count: 7 });
    expect(fields.candidates).toEqual([
      {
        event_id: 'f-a',
        '@timestamp': '2026-11-22T05:40:00.000000Z',
        path: '/Users/alice/Library/LaunchAgents/f-a.plist',
        action: 'modification',
        sha256: 'ab',
        named: true,
        link: 'path',
        process: {
          event_id: 'p-a',
          '@timestamp': '2026-11-22T05:40:00.001000Z',
          command_line: 'launchctl load x',
        },
      },
    ]);
    // It is an alert about many files: none of them is its file.
    expect(alert.doc.file).toBeUndefined();
    expect(alert.doc.event?.['reason']).toContain('7 more alerts');
  });

  test('keeps to a number and a size, whatever stands in it', () => {
    const { commit } = harness();
    const many = Array.from({ length: 3000 }, (_, index) => held(String(index)));
    const { fields } = commit(summary(many));
    expect(fields.candidates.length).toBeGreaterThan(500);
    expect(fields.candidates.length).toBeLessThanOrEqual(1000);
    expect(fields.candidate_count).toBe(3000);

    const long = Array.from({ length: 300 }, (_, index) => {
      const one = held(String(index), true, { path: `/${'x'.repeat(index === 0 ? 400_000 : 2_000)}` });
      const process = processEvent(`p-${index}`);
      process.doc.process = { args: Array.from({ length: 100 }, () => 'y'.repeat(1_000)) };
      return { ...one, process };
    });
    const bounded = harness().commit({ ...summary(long), id: 'summary-2' });
    expect(JSON.stringify(bounded.alert.doc).length).toBeLessThan(300_000);
    expect(bounded.fields.candidates.length).toBeGreaterThan(90);
    expect(bounded.fields.candidates[0]?.event_id).toBe('f-1');
    expect(bounded.fields.candidates[0]?.process?.command_line).toHaveLength(256);
    for (const limit of [64 * 1024, 8 * 1024]) {
      const small = slimDocument(bounded.alert.doc, limit);
      expect(Buffer.byteLength(JSON.stringify(small))).toBeLessThanOrEqual(limit);
      expect(small.launchwarden?.['truncated']).toBe(true);
    }
  });

  test('grows with the count and with what is learnt, and loses nothing that it has listed', () => {
    const { commit } = harness();
    expect(commit(summary([held('a', false)])).change).toBe('new');
    expect(commit(summary([held('a', false)])).change).toBe('same');
    expect(commit(summary([held('b'), held('a', false)])).change).toBe('grown');
    const learnt = commit(summary([held('a'), held('b')]));
    expect(learnt).toMatchObject({ change: 'grown', alert: { revision: 3 } });
    // A new start that judges less again: what it no longer knows stays.
    const again = commit(summary([held('c', false), held('a', false)], 2));
    expect(again.fields.candidates.map(({ event_id, named }) => [event_id, named])).toEqual([
      ['f-a', true],
      ['f-b', true],
      ['f-c', false],
    ]);
    expect(again.fields).toMatchObject({ suppressed: 2, candidate_count: 2 });
    expect(commit(summary([held('c', false), held('a', false)], 2)).change).toBe('same');
  });

  test('keeps the files of what it lists, and is not told again for each that is amended', () => {
    const { store, commit } = harness();
    const bytes = Buffer.from('<plist/>');
    store.evidence.put('ab', { bytes, size: bytes.length, truncated: false });
    commit(summary([held('a', true, { hash: { sha256: 'ab' } })]));
    expect(store.evidence.get('ab')?.pinned).toBe(true);
    expect(store.alerts.amendEvent(fileEvent('f-a', { hash: { sha256: 'cd' } }), [])).toBe(0);
  });
});

test('an alert that learns who names its file shows it, and keeps it', () => {
  const { commit } = harness();
  const [file, first, later] = [fileEvent('f'), processEvent('p'), processEvent('q')];
  const found = detection('x', { events: [file, first], candidates: [candidate(file, false)] });
  expect(commit(found).change).toBe('new');
  later.doc.process = { ...later.doc.process, args: ['launchctl', 'load', 'evil'] };
  const grown = commit({ ...found, candidates: [{ ...candidate(file), process: later }] });
  expect(grown).toMatchObject({ change: 'grown', alert: { revision: 2 } });
  expect(grown.fields.candidates[0]).toMatchObject({
    named: true,
    process: { event_id: 'q', command_line: 'launchctl load evil' },
  });
  expect(grown.alert.doc.event?.['reason']).toContain('named by launchctl load evil');
  const repeated = commit({ ...found, repeats: 1 });
  expect(repeated.change).toBe('grown');
  expect(repeated.fields.candidates[0]).toMatchObject({ named: true, process: { event_id: 'q' } });
});

test('a file that comes late leads the alert that it belongs to', () => {
  const { commit } = harness();
  const [decoy, late, load] = [fileEvent('decoy'), fileEvent('late'), processEvent('p')];
  const found = detection('x', { events: [decoy, load], candidates: [candidate(decoy, false)] });
  commit(found);
  const grown = commit({ ...found, candidates: [candidate(late), candidate(decoy, false)] });
  expect(grown).toMatchObject({
    change: 'grown',
    alert: { revision: 2, doc: { file: { name: 'late.plist' } } },
  });
  expect(grown.fields.candidates.map(({ event_id }) => event_id)).toEqual(['late', 'decoy']);
  const less = [candidate(decoy, false), candidate(late, false)];
  const repeated = commit({ ...found, candidates: less, repeats: 1 });
  expect(repeated).toMatchObject({ change: 'grown', alert: { doc: { file: { name: 'late.plist' } } } });
  expect(repeated.fields.candidates.map(({ event_id }) => event_id)).toEqual(['late', 'decoy']);
});
