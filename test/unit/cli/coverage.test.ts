import { expect, test } from 'vitest';
import { cli, tempFolder } from '../../helpers/run-cli.js';

test('without an agent coverage says why a tier cannot be used once, and nothing of its own trial start', async () => {
  const { code, stdout } = await cli(['coverage', '--summary', '--root', tempFolder()]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^No agent runs; it could run with tier scan: /);
  expect(stdout).toMatch(/eslogger: \S+ does not exist/);
  expect(stdout).not.toMatch(/cannot be used|still going on/);
});
