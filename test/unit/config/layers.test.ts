import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSettings, managedMark } from '../../../src/config/index.js';
import { mergeLayers } from '../../../src/config/layers.js';
import { type Written, xmlPlist } from '../../helpers/plist-writer.js';
import { tempFolder } from '../../helpers/run-cli.js';

/** A tree that stands for a Mac, with a configuration file and managed preferences. */
function mac(managed: Written | undefined, config = '') {
  const root = tempFolder();
  const home = path.join(root, 'Library/Application Support/launchwarden');
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'config.toml'), config);
  const folder = path.join(root, 'Library/Managed Preferences');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'com.launchwarden.agent.plist');
  if (managed !== undefined) writeFileSync(file, xmlPlist(managed), { mode: 0o644 });
  const load = () => loadSettings({ flags: { root }, cwd: root, platform: 'linux' });
  return { root, home, file, load };
}

const codesOf = ({ problems }: ReturnType<typeof loadSettings>) => problems.map(({ code }) => code);
const originOf = (settings: ReturnType<typeof loadSettings>, key: string) =>
  settings.origins.find((one) => one.key === key)?.origin;

describe('managed preferences', () => {
  test('stand above the file, and each value says where it is from', () => {
    const { load, file } = mac(
      { log: { level: 'debug' }, PayloadUUID: 'x', rules: { disabled: ['b'] } },
      '[log]\nlevel = "warn"\nfile = "a.log"\n[rules]\ndisabled = ["a"]\nenabled = ["c"]\n',
    );
    const settings = load();
    expect(settings.problems).toEqual([]);
    expect(settings.managedFile).toBe(file);
    expect(settings.log.level).toBe('debug');
    expect(settings.rules).toMatchObject({ disabled: ['b'], enabled: ['c'] });
    const origins = ['log.level', 'log.file', 'rules.disabled', 'rules.builtin'].map((key) =>
      originOf(settings, key),
    );
    expect(origins).toEqual(['managed', 'file', 'managed', 'default']);
  });

  test('what cannot be used is named and left out, the rest holds', () => {
    const { load } = mac(
      {
        log: { levle: 'debug', level: 'warn' },
        retention: { events: 'many' },
        detect: true,
        nothing: 1,
        watch: { mechanisms: new Uint8Array([1]) },
      },
      '[retention]\nevents = "2 GiB"\n',
    );
    const settings = load();
    expect(settings.log.level).toBe('warn');
    expect(settings.retention.eventBytes).toBe(2 * 2 ** 30);
    expect(settings.detect.closeUpdates).toBe(true);
    expect(codesOf(settings).sort()).toEqual([
      'config/invalid',
      'config/invalid',
      'config/invalid',
      'config/unknown-key',
      'config/unknown-key',
    ]);
    const typo = settings.problems.find(({ message }) => message.includes('levle'));
    expect(typo).toMatchObject({ hint: 'Did you mean "level"?', at: { file: settings.managedFile } });
  });

  test('a destination is added, one of the same name replaced, one that is wrong left out alone', () => {
    const { load } = mac(
      {
        destination: [
          { type: 'file', name: 'siem', path: '/var/log/managed.ndjson' },
          { type: 'file', name: 'second', path: '/var/log/second.ndjson' },
          { type: 'webhook', name: 'broken' },
        ],
      },
      '[[destination]]\ntype = "file"\nname = "local"\npath = "/l"\n[[destination]]\ntype = "file"\nname = "siem"\npath = "/s"\n',
    );
    const settings = load();
    expect(settings.destinations.map(({ name }) => name)).toEqual(['local', 'siem', 'second']);
    expect(settings.destinations[1]).toMatchObject({ path: '/var/log/managed.ndjson' });
    expect(codesOf(settings)).toEqual(['config/missing-key']);
    expect(originOf(settings, 'destination[0].path')).toBe('file');
    expect(originOf(settings, 'destination[1].path')).toBe('managed');
  });

  test.each([
    ['a link', ({ file, root }: ReturnType<typeof mac>) => symlinkSync(path.join(root, 'elsewhere'), file)],
    ['no property list', ({ file }: ReturnType<typeof mac>) => writeFileSync(file, '\u0001nothing')],
    ['no dictionary', ({ file }: ReturnType<typeof mac>) => writeFileSync(file, xmlPlist(['a']))],
    [
      'writable by others',
      ({ file }: ReturnType<typeof mac>) => {
        writeFileSync(file, xmlPlist({ log: { level: 'silent' } }));
        chmodSync(file, 0o666);
      },
    ],
    ['a folder', ({ file }: ReturnType<typeof mac>) => mkdirSync(file)],
  ])('%s in its place is refused and said, and the agent has its file', (_, put) => {
    const place = mac(undefined, '[log]\nlevel = "warn"\n');
    put(place);
    const settings = place.load();
    expect(codesOf(settings)).toEqual(['config/managed-refused']);
    expect(settings.log.level).toBe('warn');
  });

  test('nothing is managed on another system, and where there is no file', () => {
    const { load, root } = mac(undefined);
    expect(load().managedFile).toBeUndefined();
    expect(loadSettings({ flags: {}, cwd: root, platform: 'linux' }).managedFile).toBeUndefined();
  });
});

test('layers are put over each other key by key, lists as a whole', () => {
  const { tables } = mergeLayers([
    { name: 'file', tables: { a: { b: 1, c: [1, 2] }, d: 1 } },
    { name: 'policy', tables: { a: { c: [3] } } },
    { name: 'managed', tables: { a: { b: 2 }, e: {} } },
  ]);
  expect(tables).toEqual({ a: { b: 2, c: [3] }, d: 1, e: {} });
});

test('a profile that comes, changes or goes is noticed without reading it', () => {
  const { root, file } = mac(undefined);
  const marks = [managedMark(root, 'linux')];
  writeFileSync(file, xmlPlist({ log: { level: 'warn' } }));
  marks.push(managedMark(root, 'linux'));
  writeFileSync(file, xmlPlist({ log: { level: 'error' } }));
  marks.push(managedMark(root, 'linux'));
  rmSync(file);
  marks.push(managedMark(root, 'linux'));
  expect(new Set(marks).size).toBe(3);
  expect(marks[3]).toBe(marks[0]);
});

test('two destinations of one name in managed preferences are one, also where the file has none', () => {
  const { load } = mac({
    destination: [
      { type: 'webhook', name: 'w', url: 'https://a.example/' },
      { type: 'webhook', name: 'w', url: 'https://b.example/' },
    ],
  });
  expect(load().destinations).toMatchObject([{ name: 'w', url: 'https://b.example/' }]);
});
