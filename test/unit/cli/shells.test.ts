import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { allNodes, commandTree, everywhere } from '../../../src/cli/command-tree.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';

const tree = await commandTree();
const nodes = allNodes(tree);
const commands = nodes.filter(({ children }) => children.length === 0);

function find(program: string): string | undefined {
  return ['/bin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file));
}

async function script(shell: string): Promise<string> {
  const file = path.join(tempFolder(), `_launchwarden.${shell}`);
  const { code, stdout } = await cli(['completions', shell]);
  expect(code).toBe(0);
  writeFileSync(file, stdout);
  return file;
}

function run(program: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, [...args], { encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}

const shells = { bash: find('bash'), zsh: find('zsh'), fish: find('fish') };
for (const [shell, file] of Object.entries(shells))
  if (file === undefined)
    process.stderr.write(`skipped: completions of ${shell} are not tried: there is no ${shell} here\n`);

/** What bash offers for the words of a line, of which the last is being written. */
function offered(file: string, words: readonly string[]): string[] {
  const array = words.map((word) => `'${word}'`).join(' ');
  const code = `source '${file}'; COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _launchwarden; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run(shells.bash ?? '', ['--norc', '-c', code]);
}

test.skipIf(shells.bash === undefined)('bash completes nouns, verbs, options and files', async () => {
  const file = await script('bash');
  run(shells.bash ?? '', ['-n', file]);
  expect(offered(file, ['launchwarden', 'al'])).toEqual(['alerts']);
  const verbs = nodes.find(({ words }) => words.join(' ') === 'alerts')?.children.map(({ name }) => name);
  expect(offered(file, ['launchwarden', 'alerts', ''])).toEqual([...(verbs ?? []), '--help']);
  expect(offered(file, ['launchwarden', 'doctor', '--fi'])).toEqual(['--fix']);
  expect(offered(file, ['launchwarden', 'alerts', 'list', '--json', '--da'])).toEqual(['--data-dir']);
  expect(offered(file, ['launchwarden', 'doctor', '--config', file.slice(0, -3)])).toEqual([file]);
  expect(offered(file, ['launchwarden', 'alerts', 'list', '--since', ''])).toEqual([]);
});

test.skipIf(shells.zsh === undefined)('zsh completes nouns, verbs and options', async () => {
  const file = await script('zsh');
  run(shells.zsh ?? '', ['-f', '-n', file]);
  const asked = (words: readonly string[]) =>
    run(shells.zsh ?? '', [
      '-f',
      '-c',
      `_describe() { print -l -- "\${commands[@]}" }; _arguments() { print -l -- "$@" }
       source '${file}'; words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; _launchwarden`,
    ]);
  expect(asked(['launchwarden', ''])).toContain('doctor:Examine the installation, and say what to do');
  expect(asked(['launchwarden', 'alerts', '']).some((line) => line.startsWith('list:'))).toBe(true);
  const specs = asked(['launchwarden', 'doctor', '--']);
  expect(specs.some((line) => line.startsWith('--fix['))).toBe(true);
  expect(specs).toContain('--root[a folder that stands for "/" of a Mac]:DIR:_files');
});

test.skipIf(shells.fish === undefined)('fish reads its completions', async () => {
  const file = await script('fish');
  run(shells.fish ?? '', ['--no-config', '--no-execute', file]);
});

test.each(['bash', 'zsh', 'fish'])('the completion of %s knows every command and option', async (shell) => {
  const { stdout } = await cli(['completions', shell]);
  for (const { words, options } of commands) {
    for (const word of words) expect(stdout).toContain(word);
    for (const { long } of options)
      expect(stdout, words.join(' ')).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : long);
  }
  for (const { long } of everywhere) expect(stdout).toContain(long.slice(2));
  // No control character, and nothing that another program of the terminal would take for an order.
  expect(stdout).toMatch(/^[\n\x20-\x7e…]*$/);
});

test('no other shell is known', async () => {
  expect(await cli(['completions', 'tcsh'])).toMatchObject({ code: 2 });
  expect((await cli(['completions', 'tcsh'])).stderr).toContain('bash, fish, zsh');
});

test('the manual tells of every command, option and example, and is sound', async () => {
  const { code, stdout } = await cli(['man']);
  expect(code).toBe(0);
  const plain = stdout.replaceAll('\\-', '-').replaceAll('\\(dq', '"').replaceAll('\\e', '\\');
  for (const { words, options, examples } of commands) {
    expect(plain).toContain(`.SS launchwarden ${words.join(' ')}`);
    for (const { long } of options) expect(plain).toContain(`.B ${long}`);
    for (const { line } of examples) expect(plain).toContain(line);
  }
  // Nothing that a text holds becomes a request.
  for (const line of stdout.split('\n'))
    expect(line).toMatch(/^(?:\.(?:TH|SH|SS|B|BR|RI|I|PP|TP|nf|fi|RS|RE)\b|[^.']|$)/);
  const groff = find('groff');
  if (groff === undefined)
    process.stderr.write('skipped: the manual is not formatted: there is no groff here\n');
  else {
    const page = path.join(tempFolder(), 'launchwarden.1');
    writeFileSync(page, stdout);
    const { stderr } = spawnSync(groff, ['-man', '-Tutf8', '-ww', page], { encoding: 'utf8' });
    expect(stderr).toBe('');
  }
});

test('no command and no noun lacks an example, and help shows them', async () => {
  for (const { words, examples } of commands) expect(examples.length, words.join(' ')).toBeGreaterThan(0);
  for (const { words } of nodes.filter(({ children }) => children.length > 0)) {
    const { stdout, code } = await cli([...words, '--help']);
    expect(code).toBe(0);
    expect(stdout, words.join(' ')).toContain('Examples:');
  }
});
