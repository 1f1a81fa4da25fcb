import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { waitFor } from '../../simulation/mac.js';

function tree(): {
  readonly base: string;
  readonly root: string;
  readonly dataDir: string;
  readonly log: string;
} {
  const base = tempFolder();
  const root = path.join(base, 'mac');
  mkdirSync(path.join(root, 'Library/LaunchAgents'), { recursive: true });
  return { base, root, dataDir: path.join(base, 'data'), log: path.join(base, 'agent.log') };
}

/** The agent in this process, watching files alone, until `during` has ended. */
async function running(
  at: ReturnType<typeof tree> & { readonly more?: readonly string[] },
  during: () => Promise<void>,
): Promise<number> {
  const controller = new AbortController();
  const argv = [
    'run',
    '--root',
    at.root,
    '--data-dir',
    at.dataDir,
    '--log-file',
    at.log,
    '--sensors',
    'file-watch',
    ...(at.more ?? []),
  ];
  const ended = cli(argv, { signal: controller.signal });
  try {
    await waitFor('the agent to answer', async () => {
      const { code } = await cli(['status', '--data-dir', at.dataDir]);
      // 1: it answers, and is not healthy without a sensor of processes.
      return code === 0 || code === 1 ? true : undefined;
    });
    await during();
  } finally {
    controller.abort();
  }
  return (await ended).code;
}

