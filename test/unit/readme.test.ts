import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { catalog } from '../../src/cli/catalog.js';
import { findCommand, parseCommand } from '../../src/cli/parser.js';
import { cli, documents, tempFolder } from '../helpers/run-cli.js';
import { fakeSystem } from './install/fake-system.js';

// On a machine that has much else to do.
vi.setConfig({ testTimeout: 60_000 });

// What README shows is what works. The attack by hand is played by test/e2e/readme.test.ts.

const blocks = [...readFileSync('README.md', 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', text = '']) => ({ language, text }),
);
const io = { stdout: { write() {}, isTTY: false, columns: undefined } } as never;

test('there are blocks of commands and of configuration', () => {
  expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThanOrEqual(3);
  expect(blocks.filter(({ language }) => language === 'toml').length).toBeGreaterThanOrEqual(2);
  expect(blocks.map(({ language }) => language)).toEqual(
    blocks.map(() => expect.stringMatching(/^(?:sh|toml)$/)),
  );
});

test('the two commands that set everything up are run, as they stand, by the check of a new machine', () => {
  const check = readFileSync('.ci/run', 'utf8');
  const [first] = blocks.filter(({ language }) => language === 'sh');
  const commands = (first?.text ?? '').split('\n').flatMap((line) => line.replace(/#.*/, '').split('&&'));
  const wanted = commands.map((one) => one.trim()).filter((one) => one !== '');
  expect(wanted).toEqual(['npm ci', 'npm run demo', 'npm ci', 'npm test']);
  for (const one of wanted)
    expect(check).toMatch(new RegExp(`^${one.replace('npm run ', 'npm run (?:--silent )?')}\\b`, 'm'));
});

test.each(blocks.filter(({ language }) => language === 'toml'))(
  'a configuration, copied, keeps no agent from starting: $text',
  async ({ text }) => {
    const folder = tempFolder();
    // Where it is copied to is another folder here.
    const moved = text
      .replaceAll('/Library/Application Support/launchwarden', path.join(folder, 'support'))
      .replaceAll('/Library/Logs/launchwarden', path.join(folder, 'logs'));
    writeFileSync(path.join(folder, 'config.toml'), moved);
    mkdirSync(path.join(folder, 'mac'));
    const run = await cli(['config', 'check', '--json', '--config', 'config.toml', '--root', 'mac'], {
      cwd: folder,
      system: fakeSystem({ uid: 501 }),
    });
    const problems = documents(run.stdout);
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    // A secret or a certificate that is not there parks its destination; nothing else is wrong.
    for (const { message } of problems) expect(message).toMatch(/^destination /);
  },
);

test.each(blocks.filter(({ language }) => language === 'sh'))(
  'the commands are written right: $text',
  async ({ text }) => {
    for (const line of text.replaceAll(/<<'(\w+)'[\s\S]*?^\1$/gm, '').split('\n')) {
      const [, rest] = /^(?:sudo |npx )*launchwarden (.*?)(?: +#.*)?$/.exec(line) ?? [];
      if (rest === undefined) continue;
      const argv = (rest.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) =>
        word.replace(/^(["'])(.*)\1$/, '$2'),
      );
      const { entry, name, rest: given } = findCommand(catalog, argv);
      const command = await entry.load?.();
      expect(command, line).toBeDefined();
      if (command !== undefined) parseCommand(name, given, { entry, command, io });
    }
  },
);
