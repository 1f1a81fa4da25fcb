import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
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
    expect(found.length).toBeGreaterThanOrEqual(3);
    const agent = found.find(({ rule }) =>
      (rule as { name: string }).name.startsWith('Launch agent written'),
    );
    expect(agent).toMatchObject({
      schema: 'launchwarden.coverage/1',
      from: 'this machine',
      tier: 'scan',
      sensors: ['file-watch', 'process-scan'],
      active: true,
      degraded: false,
      steps: [
        { name: 'step 1', categories: ['file'], sight: 'full', seen_by: ['file-watch'], reasons: [] },
        {
          name: 'step 2',
          categories: ['process'],
          sight: 'partial',
          seen_by: ['process-scan'],
          reasons: [expect.stringContaining('can be missed')],
        },
      ],
    });
  });

  test('says what a disabled sensor leaves blind', async () => {
    const { coverage } = machine('[sensors]\ndisabled = ["process-scan", "eslogger"]\n');
    const { stdout } = await coverage();
    expect(stdout).toContain('tier none: file-watch');
    expect(stdout).toMatch(/^blind +[0-9a-f]{8} +Account created.* the rule needs process events/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
      /^\d+ rules: \d+ full, \d+ partial, [1-9]\d* blind; 0 of them off\.$/,
    );
    const summary = (await coverage('--summary')).stdout.trimEnd().split('\n').at(-1);
    expect(`${summary}.`).toBe(stdout.trimEnd().split('\n').at(-1));
    const one = (await coverage('--rule', 'Login item added or changed')).stdout;
    expect(one).toContain('Login item added or changed');
    expect(one).not.toContain('Account created');
    expect((await coverage('--degraded')).stdout).toMatch(
      /step 2 +process +none +seen by no sensor\n +needs process events/,
    );
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

describe('coverage of an agent that is blind somewhere', () => {
  const scan = { kind: 'process-scan', running: true };
  const fileWatch = (...places: string[]) => ({
    kind: 'file-watch',
    running: true,
    blind: places.map((place) => ({ place, since: 1, reason: 'cannot be listed (EACCES)' })),
  });
  const launchFolders = [
    '/Library/LaunchAgents',
    '/Library/LaunchDaemons',
    '/Users',
    '/private/var/root',
    '/System/Library',
    '/Library/Apple',
  ];

  /** Coverage and the reasons of the rule on written and loaded launch items. */
  async function coverageWith(...sensors: object[]) {
    const dataDir = tempFolder();
    const said = { sensors, tier: { running: 'scan' } };
    const daemon = await ControlServer.listen(dataDir, { status: () => said }, silentLogger);
    try {
      const json = documents((await cli(['coverage', '--json', '--data-dir', dataDir])).stdout);
      const { stdout } = await cli(['coverage', '--degraded', '--data-dir', dataDir]);
      const found = json.find(({ rule }) => /written and loaded/.test((rule as { name: string }).name));
      const steps = found?.['steps'] as { sight: string; reasons: string[] }[];
      return { coverage: found?.['coverage'], sights: steps.map(({ sight }) => sight), text: stdout, steps };
    } finally {
      await daemon.close();
    }
  }

  test('nowhere: all of the files; of processes what a scan sees', async () => {
    const sights = ['full', 'partial'];
    expect(await coverageWith(fileWatch(), scan)).toMatchObject({ coverage: 'partial', sights });
    expect(await coverageWith(fileWatch('/opt/elsewhere'), scan)).toMatchObject({
      coverage: 'partial',
      sights,
    });
  });

  test('where the agent runs other rules than the files hold, that is said', async () => {
    const dataDir = tempFolder();
    const sensors = [fileWatch(), scan];
    const rule_digests = { gone: 'x', a2c0: 'y' };
    const said = { sensors, tier: { running: 'scan' }, rule_digests };
    const daemon = await ControlServer.listen(dataDir, { status: () => said }, silentLogger);
    try {
      const { stdout, stderr } = await cli(['coverage', '--data-dir', dataDir]);
      expect(stdout).toMatch(/^partial .* off: until the agent is restarted/m);
      expect(stderr).toMatch(/\d+ rules differ from what the running agent judges by: restart it/);
      const list = await cli(['rules', 'list', '--data-dir', dataDir]);
      expect(list.stdout).toMatch(/ {2}on, once the agent is restarted {2}/);
      expect(list.stderr).toContain('restart it');
    } finally {
      await daemon.close();
    }
  });

  test.each(['/Library/LaunchAgents', '/Users/alice', '/Users/alice/Library/LaunchAgents/deep', '/Library'])(
    'in %s: partial, with the place and the reason',
    async (place) => {
      const { coverage, sights, steps, text } = await coverageWith(fileWatch(place), scan);
      expect({ coverage, sights }).toEqual({ coverage: 'partial', sights: ['partial', 'partial'] });
      expect(steps[0]?.reasons).toEqual([`is blind in ${place}: cannot be listed (EACCES)`]);
      expect(text).toMatch(/written and loaded[^\n]* {2}partial/);
      expect(text).toContain(`blind in ${place}: cannot be listed`);
    },
  );

  test('everywhere that a rule looks: blind', async () => {
    for (const places of [['/'], launchFolders]) {
      const { coverage, sights, text } = await coverageWith(fileWatch(...places), scan);
      expect({ coverage, sights }).toEqual({ coverage: 'blind', sights: ['none', 'partial'] });
      expect(text).toMatch(/written and loaded[^\n]* {2}blind/);
    }
  });

  test('what another sensor of files sees all the same is not blind', async () => {
    const sees = { kind: 'eslogger', running: true };
    expect(await coverageWith(fileWatch('/'), sees)).toMatchObject({ coverage: 'full' });
    expect(await coverageWith(fileWatch('/'), { ...sees, running: false }, scan)).toMatchObject({
      coverage: 'blind',
    });
  });
});