describe('run', () => {
  test('writes its log, answers the CLI, refuses a second one, and ends with 0', async () => {
    const at = tree();
    const code = await running(at, async () => {
      const { stdout } = await cli(['status', '--json', '--data-dir', at.dataDir]);
      expect(documents(stdout)).toMatchObject([
        { schema: 'launchwarden.status/1', simulated: true, root: at.root },
      ]);
      const second = await cli(['run', '--root', at.root, '--data-dir', at.dataDir, '--log-level', 'silent']);
      expect(second.code).toBe(2);
      expect(second.stderr).toContain(`is in use by process ${process.pid}`);
      expect((await cli(['alerts', 'list', '--data-dir', at.dataDir])).stdout).toBe('No alerts.\n');
    });
    expect(code).toBe(0);
    expect(documents(readFileSync(at.log, 'utf8')).map((one) => one['msg'])).toContain('ready');
  });

  test('a plug-in that appears is an alert, and ack goes through the running agent', async () => {
    const at = tree();
    const dsplug = path.join(at.root, 'Library/DirectoryServices/PlugIns/e.dsplug');
    await running(at, async () => {
      mkdirSync(dsplug, { recursive: true });
      const id = await waitFor('the alert', async () => {
        const { stdout } = await cli(['alerts', 'list', '--json', '--data-dir', at.dataDir]);
        return documents(stdout)[0]?.['id'] as string | undefined;
      });
      const { code, stdout } = await cli(['alerts', 'ack', id, '--json', '--data-dir', at.dataDir]);
      expect(code).toBe(0);
      expect(documents(stdout)).toMatchObject([{ id, status: 'acknowledged', severity: 'medium' }]);
    });
  });

  test.each([
    ['a root that is not there', ['--root', 'none'], 'config/bad-root'],
    ['a configuration that is not there', ['--config', 'none.toml'], 'config/missing'],
    ['a malformed configuration', ['--config', 'bad.toml'], 'bad.toml:1:5: '],
    ['several errors, all told', ['--config', 'many.toml'], 'many.toml:4:1: unknown key "tire" in "sensors"'],
    ['a scope of no process', ['--root-scope', '4194303'], 'there is no process 4194303'],
  ])('%s ends with 2, and nothing is written', async (_what, argv, said) => {
    const at = tree();
    writeFileSync(path.join(at.base, 'bad.toml'), '[log\n');
    writeFileSync(path.join(at.base, 'many.toml'), '[log]\nlevel = "loud"\n[sensors]\ntire = "scan"\n');
    const before = readdirSync(at.base, { recursive: true });
    const root = argv.includes('--root') ? [] : ['--root', at.root];
    const { code, stderr } = await cli(['run', ...argv, ...root, '--data-dir', 'data'], { cwd: at.base });
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(readdirSync(at.base, { recursive: true })).toEqual(before);
  });

  test('a rule that does not compile, a folder that is not there and an id that no rule has are parked and told', async () => {
    const at = tree();
    const config = path.join(at.base, 'c.toml');
    writeFileSync(config, '[rules]\nfolders = ["rules", "none"]\nenabled = ["nope"]\n');
    mkdirSync(path.join(at.base, 'rules'));
    writeFileSync(path.join(at.base, 'rules/broken.toml'), '[rule\n');
    const checked = await cli(['config', 'check', '--config', config, '--root', at.root]);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(/^parked {2}.*none.*\n/);
    expect(checked.stdout).toMatch(/\nAn agent starts; 3 parts are parked: the agent runs without them\.\n$/);
    await running({ ...at, more: ['--config', config] }, async () => {
      const { stdout } = await cli(['status', '--data-dir', at.dataDir]);
      expect(stdout).toMatch(/^BLIND: .*3 rules are parked and detect nothing: .*none/);
      expect(stdout).toMatch(/\n {2}parked .*none[\s\S]*broken\.toml:1: [\s\S]*"nope" that does not exist/);
      const [json] = documents((await cli(['status', '--json', '--data-dir', at.dataDir])).stdout);
      expect(json).toMatchObject({
        rule_counts: { parked: 3, off: 0, degraded: 0 },
        alerts: [],
        destinations: [],
      });
    });
    expect(readFileSync(at.log, 'utf8')).toContain('rules are parked');
  });

  test('why a start failed stands in the log file too', async () => {
    const at = tree();
    const log = path.join(at.base, 'logs/agent.log');
    writeFileSync(path.join(at.base, 'c.toml'), '[log]\nfile = "logs/agent.log"\nlevel = 7\n');
    const { code } = await cli(['run', '--config', 'c.toml', '--root', at.root], { cwd: at.base });
    expect(code).toBe(2);
    expect(documents(readFileSync(log, 'utf8'))).toMatchObject([
      { msg: 'the agent cannot start', error: expect.stringContaining('c.toml:3:1: "log.level" is 7') },
    ]);
  });

  test('the environment names configuration and data where the command line does not', async () => {
    const at = tree();
    writeFileSync(path.join(at.base, 'c.toml'), 'data_dir = "elsewhere"\n');
    const show = async (env: Record<string, string>, ...argv: string[]) =>
      (await cli(['config', 'show', ...argv], { cwd: at.base, env })).stdout;
    const config = { LAUNCHWARDEN_CONFIG: 'c.toml' };
    expect(await show(config)).toContain('elsewhere');
    expect(await show({ ...config, LAUNCHWARDEN_DATA_DIR: 'there' })).toMatch(/data_dir .*\/there"/);
    expect(await show({ ...config, LAUNCHWARDEN_DATA_DIR: 'there' }, '--data-dir', 'here')).toMatch(
      /data_dir .*\/here"/,
    );
    expect(await show({ LAUNCHWARDEN_CONFIG: '' })).not.toContain('elsewhere');
  });

  test('a data directory that is a file ends with 2', async () => {
    const at = tree();
    writeFileSync(at.dataDir, '');
    const { code, stderr } = await cli([
      'run',
      '--root',
      at.root,
      '--data-dir',
      at.dataDir,
      '--log-level',
      'silent',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('store/not-a-folder');
  });

  test('without --data-dir the data stand in the tree', async () => {
    const at = tree();
    const inside = path.join(at.root, 'Library/Application Support/launchwarden/data');
    const code = await running({ ...at, dataDir: inside }, async () => {
      expect(existsSync(inside)).toBe(true);
      expect((await cli(['alerts', 'list', '--root', at.root])).code).toBe(0);
    });
    expect(code).toBe(0);
  });
});
