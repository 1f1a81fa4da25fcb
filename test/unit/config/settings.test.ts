import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { loadSettings, type SettingsFlags } from '../../../src/config/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

function settingsOf(
  text: string | undefined,
  flags: SettingsFlags = {},
  platform: NodeJS.Platform = 'linux',
) {
  const folder = tempFolder();
  const file = path.join(folder, 'config.toml');
  if (text !== undefined) writeFileSync(file, text);
  const settings = loadSettings({
    flags: { ...(text === undefined ? {} : { config: 'config.toml' }), ...flags },
    cwd: folder,
    platform,
  });
  return { folder, file, settings };
}

function failure(text: string): UserError & { readonly at: { line: number; column: number; file: string } } {
  try {
    settingsOf(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as never;
  }
  throw new Error('it was accepted');
}

describe('values', () => {
  test('with no file everything has its default', () => {
    const { settings } = settingsOf(undefined);
    expect(settings.configFile).toBeUndefined();
    expect(settings.log).toEqual({ level: 'info', file: undefined });
    expect(settings.retention).toEqual({
      eventBytes: 2 ** 30,
      evidenceBytes: 2 ** 28,
      closedAlerts: 365 * 86_400 * 1e6,
    });
    expect(new Set(settings.origins.map((one) => one.origin))).toEqual(new Set(['default']));
  });

  test('the flag wins over the file, the file over the default, and each says so', () => {
    const { settings, folder } = settingsOf('data_dir = "db"\n[log]\nlevel = "warn"\nfile = "a.log"\n', {
      dataDir: 'other',
    });
    expect(settings.dataDir).toBe(path.join(folder, 'other'));
    expect(settings.log).toEqual({ level: 'warn', file: path.join(folder, 'a.log') });
    const byKey = Object.fromEntries(settings.origins.map((one) => [one.key, one]));
    expect(byKey['data_dir']).toEqual({ key: 'data_dir', value: path.join(folder, 'other'), origin: 'flag' });
    expect(byKey['log.level']).toEqual({
      key: 'log.level',
      value: 'warn',
      origin: 'file',
      at: { line: 3, column: 1 },
    });
    expect(byKey['rules.builtin']).toEqual({ key: 'rules.builtin', value: true, origin: 'default' });
  });

  test('relative paths of the file stand beside it, also of destinations', () => {
    const { settings, folder } = settingsOf(
      '[rules]\nfolders = ["mine", "/abs"]\n[[destination]]\ntype = "file"\npath = "out/a.ndjson"\n',
    );
    expect(settings.rules.folders).toEqual([path.join(folder, 'mine'), '/abs']);
    expect(settings.destinations).toMatchObject([{ type: 'file', path: path.join(folder, 'out/a.ndjson') }]);
  });

  test('so do the certificates that the policy is fetched with: launchd starts the agent in no folder of ours', () => {
    const key = `${'A'.repeat(43)}=`;
    const { settings, folder } = settingsOf(
      `[policy]\nurl = "https://x.example/p"\npublic_key = "${key}"\ntls = { ca = "ca.pem", cert = "/c.pem", key = "c.key" }\n`,
    );
    const files = { ca: path.join(folder, 'ca.pem'), cert: '/c.pem', key: path.join(folder, 'c.key') };
    expect(settings.policy?.network.tls).toMatchObject(files);
    expect(settings.origins.find(({ key }) => key === 'policy.tls.ca')).toMatchObject({
      value: files.ca,
      origin: 'file',
      at: { line: 4 },
    });
  });

  test('the server of a fleet is not asked without a pause', () => {
    const { settings } = settingsOf(
      `[policy]\nurl = "https://x.example/p"\npublic_key = "${'A'.repeat(43)}="\ninterval = "1ms"\n`,
    );
    expect(settings.policy?.intervalMs).toBe(60_000);
  });

  test('--sensors disables the others', () => {
    const { settings } = settingsOf(undefined, { sensors: ['file-watch'] });
    expect(settings.sensors.disabled).not.toContain('file-watch');
    expect(settings.sensors.disabled).toContain('process-scan');
  });

  test.each([
    ['darwin', '/Library/Application Support/launchwarden/data'],
    ['linux', '/var/lib/launchwarden'],
  ] as const)('the data folder of %s', (platform, expected) => {
    expect(settingsOf(undefined, {}, platform).settings.dataDir).toBe(expected);
  });
});

describe('--root', () => {
  test('maps the default places into the tree, and its links are resolved', () => {
    const folder = tempFolder();
    const root = path.join(folder, 'mac');
    const home = path.join(root, 'Library/Application Support/launchwarden');
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, 'config.toml'), '[log]\nlevel = "error"\n');
    symlinkSync(root, path.join(folder, 'link'));
    const settings = loadSettings({ flags: { root: 'link' }, cwd: folder, platform: 'linux' });
    expect(settings.root).toBe(root);
    expect(settings.dataDir).toBe(path.join(home, 'data'));
    expect(settings.configFile).toBe(path.join(home, 'config.toml'));
    expect(settings.log.level).toBe('error');
  });

  test('refuses the machine itself, by whatever name', () => {
    const folder = tempFolder();
    symlinkSync('/', path.join(folder, 'link'));
    for (const root of ['/', '/tmp/..', 'link']) {
      expect(() => loadSettings({ flags: { root }, cwd: folder, platform: 'linux' })).toThrow(
        expect.objectContaining({
          code: 'config/bad-root',
          hint: 'Leave --root out to work on this machine.',
        }),
      );
    }
  });

  test.each(['nowhere', 'file'])('refuses one that is no folder: %s', (name) => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'file'), '');
    expect(() => loadSettings({ flags: { root: name }, cwd: folder, platform: 'linux' })).toThrow(
      expect.objectContaining({ code: 'config/bad-root', exitCode: 2 }),
    );
  });
});

