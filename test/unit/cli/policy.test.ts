import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBuiltinRules } from '../../../src/rules/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

/** A folder with a policy in it, and the words of each command that works on it. */
function fleet(files: Record<string, string>) {
  const cwd = tempFolder();
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(cwd, 'fleet', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const run = (...argv: string[]) => cli(argv, { cwd });
  return { cwd, run };
}

const builtinIds = loadBuiltinRules().map(({ meta }) => meta.id);
const sound = { 'config.toml': '[detect]\nclose_updates = false\n', 'hashes/a.txt': `${'a'.repeat(64)}\n` };

test('a policy is built, signed and verified', async () => {
  const { cwd, run } = fleet(sound);
  const keygen = await run('policy', 'keygen', 'k', '--json');
  const [{ public_key: key }] = documents(keygen.stdout) as [{ public_key: string }];
  expect(statSync(path.join(cwd, 'k')).mode & 0o777).toBe(0o600);
  const built = await run('policy', 'build', 'fleet', '--version', '3', '--expires', '90d', '--json');
  expect(documents(built.stdout)).toMatchObject([{ version: 3, files: ['config.toml', 'hashes/a.txt'] }]);
  const unsigned = await run('policy', 'verify', 'policy-3.bundle', '--public-key', key);
  expect([unsigned.code, unsigned.stdout]).toEqual([1, expect.stringContaining('[policy/unsigned]')]);
  expect((await run('policy', 'sign', 'policy-3.bundle', '--key', 'k')).code).toBe(0);
  const verified = await run('policy', 'verify', 'policy-3.bundle', '--public-key', key, '--json');
  expect([verified.code, ...documents(verified.stdout)]).toMatchObject([0, { good: true, version: 3 }]);
  // What is there is not replaced by accident.
  const again = await run('policy', 'keygen', 'k');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('[policy/exists]')]);
  const other = await run('policy', 'sign', 'policy-3.bundle', '--key', 'policy-3.bundle');
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('[policy/bad-key]')]);
});

test.each([
  [
    'a key that does not exist',
    { 'config.toml': '[detect]\nclose = 1\n' },
    'config/unknown-key',
    'config.toml:2:1',
  ],
  [
    'a key that a policy may not set',
    { 'config.toml': '[policy]\ninterval = "2h"\n' },
    'policy/forbidden-key',
    'config.toml:1:1',
  ],
  [
    'sensors off',
    { 'config.toml': '[sensors]\ndisabled = ["file-watch"]\n' },
    'policy/forbidden-key',
    'config.toml:1:1',
  ],
  [
    'the built-in rules off',
    { 'config.toml': '[rules]\nbuiltin = false\n' },
    'policy/forbidden-key',
    'config.toml:2:1',
  ],
  [
    'a destination that runs a program',
    { 'config.toml': '[[destination]]\ntype = "module"\npath = "/x.mjs"\n' },
    'policy/forbidden-key',
    'config.toml:1:1',
  ],
  [
    'a destination that writes anywhere',
    { 'config.toml': '[[destination]]\ntype = "file"\npath = "/etc/sudoers.d/x"\n' },
    'policy/forbidden-key',
    'config.toml:1:1',
  ],
  ...[
    'file:/etc/krb5.keytab',
    'file:/Library/launchwarden/secrets/../../x',
    'keychain:AirPort/home',
    'env:PATH',
  ].map((secret): [string, Record<string, string>, string, string] => [
    `a destination that is given the secret ${secret}`,
    {
      'config.toml': `[[destination]]\ntype = "webhook"\nurl = "https://x.example"\nsecret_headers = { A = "${secret}" }\n`,
    },
    'policy/forbidden-key',
    'config.toml:1:1',
  ]),
  [
    'two destinations of one name',
    { 'config.toml': '[[destination]]\ntype = "notification"\n[[destination]]\ntype = "notification"\n' },
    'config/invalid',
    'config.toml:3:1',
  ],
  ['a rule that does not compile', { 'rules/a.toml': '[rule]\n' }, 'policy/bad-rule', 'rules/a.toml'],
  [
    'an exception that does not compile',
    { 'exceptions/a.toml': 'x = 1\n' },
    'exceptions/',
    'exceptions/a.toml',
  ],
  ['a line that is no hash', { 'hashes/a.txt': 'zzz\n' }, 'policy/bad-scan-rule', 'hashes/a.txt'],
  [
    'an exception for whatever anybody makes',
    {
      'exceptions/a.toml': `name = "a"\n[[exception]]\nid = "wide"\nreason = "r"\nauthor = "a"\nexpires = 2036-01-01\nitem = 'file.path: *'\n`,
    },
    'policy/blinds',
    'an exception hides whatever anybody makes (wide)',
  ],
  [
    'every rule switched off',
    { 'config.toml': `[rules]\ndisabled = ${JSON.stringify(builtinIds)}\n` },
    'policy/blinds',
    'no rule detects anything',
  ],
  ['a file that has no place', { 'notes.md': 'x' }, 'policy/cannot-build', 'notes.md'],
])('no bundle is made of %s', async (_, files, code, place) => {
  const { run } = fleet(files as unknown as Record<string, string>);
  const { code: exit, stderr } = await run('policy', 'build', 'fleet', '--version', '1', '--expires', '1d');
  expect(exit).toBe(2);
  expect(stderr).toContain(code);
  expect(stderr).toContain(place);
});

