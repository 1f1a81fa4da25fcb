import { expect, test } from 'vitest';
import { mechanisms } from '../../../src/mechanisms/index.js';
import { textFile } from './mechanism-file.js';

/** Of each mechanism that reads lines: a path, and a line that matters. */
const lines = [
  ['cron', '/private/var/at/tabs/mara', '* * * * * /tmp/evil'],
  ['sudoers', '/private/etc/sudoers.d/mara', 'mara ALL=(ALL) NOPASSWD: ALL'],
  ['sudoers', '/private/etc/sudoers.d/mara', '#1501 ALL=(ALL) NOPASSWD: ALL'],
  ['ssh-authorized-key', '/Users/mara/.ssh/authorized_keys', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA evil'],
  ['ssh-config', '/Users/mara/.ssh/config', 'ProxyCommand /tmp/evil'],
  ['git-config', '/Users/mara/.gitconfig', '[core]\n fsmonitor = /tmp/evil'],
] as const;

const ways = {
  'a comment that ends in a backslash': (line: string) => `# see the manual \\\n${line}\n`,
  'five thousand blanks': (line: string) => `${' '.repeat(5_000)}${line}\n`,
  'six thousand comments': (line: string) => `${'# nothing\n'.repeat(6_000)}${line}\n`,
};

for (const [id, path, line] of lines)
  test.each(Object.entries(ways))(`${id}: ${line.split('\n')[0]}: %s hides nothing`, (_, hide) => {
    const mechanism = mechanisms.find((one) => one.id === id);
    const read = (text: string) =>
      (mechanism?.read(textFile(path, text)) ?? []).map(({ key, runs }) => [
        key,
        runs.map((one) => one.path),
      ]);
    expect(read(line)).toHaveLength(1);
    expect(read(hide(line))).toEqual(read(line));
  });

test('no line of a crontab goes on in the next', () => {
  const cron = mechanisms.find(({ id }) => id === 'cron');
  const file = textFile('/private/var/at/tabs/mara', '0 0 1 1 * /usr/bin/true \\\n* * * * * /tmp/evil\n');
  expect(cron?.read(file)).toHaveLength(2);
});