describe('what is wrong is said with file, line and column', () => {
  test.each([
    ['[log]\nlevl = "info"\n', 'config/unknown-key', 2, 1, 'Did you mean "level"?'],
    ['# a comment\n\n[lgo]\nlevel = "info"\n', 'config/unknown-key', 3, 1, 'Did you mean "log"?'],
    [
      'zzzzzzzz = 1\n',
      'config/unknown-key',
      1,
      1,
      'Known here: data_dir, log, sensors, watch, rules, exceptions, detect, scan, policy, respond, canary, retention, budget, forward, destination.',
    ],
    ['[log]\n  level = "wran"\n', 'config/invalid', 2, 3, 'Did you mean "warn"?'],
    ['log.level = "wran"\n', 'config/invalid', 1, 1, 'Did you mean "warn"?'],
    ['log = { level = 3 }\n', 'config/invalid', 1, 9, undefined],
    [
      '[sensors]\ndisabled = [\n  "file-watch",\n  "file-wacth",\n]\n',
      'config/invalid',
      4,
      3,
      'Did you mean "file-watch"?',
    ],
    ['[retention]\nevents = "lots"\n', 'config/invalid', 2, 1, undefined],
    ['[retention]\nevents = "0 MiB"\n', 'config/invalid', 2, 1, undefined],
    ['[[destination]]\ntype = "file"\n', 'config/missing-key', 1, 1, undefined],
    [
      '[[destination]]\ntype = "file"\npath = "/a"\n\n[[destination]]\ntype = "file"\npath = "/b"\npth = 1\n',
      'config/unknown-key',
      8,
      1,
      'Did you mean "path"?',
    ],
    [
      '[[destination]]\ntype = "file"\npath = "/a"\n[[destination]]\ntype = "file"\npath = "/b"\n',
      'config/invalid',
      4,
      1,
      'The name tells their queues apart: give each its own.',
    ],
    ['[log\nlevel = 1\n', 'config/syntax', 1, 5, undefined],
    ['[log]\nlevel = "in\n', 'config/syntax', 2, 12, undefined],
  ])('%j', (text, code, line, column, hint) => {
    const error = failure(text);
    expect({ code: error.code, line: error.at.line, column: error.at.column, hint: error.hint }).toEqual({
      code,
      line,
      column,
      hint,
    });
    expect(error.at.file).toMatch(/config\.toml$/);
    expect(error.exitCode).toBe(2);
  });

  test('a secret, or a URL that holds one, is not repeated', () => {
    const destination = '[[destination]]\ntype = "elasticsearch"\n';
    const key = failure(`${destination}url = "https://x"\napi_key = "hunter2"\n`);
    expect(key.message).toMatch(/^"destination\[0\]\.api_key" must be a reference to a secret: /);
    const url = failure(`${destination}url = "https://me:hunter2@x"\n`);
    expect(url.message).toMatch(/^"destination\[0\]\.url" must be a URL /);
    expect(`${key.describe()}${url.describe()}`).not.toContain('hunter2');
  });

  test('one pair of brackets too few', () => {
    expect(failure('\n[destination]\ntype = "file"\npath = "/a"\n')).toMatchObject({
      code: 'config/invalid',
      message: '"destination" is one table; expected a list of them',
      hint: 'Write [[destination]] above each.',
      at: { line: 2, column: 1 },
    });
  });

  test('text inside strings is no key', () => {
    const text = 'data_dir = """\n[log]\nlevel = "x" # \\"""\n"""\n[log]\nlevl = 1\n';
    expect(failure(text)).toMatchObject({ code: 'config/unknown-key', at: { line: 6, column: 1 } });
  });

  test.each(['__proto__ = 1\n', '[constructor]\na = 1\n', 'a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1\n'])(
    'hostile text: %j',
    (text) => {
      expect(failure(text).code).toMatch(/^config\/(syntax|unknown-key)$/);
    },
  );
});

