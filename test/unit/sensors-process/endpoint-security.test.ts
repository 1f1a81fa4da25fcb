import { describe, expect, test } from 'vitest';
import { codeSignature } from '../../../src/sensors/endpoint-security/code-signature.js';
import type { EsProcess } from '../../../src/sensors/endpoint-security/message.js';
import { targetsOf } from '../../../src/sensors/endpoint-security/targets.js';

const signed = (signingFlags: number, more: Partial<EsProcess> = {}) =>
  codeSignature({ signingFlags, platformBinary: false, signingId: '', teamId: '', ...more } as EsProcess);

describe('code signature from the flags of the kernel', () => {
  // Values of real samples, reference/macos.md 1.5.
  test.each<[string, number, Partial<EsProcess>, { exists: boolean; trusted?: boolean }]>([
    ['platform binary', 0x26015b11, { platformBinary: true }, { exists: true, trusted: true }],
    [
      'platform binary without the flag',
      0x22013b11,
      { platformBinary: true },
      { exists: true, trusted: true },
    ],
    ['Developer ID', 0x22010311, { teamId: 'EQHXZ8M8AV' }, { exists: true, trusted: true }],
    ['ad hoc, by the linker', 0x22020203, {}, { exists: true, trusted: false }],
    ["certificate of one's own", 0x20000001, {}, { exists: true, trusted: false }],
    ['no longer valid', 0x20000000, { teamId: 'EQHXZ8M8AV' }, { exists: true, trusted: false }],
    ['category Developer ID', 0x20000001, { category: 6 }, { exists: true, trusted: true }],
    [
      'category development',
      0x20000001,
      { category: 3, teamId: 'EQHXZ8M8AV' },
      { exists: true, trusted: false },
    ],
    ['not signed', 0, {}, { exists: false }],
  ])('%s', (_, flags, more, expected) => {
    const signature = signed(flags, more);
    expect(signature).toMatchObject(expected);
    expect(signature.status).toBe(expected.trusted === true ? 'trusted' : undefined);
    expect('trusted' in signature).toBe('trusted' in expected);
  });
});

describe('targets of inverted muting', () => {
  const list = (folder: string) => (folder === '/Users' ? ['a', 'b c'] : []);

  test('expand folders that stand behind a wildcard, and list the folder itself', () => {
    expect(targetsOf(['/Library/LaunchAgents/*', '/Users/*/Library/LaunchAgents/*.plist'], list)).toEqual({
      prefixes: [
        '/Library/LaunchAgents/',
        '/Users/a/Library/LaunchAgents/',
        '/Users/b c/Library/LaunchAgents/',
      ],
      literals: ['/Library/LaunchAgents', '/Users/a/Library/LaunchAgents', '/Users/b c/Library/LaunchAgents'],
      refused: [],
    });
  });

  test('a path without a wildcard is a literal', () => {
    const entries = ['/Users/*/.*/tasks.json', '/Users/*/.zshrc', '/Library/QuickLook/*.qlgenerator'];
    const homes: Record<string, string[]> = { '/Users': ['mara'], '/Users/mara': ['.vscode', 'Documents'] };
    expect(targetsOf([], (folder) => homes[folder] ?? [], entries)).toEqual({
      prefixes: ['/Library/QuickLook/'],
      literals: ['/Library/QuickLook', '/Users/mara/.vscode/tasks.json', '/Users/mara/.zshrc'],
      refused: [],
    });
    expect(targetsOf(['/private/etc/emond.d'], list)).toMatchObject({
      prefixes: [],
      literals: ['/private/etc/emond.d'],
    });
  });

  test('a wildcard inside a name may reach any depth', () => {
    expect(targetsOf(['/private/var/at/tab*/x'], list).prefixes).toEqual(['/private/var/at/']);
  });

  test.each(['*.dsplug', '/*/x', '', 'relative/x'])('%s would take the whole disk', (pattern) => {
    expect(targetsOf([pattern], list)).toEqual({ prefixes: [], literals: [], refused: [pattern] });
  });

  test('are bounded', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `/x/${index}/*`);
    const { prefixes, literals, refused } = targetsOf(many, list);
    expect(prefixes.length + literals.length).toBeLessThanOrEqual(4_096);
    expect(refused.length).toBe(10_000 - prefixes.length);
  });
});
