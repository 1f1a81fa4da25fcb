import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asNobody } from '../../helpers/as-nobody.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { storedAlerts } from './alert-fixture.js';

/** A data folder with a database, closed to everybody: 0700 and root's for a user without sudo. */
function closedData(): string {
  const dataDir = storedAlerts();
  chmodSync(path.dirname(dataDir), 0o755);
  return dataDir;
}

const config = '[[destination]]\ntype = "file"\npath = "/dev/null"\nname = "siem"\n';

describe('a data folder that may not be read is an error of its own', () => {
  test.each([
    [['alerts', 'list'], 2, 'store/no-access'],
    [['alerts', 'show', '3f'], 2, 'store/no-access'],
    [['alerts', 'watch'], 2, 'store/no-access'],
    [['alerts', 'ack', '3f'], 2, 'store/no-access'],
    [['alerts', 'note', '3f', 'x'], 2, 'store/no-access'],
    [['hunt', '--query', 'any where true'], 2, 'store/no-access'],
    [['rules', 'explain', '84ef182d', 'abc'], 2, 'store/no-access'],
    [['outbox', 'dead', 'list'], 2, 'store/no-access'],
    [['outbox', 'dead', 'show', 'x'], 2, 'store/no-access'],
    [['outbox', 'dead', 'export'], 2, 'store/no-access'],
    [['outbox', 'dead', 'retry'], 3, 'control/forbidden'],
    [['outbox', 'dead', 'purge', '--all'], 3, 'control/forbidden'],
    [['forward', 'status'], 3, 'control/forbidden'],
    [['forward', 'pause', 'siem'], 2, 'store/no-access'],
    [['forward', 'resume', 'siem'], 2, 'store/no-access'],
    [['forward', 'retry'], 3, 'control/forbidden'],
    [['status'], 3, 'control/forbidden'],
    [['coverage'], 3, 'control/forbidden'],
    [['respond', 'list'], 2, 'respond/unreadable'],
    [['respond', 'status'], 2, 'respond/unreadable'],
    [['respond', 'show', '7be1a05d'], 2, 'respond/unreadable'],
    // Never "nothing persists here" or "nothing found" of what could not be looked at.
    [['inventory', 'list'], 2, 'store/no-access'],
    [['inventory', 'diff'], 2, 'store/no-access'],
    [['report', '--host'], 2, 'store/no-access'],
    [['scan'], 2, 'store/no-access'],
  ])('%j', async (argv, exitCode, code) => {
    const dataDir = closedData();
    const file = path.join(path.dirname(dataDir), 'config.toml');
    writeFileSync(file, config);
    const signal = AbortSignal.abort();
    const all = [...argv, '--data-dir', dataDir, '--config', file];
    // Once with all rights: what it needs is loaded then.
    await cli(all, { signal });
    chmodSync(dataDir, 0o000);
    const run = await asNobody(() => cli(all, { signal }));
    chmodSync(dataDir, 0o700);
    expect({ code: run.code, stdout: run.stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(run.stderr).toContain(`[${code}]`);
    expect(run.stderr).toContain(dataDir);
    expect(run.stderr).toContain('sudo');
    expect(run.stderr).not.toContain('there is no');
    // In words: the system's own error is for whoever wrote the program.
    expect(run.stderr).not.toMatch(/EACCES|scandir|lstat/);
  });

  test('so is a folder above it', async () => {
    const dataDir = closedData();
    const argv = ['alerts', 'list', '--data-dir', dataDir, '--json'];
    await cli(argv);
    const above = path.dirname(dataDir);
    chmodSync(above, 0o000);
    onTestFinished(() => chmodSync(above, 0o700));
    const { code, stderr } = await asNobody(() => cli(argv));
    expect({ code, said: documents(stderr) }).toMatchObject({ code: 2, said: [{ code: 'store/no-access' }] });
  });
});

test('a configuration at the default place that may not be read is not taken for none', async () => {
  const root = tempFolder();
  chmodSync(root, 0o755);
  const home = path.join(root, 'Library/Application Support/launchwarden');
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'config.toml'), '[log]\nlevel = "error"\n');
  const argv = ['config', 'show', '--root', root];
  expect((await cli(argv)).code).toBe(0);
  chmodSync(home, 0o000);
  const { code, stderr } = await asNobody(() => cli(argv));
  chmodSync(home, 0o755);
  expect(code).toBe(2);
  expect(stderr).toContain('[config/unreadable]');
  expect(stderr).toContain('sudo');
});