test('a destination of a policy may name what was laid down for launchwarden', async () => {
  const secrets = [
    'file:/Library/Application Support/launchwarden/secrets/hook',
    'keychain:com.launchwarden/hook',
    'env:LAUNCHWARDEN_HOOK',
  ];
  const config = secrets.map(
    (secret, n) =>
      `[[destination]]\nname = "d${n}"\ntype = "webhook"\nurl = "https://x.example"\nsecret_headers = { A = "${secret}" }\n`,
  );
  const { run } = fleet({ 'config.toml': config.join('') });
  expect(await run('policy', 'build', 'fleet', '--version', '1', '--expires', '1d')).toMatchObject({
    code: 0,
  });
});

test('whoever signs a policy is told what it takes from the eyes of the Macs', async () => {
  const { run } = fleet({ 'config.toml': '[rules]\ndisabled = ["x"]\n' });
  const words = ['build', 'fleet', '--version', '1', '--expires', '1d'];
  const { stdout } = await run('policy', ...words);
  expect(stdout).toContain('! rules that it switches off: 1.\n');
  const [document] = documents((await run('policy', ...words, '--force', '--json')).stdout);
  expect(document).toMatchObject({ remarks: ['rules that it switches off: 1'] });
  const { stdout: key } = await run('policy', 'keygen', 'k', '--json');
  const [{ public_key }] = documents(key) as [{ public_key: string }];
  await run('policy', 'sign', 'policy-1.bundle', '--key', 'k');
  const verified = await run('policy', 'verify', 'policy-1.bundle', '--public-key', public_key);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('! rules that it') });
});

test('status says that no policy is fetched, and what is missing for one', async () => {
  const cwd = tempFolder();
  const none = await cli(['policy', 'status', '--data-dir', 'd'], { cwd });
  expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('No policy is fetched')]);
  writeFileSync(path.join(cwd, 'c.toml'), '[policy]\nurl = "https://fleet.example/policy"\n');
  const keyless = await cli(['policy', 'status', '--data-dir', 'd', '--config', 'c.toml'], { cwd });
  expect([keyless.code, keyless.stdout]).toEqual([1, expect.stringContaining('no key is named')]);
  expect(keyless.stdout).not.toContain('url is not set');
  writeFileSync(path.join(cwd, 'c.toml'), '[policy]\nurl = "http://fleet.example/policy"\n');
  const plain = await cli(['policy', 'status', '--data-dir', 'd', '--config', 'c.toml'], { cwd });
  expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining('a URL of https')]);
  expect(readFileSync(path.join(cwd, 'c.toml'), 'utf8')).toContain('http://');
});