describe('a file that cannot be used', () => {
  test('missing', () => {
    expect(() =>
      loadSettings({ flags: { config: 'no.toml' }, cwd: tempFolder(), platform: 'linux' }),
    ).toThrow(expect.objectContaining({ code: 'config/missing', exitCode: 2 }));
  });

  test('a folder', () => {
    const folder = tempFolder();
    expect(() => loadSettings({ flags: { config: '.' }, cwd: folder, platform: 'linux' })).toThrow(
      expect.objectContaining({ code: 'config/not-a-file' }),
    );
  });

  test('not UTF-8, and too large', () => {
    const folder = tempFolder();
    const file = path.join(folder, 'c.toml');
    const load = () => loadSettings({ flags: { config: file }, cwd: folder, platform: 'linux' });
    writeFileSync(file, Buffer.from([0x23, 0xff, 0xfe]));
    expect(load).toThrow(expect.objectContaining({ code: 'config/unreadable' }));
    writeFileSync(file, '#'.repeat(1024 * 1024 + 1));
    expect(load).toThrow(expect.objectContaining({ code: 'config/too-large' }));
  });
});

test('a budget is read as shares of a processor and bytes, and there is none when none is written', () => {
  const file = path.join(tempFolder(), 'c.toml');
  const read = (text: string) => {
    writeFileSync(file, text);
    return loadSettings({ flags: { config: file }, cwd: '/', platform: 'linux' }).budget;
  };
  const none = { cpu: undefined, memory: undefined, workerCpu: undefined, workerMemory: undefined };
  expect(read('')).toEqual(none);
  expect(read('[budget]\ncpu = "150%"\nmemory = "1 KiB"\nworker_cpu = "2.5 %"')).toEqual({
    ...none,
    cpu: 1.5,
    memory: 1024,
    workerCpu: 0.025,
  });
  for (const bad of ['"0%"', '"50"', '0.5', '"-1%"']) expect(() => read(`[budget]\ncpu = ${bad}`)).toThrow();
});
