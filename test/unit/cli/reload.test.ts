import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

test('without an agent it ends with 3', async () => {
  const { code, stderr } = await cli(['reload', '--data-dir', tempFolder()]);
  expect(code).toBe(3);
  expect(stderr).toContain('[control/not-running]');
});

test('says what sees processes now, and why nothing better does', async () => {
  const dataDir = tempFolder();
  const said = {
    tier: { running: 'eslogger', refused: { 'endpoint-security': 'no \u001b[2J entitlement' } },
  };
  const daemon = await ControlServer.listen(dataDir, { reload: () => said }, silentLogger);
  try {
    const { code, stdout } = await cli(['reload', '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'processes are seen by: eslogger\nnot by endpoint-security: no \\x1b[2J entitlement\n',
    );
    const json = await cli(['reload', '--json', '--data-dir', dataDir]);
    expect(documents(json.stdout)).toEqual([{ schema: 'launchwarden.reload/1', ...said }]);
  } finally {
    await daemon.close();
  }
});

test('an agent is asked although the configuration was broken since; with none that is what is said', async () => {
  const folder = tempFolder();
  const config = path.join(folder, 'config.toml');
  writeFileSync(config, 'data_dir = "data"\nno_such_key = 1\n');
  const without = await cli(['reload', '--config', config]);
  expect(without.code).toBe(2);
  expect(without.stderr).toContain('config.toml:2:1');
  const refused = `${config}:2:1: unknown key`;
  mkdirSync(path.join(folder, 'data'));
  const daemon = await ControlServer.listen(
    path.join(folder, 'data'),
    { reload: () => ({ tier: { running: 'scan' }, config: { refused } }) },
    silentLogger,
  );
  try {
    const { code, stdout } = await cli(['reload', '--config', config]);
    expect(code).toBe(1);
    expect(stdout).toContain(`configuration refused, the one before stays: ${refused}`);
  } finally {
    await daemon.close();
  }
});
