import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../../src/config/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

/** A tree without agent, and a configuration beside it. */
function machine(config = '') {
  const folder = tempFolder();
  const root = path.join(folder, 'mac');
  mkdirSync(path.join(root, 'Library/LaunchAgents'), { recursive: true });
  writeFileSync(path.join(folder, 'config.toml'), config);
  const argv = [
    '--root',
    root,
    '--data-dir',
    path.join(folder, 'data'),
    '--config',
    path.join(folder, 'config.toml'),
  ];
  return { folder, coverage: (...more: string[]) => cli(['coverage', ...argv, ...more]) };
}

describe('coverage without an agent', () => {
  test('tries out what could run, and says for each step who would see it', async () => {
    const { code, stdout, stderr } = await machine().coverage('--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = documents(stdout);
    expect(found).toHaveLength(3);
    expect(found[1]).toMatchObject({
      schema: 'launchwarden.coverage/1',
      from: 'this machine',
      tier: 'scan',
      sensors: ['file-watch', 'process-scan'],
      active: true,
      degraded: false,
      steps: [
        { name: 'step 1', categories: ['file'], sight: 'full', seen_by: ['file-watch'], reasons: [] },
        { name: 'step 2', categories: ['process'], sight: 'full', seen_by: ['process-scan'], reasons: [] },
      ],
    });
  });

  test('says what a disabled sensor leaves blind', async () => {
    const { stdout } = await machine('[sensors]\ndisabled = ["process-scan", "eslogger"]\n').coverage();
    expect(stdout).toContain('tier none: file-watch');
    expect(stdout).toMatch(/step 2 +process +none +seen by no sensor\n +needs process events/);
  });

  test('says why the tier that is asked for cannot be had', async () => {
    const { code, stdout } = await machine('[sensors]\ntier = "eslogger"\n').coverage();
    expect(code).toBe(0);
    expect(stdout).toMatch(/tier none: no sensor\n +eslogger cannot be used: .*does not exist/);
  });

  test('shows imported rules that are off, and those that were switched on all the same', async () => {
    const id = '22222222-2222-4222-8222-222222222222';
    const text = readFileSync('src/rules/builtin/launch-item-found-loaded.toml', 'utf8')
      .replace(/^rule_id = .*$/m, `rule_id = "${id}"`)
      .replace(/\[\[rule\.launchwarden\.test\]\][\s\S]*$/, '');
    const offOf = async (config: string) => {
      const at = machine(`[rules]\nfolders = ["rules"]\n${config}`);
      mkdirSync(path.join(at.folder, 'rules'));
      writeFileSync(path.join(at.folder, 'rules', 'mine.toml'), text);
      const found = documents((await at.coverage('--json')).stdout);
      return found.find(({ rule }) => (rule as { id: string }).id === id);
    };
    expect(await offOf('')).toMatchObject({ active: false, degraded: true });
    expect(await offOf(`enabled = ["${id}"]\n`)).toMatchObject({ active: true, degraded: true });
  });
});

describe('run --sensors', () => {
  test('auto and scan stand alone', async () => {
    const { code, stderr } = await cli(['run', '--sensors', 'scan,file-watch']);
    expect(code).toBe(2);
    expect(stderr).toContain('auto and scan stand alone behind --sensors');
  });

  test('a tier on the command line wins over the file and disables nothing', () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'c.toml'), '[sensors]\ntier = "scan"\n');
    const settings = loadSettings({
      flags: { config: 'c.toml', tier: 'eslogger' },
      cwd: folder,
      platform: 'linux',
    });
    expect(settings.sensors).toEqual({ tier: 'eslogger', disabled: [] });
    expect(settings.origins).toContainEqual({ key: 'sensors.tier', value: 'eslogger', origin: 'flag' });
  });
});
