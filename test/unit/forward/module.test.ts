import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { openDestination } from '../../../src/forward/index.js';
import { destinationOptions } from '../../../src/forward/options.js';
import { temporaryFolder } from './fakes.js';

const open = (file: string) =>
  openDestination(v.parse(destinationOptions, { type: 'module', path: file }), {
    clock: systemClock,
    log: silentLogger,
    version: '1',
  });

test('a module that others may change is not loaded, by whatever way it is reached', async () => {
  const folder = temporaryFolder();
  const real = path.join(folder, 'real');
  mkdirSync(real);
  const file = path.join(real, 'mine.mjs');
  writeFileSync(file, 'globalThis.loaded = true;\nexport default () => ({ send: async () => [] });\n');
  symlinkSync('real', path.join(folder, 'link'));
  const places = [file, path.join(folder, 'link/mine.mjs')];
  for (const one of [file, real]) {
    chmodSync(one, 0o777);
    for (const place of places)
      await expect(open(place)).rejects.toMatchObject({
        code: 'forward/unsafe-module',
        message: expect.stringContaining(`${one} can be written by others`),
      });
    chmodSync(one, 0o755);
  }
  expect((globalThis as { loaded?: boolean }).loaded).toBeUndefined();
  for (const place of places) expect((await open(place)).type).toBe('module');
  await expect(open(path.join(folder, 'none.mjs'))).rejects.toMatchObject({ code: 'forward/unsafe-module' });
});
