import { describe, expect, test } from 'vitest';
import { mechanisms } from '../../../src/mechanisms/index.js';
import { textFile } from './mechanism-file.js';

const hostile = [
  '',
  '\0'.repeat(5_000),
  '<plist><dict><key>Label</key>',
  `${'a '.repeat(200_000)}\n`,
  'x\n'.repeat(100_000),
  'bplist00\xff\xff\xff',
  '__proto__ constructor\n* * * * * __proto__',
];

test('ids are unique words', () => {
  const ids = mechanisms.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

describe.each(mechanisms.map((one) => [one.id, one] as const))('%s', (_, mechanism) => {
  test('its places are canonical', () => {
    for (const { scope, path } of mechanism.places) {
      if (scope === 'system') expect(path).toMatch(/^\/(?!tmp\/|var\/|etc\/|Users\/)/);
      else expect(path).toMatch(/^[^/]/);
      expect(path).not.toMatch(/\*\*|\/$|\/\.\.?\//);
    }
  });

  test('it reads hostile content without an exception, bounded', () => {
    for (const { scope, path, what } of mechanism.places) {
      const folder = `${scope === 'home' ? '/Users/mara/' : ''}${path.replaceAll('*', 'x')}`;
      const name = what === 'file' ? folder : `${folder}/x`;
      const home = scope === 'home' ? '/Users/mara' : undefined;
      for (const text of hostile) {
        const file = textFile(name, text, { home, type: what === 'bundles' ? 'dir' : 'file' });
        const items = mechanism.read(file);
        expect(items.length).toBeLessThanOrEqual(512);
        for (const item of items) expect(mechanism.removal(item, file)).toMatch(/\.$/);
      }
      expect(mechanism.read({ path: name, home, type: 'symlink', target: '/etc/x' })).toBeInstanceOf(Array);
    }
  });
});
