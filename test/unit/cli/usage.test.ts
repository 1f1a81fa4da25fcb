import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CatalogEntry, catalog } from '../../../src/cli/catalog.js';
import { parseCommand } from '../../../src/cli/parser.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

describe('help', () => {
  test('of the program names every command and ends with 0', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, summary } of catalog.commands ?? []) {
      expect(stdout).toContain(`  ${name}`);
      expect(stdout).toContain(summary);
    }
  });

  test('of a noun, of a command, and by the word help', async () => {
    expect((await cli(['alerts', '--help'])).stdout).toContain(
      'Usage: launchwarden alerts [options] [command]',
    );
    const help = await cli(['alerts', 'list', '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--since <TIME>');
    expect(help.stdout).toContain('Examples:\n');
    expect((await cli(['help', 'alerts', 'list'])).stdout).toBe(help.stdout);
  });

  test('no command at all prints it on standard error and ends with 2', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: launchwarden');
  });

  test('every command takes --config and --data-dir, has examples that parse, and shows its help', async () => {
    const walk = async (entry: typeof catalog, words: readonly string[]): Promise<void> => {
      for (const child of entry.commands ?? []) await walk(child, [...words, child.name]);
      if (entry.load === undefined) return;
      const { stdout } = await cli([...words, '--help']);
      expect(stdout).toContain('--config <FILE>');
      expect(stdout).toContain('--data-dir <DIR>');
      const command = await entry.load();
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { line } of command.examples) {
        const [program, ...rest] = line.replace(/^sudo /, '').split(' ');
        expect(program).toBe('launchwarden');
        expect(rest.slice(0, words.length)).toEqual(words);
        const argv =
          rest
            .slice(words.length)
            .join(' ')
            .match(/"[^"]*"|\S+/g) ?? [];
        const io = { stdout: { write() {}, isTTY: false, columns: undefined } };
        parseCommand('x', argv, { entry, command, io: io as never });
      }
    };
    await walk(catalog, []);
    // Every command's modules are loaded.
  }, 120_000);
});

test('every command takes --json, but those whose output is no data', async () => {
  const without: string[] = [];
  const walk = async (entry: typeof catalog, words: readonly string[]): Promise<void> => {
    for (const child of entry.commands ?? []) await walk(child, [...words, child.name]);
    const command = await entry.load?.();
    if (command !== undefined && command.options['json'] === undefined) without.push(words.join(' '));
  };
  await walk(catalog, []);
  expect(without).toEqual(['run', 'config schema', 'config manifest', 'completions', 'man']);
});

test('--version is the version and nothing else', async () => {
  expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  expect((await cli(['version'])).stdout).toContain(`launchwarden ${version} (Node.js `);
  expect(documents((await cli(['version', '--json'])).stdout)).toMatchObject([
    { schema: 'launchwarden.version/1', version },
  ]);
});

