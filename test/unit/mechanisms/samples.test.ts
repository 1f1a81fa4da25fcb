import { describe, expect, test } from 'vitest';
import { findingMeaning } from '../../../src/event/findings.js';
import { MechanismPlaces, mechanisms, type PersistentItem } from '../../../src/mechanisms/index.js';
import { fileOf, samples } from './samples.js';

const places = new MechanismPlaces(mechanisms);

function mechanismOf(id: string) {
  const found = mechanisms.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no mechanism ${id}`);
  return found;
}

function shown(item: PersistentItem) {
  return { ...item, runs: [...new Set(item.runs.flatMap(({ paths }) => paths))] };
}

test('every mechanism has a sample', () => {
  const sampled = new Set(samples.map(({ mechanism }) => mechanism));
  expect(mechanisms.map(({ id }) => id).filter((id) => !sampled.has(id))).toEqual([]);
});

describe.each(samples.map((one) => [one.mechanism, one.path, one] as const))('%s: %s', (_, path, sample) => {
  const mechanism = mechanismOf(sample.mechanism);
  const items = mechanism.read(fileOf(sample));

  test('its place is found', () => {
    const inside = sample.inside === undefined ? path : `${path}/${sample.inside}`;
    expect(places.find(inside)).toMatchObject({ mechanism: { id: sample.mechanism }, path, describes: true });
  });

  test('what is read', () => {
    expect(items.map(shown)).toMatchObject(
      sample.items.map(({ findings, runs, ...rest }) => ({
        ...rest,
        ...(findings === undefined ? {} : { findings: expect.arrayContaining([...findings]) }),
        ...(runs === undefined ? {} : { runs: expect.arrayContaining([...runs]) }),
      })),
    );
    for (const [index, { findings, runs }] of sample.items.entries()) {
      if (findings?.length === 0) expect(items[index]?.findings).toEqual([]);
      if (runs?.length === 0) expect(items[index]?.runs).toEqual([]);
    }
  });

  test('each finding has a meaning, and each item a way to remove it', () => {
    for (const item of items) {
      for (const word of item.findings) expect([word, findingMeaning(word)]).not.toContain(undefined);
      expect(mechanism.removal(item, { path })).toMatch(/^[A-Z].*\.$/s);
    }
  });

  test('cut anywhere, and with bytes changed, it is read without an exception', () => {
    const file = fileOf(sample);
    const bytes = file.content?.bytes ?? new Uint8Array();
    for (let part = 0; part < 16; part++) {
      const at = Math.floor((bytes.length * part) / 16);
      const cut = bytes.subarray(0, at);
      const changed = Uint8Array.from(bytes);
      changed[at] = 0xff;
      changed[at + 1] = 0;
      for (const one of [cut, changed]) {
        const content = { bytes: one, size: bytes.length, truncated: one.length < bytes.length };
        expect(mechanism.read({ ...file, content }).length).toBeLessThanOrEqual(256);
      }
    }
    expect(mechanism.read({ ...file, content: undefined })).toBeInstanceOf(Array);
  });
});

test('an agent in a home that stands elsewhere is read too', () => {
  const elsewhere = new MechanismPlaces(mechanisms, () => ['/opt/homes/tom']);
  const path = '/opt/homes/tom/Library/LaunchAgents/com.example.x.plist';
  expect(elsewhere.find(path)).toMatchObject({ mechanism: { id: 'launch-agent' }, home: '/opt/homes/tom' });
  const sample = samples.find(({ mechanism }) => mechanism === 'launch-agent');
  if (sample === undefined) throw new Error('no sample');
  const [item] = mechanismOf('launch-agent').read(fileOf({ ...sample, path, home: '/opt/homes/tom' }));
  expect(item).toMatchObject({ label: 'com.example.x', when: ['login', 'load'] });
});
