import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import {
  makeBundle,
  makeKeyPair,
  openBundle,
  readPrivateKey,
  requireCurrent,
  signBundle,
} from '../../../src/policy/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { fc } from '../../helpers/property.js';

const facts = { version: 12, issued: '2026-11-01T00:00:00Z', expires: '2027-02-01T00:00:00Z' };
const files = [
  { path: 'config.toml', bytes: Buffer.from('[detect]\nclose_updates = false\n') },
  { path: 'hashes/known.txt', bytes: Buffer.from(`${'a'.repeat(64)}\n`) },
];
const pair = makeKeyPair();
const signer = readPrivateKey(pair.privatePem, 'key');
const signed = signBundle(makeBundle(facts, files), signer);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).code;
  }
  return 'none';
}

test('a signed bundle opens with its key, and gives back what it was made of', () => {
  const bundle = openBundle(signed, [pair.publicKey]);
  expect(bundle.manifest).toMatchObject(facts);
  expect(bundle.files.map(({ path, bytes }) => [path, String(bytes)])).toEqual(
    files.map(({ path, bytes }) => [path, String(bytes)]),
  );
});

test('while a key is replaced, each of two signatures is enough, and neither changes the digest', () => {
  const next = makeKeyPair();
  const both = signBundle(signed, readPrivateKey(next.privatePem, 'next'));
  const digests = [[pair.publicKey], [next.publicKey], [next.publicKey, pair.publicKey]].map(
    (keys) => openBundle(both, keys).digest,
  );
  expect(new Set(digests).size).toBe(1);
  expect(signBundle(both, signer).length).toBe(both.length);
});

describe('what is refused', () => {
  const other = makeKeyPair();
  const body = (text: string) => Buffer.from(text.replace('@', String(signed).split('\n')[1] as string));
  test.each([
    ['another key', () => openBundle(signed, [other.publicKey]), 'policy/other-key'],
    ['no key', () => openBundle(signed, []), 'policy/other-key'],
    ['no signature', () => openBundle(makeBundle(facts, files), [pair.publicKey]), 'policy/unsigned'],
    ['cut short', () => openBundle(signed.subarray(0, -1), [pair.publicKey]), 'policy/bad-signature'],
    [
      'something behind it',
      () => openBundle(Buffer.concat([signed, signed]), [pair.publicKey]),
      'policy/bad-signature',
    ],
    ['nothing', () => openBundle(Buffer.alloc(0), [pair.publicKey]), 'policy/malformed'],
    ['a web page', () => openBundle(Buffer.from('<html>'), [pair.publicKey]), 'policy/malformed'],
    [
      'a head without an end',
      () => openBundle(body('launchwarden-policy/1\n@\n'), [pair.publicKey]),
      'policy/malformed',
    ],
    [
      'another text under its signature',
      () => openBundle(body('launchwarden-policy/1\n@\n\n{}\n'), [pair.publicKey]),
      'policy/bad-signature',
    ],
    ['too much', () => openBundle(Buffer.alloc(16 * 1024 * 1024 + 1), [pair.publicKey]), 'policy/too-large'],
  ])('%s', (_, open, code) => {
    expect(codeOf(open)).toBe(code);
  });

  test.each([
    '../config.toml',
    'rules/../../x',
    '/etc/passwd',
    'rules//x',
    'rules/.hidden',
    'other/x',
    'rules',
    'config.toml/x',
    'rules/x\u0000',
    'rules/a/b/c/d/e/f/g',
  ])('a file named %j, even when it is signed', (path) => {
    expect(codeOf(() => makeBundle(facts, [{ path, bytes: Buffer.from('x') }]))).toBe('policy/malformed');
  });

  test.each([[['rules/a.toml', 'rules/A.toml']], [['rules/a', 'rules/a/b.toml']]])(
    'names that a Mac cannot hold beside each other: %j',
    (names) => {
      const clashing = names.map((path) => ({ path, bytes: Buffer.from(path) }));
      expect(codeOf(() => makeBundle(facts, clashing))).toBe('policy/malformed');
    },
  );

  test('one that has expired, or was issued in the future', () => {
    const { manifest } = openBundle(signed, [pair.publicKey]);
    expect(codeOf(() => requireCurrent(manifest, Date.parse('2027-02-01T00:00:00Z')))).toBe('policy/expired');
    expect(codeOf(() => requireCurrent(manifest, Date.parse('2026-10-01T00:00:00Z')))).toBe('policy/not-yet');
    expect(codeOf(() => requireCurrent(manifest, Date.parse('2026-12-01T00:00:00Z')))).toBe('none');
  });
});

test('property: no bundle with bytes flipped, cut out, or put in opens', () => {
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(signed.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(signed.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('drop' as const), at: fc.nat(signed.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(signed.length - 1), bit: fc.nat(7) }),
  );
  fc.assert(
    fc.property(damage, ({ kind, at, bit }) => {
      const bytes = Buffer.from(signed);
      let changed: Buffer;
      if (kind === 'flip') {
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        changed = bytes;
      } else if (kind === 'cut') changed = bytes.subarray(0, at);
      else if (kind === 'drop') changed = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      else changed = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
      const code = codeOf(() => openBundle(changed, [pair.publicKey]));
      expect(code).toMatch(/^policy\/(?:malformed|unsigned|other-key|bad-signature)$/);
    }),
    { numRuns: fuzzRuns(500) },
  );
});