describe('what is written wrong', () => {
  test.each([
    [['alrets'], 'unknown command "alrets" [cli/unknown-command]\n  Did you mean "alerts"?'],
    [['alerts', 'lst'], 'unknown command "alerts lst" [cli/unknown-command]\n  Did you mean "list"?'],
    [['rules', 'zzzzzzzz'], 'unknown command "rules zzzzzzzz" [cli/unknown-command]\n  There are: list'],
    [
      ['alerts', 'list', '--sevrity', 'low'],
      'unknown option \'--sevrity\' [cli/unknown-option]\n  Did you mean "--severity"?',
    ],
    [
      ['alerts', 'list', '--severity', 'hihg'],
      '--severity is "hihg"; expected low, medium, high, critical [cli/invalid-value]\n  Did you mean "high"?',
    ],
    [['alerts', 'list', '--since', 'yesterday'], '--since is "yesterday"; expected a time ago such as 2h'],
    [['alerts', 'list', '--limit', '0'], '--limit is "0"; expected a whole number of at least 1'],
    [['alerts', 'list', '--limit', '1e3'], '--limit is "1e3"; expected a whole number'],
    [['alerts', 'list', 'extra'], 'too many arguments'],
    // Too short for a guess.
    [['rules', 'show', 'zz'], 'there is no rule "zz" [rules/unknown]\n  See "launchwarden rules list".'],
    [['alerts', 'show'], "missing required argument 'ID' [cli/missing-argument]"],
    [['--json', 'alerts', 'list'], 'unknown option "--json"'],
    [['run', '--root-scope', '-1'], '--root-scope'],
    [
      ['run', '--root', ''],
      '--root is ""; expected a path [cli/invalid-value]\n  Is a variable of the shell',
    ],
    [['alerts', 'list', '--data-dir='], '--data-dir is ""; expected a path'],
    [['config', 'show', '--config', ''], '--config is ""; expected a path'],
    [['replay', '--input', ''], '--input is ""; expected a path'],
    [['rules', 'check', 'a', ''], 'PATH is ""; expected a path'],
    [['rules', 'import', ''], 'PATH is ""; expected a path'],
    [['run', '--sensors', 'file-wacth'], 'Did you mean "file-watch"?'],
  ])('%j', async (argv, expected) => {
    const { code, stdout, stderr } = await cli(argv);
    expect({ code, stdout: argv.includes('--json') ? '' : stdout }).toEqual({ code: 2, stdout: '' });
    expect(argv.includes('--json') ? (JSON.parse(stderr) as { message: string }).message : stderr).toContain(
      expected,
    );
  });

  test('with --json it is one document on standard error', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'c.toml'), '[log]\nlevl = 1\n');
    const { code, stdout, stderr } = await cli(['config', 'show', '--json', '--config', 'c.toml'], {
      cwd: folder,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(documents(stderr)).toEqual([
      {
        schema: 'launchwarden.error/1',
        code: 'config/unknown-key',
        message: 'unknown key "levl" in "log"',
        hint: 'Did you mean "level"?',
        file: path.join(folder, 'c.toml'),
        line: 2,
        column: 1,
        exit_code: 2,
      },
    ]);
  });

  test('hostile text in an argument is shown escaped', async () => {
    const { stderr } = await cli(['alerts', '\u001b[31mevil\u202e\nlaunchwarden: all is well']);
    expect(stderr.split('\n')).toHaveLength(3);
    expect(stderr).toContain('\\x1b[31mevil\\u{202e}\\n');
    expect(stderr).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('config show', () => {
  test('tells every value and, with --origin, where it is from', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'c.toml'), '[retention]\nevents = "2 GiB"\n');
    const argv = ['config', 'show', '--config', 'c.toml', '--data-dir', 'd'];
    const plain = await cli(argv, { cwd: folder });
    expect(plain.stdout).toMatch(/^retention\.events +"2 GiB"$/m);
    const { stdout } = await cli([...argv, '--origin', '--json'], { cwd: folder });
    const byKey = Object.fromEntries(documents(stdout).map((one) => [one['key'], one]));
    expect(byKey['retention.events']).toEqual({
      schema: 'launchwarden.setting/1',
      key: 'retention.events',
      value: '2 GiB',
      origin: 'file',
      at: `${path.join(folder, 'c.toml')}:2:1`,
    });
    expect(byKey['data_dir']).toMatchObject({ value: path.join(folder, 'd'), origin: 'flag' });
    expect(byKey['log.level']).toMatchObject({ value: 'info', origin: 'default' });
  });
});

test('an unknown option of three letters is no slip of any other option', async () => {
  const { stderr } = await cli(['alerts', 'list', '--foo']);
  expect(stderr).toContain('See "launchwarden alerts list --help".');
  expect((await cli(['alerts', 'list', '--jsno'])).stderr).toContain('Did you mean "--json"?');
});

test('every command takes --json, but for those that README names', async () => {
  const without: string[] = [];
  const walk = async (entry: CatalogEntry, name: string): Promise<void> => {
    const options = Object.values((await entry.load?.())?.options ?? {});
    if (entry.load !== undefined && !options.some(({ flags }) => flags.startsWith('--json')))
      without.push(name);
    for (const one of entry.commands ?? []) await walk(one, `${name} ${one.name}`.trim());
  };
  await walk(catalog, '');
  const said =
    /takes `--json`[\s\S]*?, but for ([\s\S]*?)\./.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
  expect([...said.matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort()).toEqual(without.sort());
});
