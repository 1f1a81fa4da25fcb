import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { linkOutside } from '../../../src/install/manifest.js';
import { unpackTar } from '../../../src/install/unpack-tar.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { fc } from '../../helpers/property.js';
import { tempFolder } from '../../helpers/run-cli.js';

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly content?: string;
  readonly link?: string;
  /** What the header says in place of the content's length. */
  readonly size?: number;
}

function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, type = '0', content = '', link = '', size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${(size ?? Buffer.byteLength(content)).toString(8).padStart(11, '0')}\0`, 124);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write(link, 157);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
    body.write(content);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Unpacks and gives what was written, or the code of what it was refused with. */
async function unpacked(archive: Buffer): Promise<{ code: string; files: string[]; outside: string[] }> {
  const base = tempFolder();
  const file = path.join(base, 'a.tar');
  const into = path.join(base, 'into');
  writeFileSync(file, archive);
  mkdirSync(into);
  const code = await unpackTar(file, into).then(
    () => 'none',
    (error: unknown) => (error instanceof UserError ? error.code : String(error)),
  );
  const files = readdirSync(into, { recursive: true, encoding: 'utf8' }).sort();
  return { code, files, outside: readdirSync(base).filter((name) => name !== 'a.tar' && name !== 'into') };
}

test.each([[[]], [['--format=pax']], [['--format=ustar']], [['-z']]])(
  'what tar writes (%s), with long names, modes and links',
  async (options) => {
    const base = tempFolder();
    const from = path.join(base, 'from');
    const long = `${'a'.repeat(90)}/${'b'.repeat(50)}/${'c'.repeat(90)}`;
    mkdirSync(path.join(from, 'app', long), { recursive: true });
    writeFileSync(path.join(from, 'app', long, 'file'), 'x'.repeat(5000));
    writeFileSync(path.join(from, 'node'), '#!');
    chmodSync(path.join(from, 'node'), 0o755);
    symlinkSync('app/x', path.join(from, 'link'));
    const file = path.join(base, 'out');
    execFileSync('tar', [...options, '-cf', file, '-C', from, '.']);
    const into = path.join(base, 'into');
    mkdirSync(into);
    await unpackTar(file, into);
    expect(readFileSync(path.join(into, 'app', long, 'file'), 'utf8')).toBe('x'.repeat(5000));
    expect(lstatSync(path.join(into, 'node')).mode & 0o777).toBe(0o755);
    expect(lstatSync(path.join(into, 'app', long, 'file')).mode & 0o777).toBe(0o644);
    expect(readlinkSync(path.join(into, 'link'))).toBe('app/x');
  },
);

test('a pipe, and what is not there, is refused in words', async () => {
  const base = tempFolder();
  const pipe = path.join(base, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const refused = expect.objectContaining({ code: 'install/damaged-payload' });
  await expect(unpackTar(pipe, base)).rejects.toEqual(refused);
  await expect(unpackTar(path.join(base, 'none'), base)).rejects.toEqual(refused);
});

describe('refuses, and writes nothing outside', () => {
  test.each<[string, readonly Entry[]]>([
    ['a name that leads up', [{ name: '../evil', content: 'x' }]],
    ['an absolute name', [{ name: '/tmp/evil', content: 'x' }]],
    ['a link that leads up', [{ name: 'a', type: '2', link: '../..' }]],
    [
      'a link that leads up through another one',
      [
        { name: 't', type: '2', link: 'a/b/s/../x' },
        { name: 'a/b/s', type: '2', link: '../..' },
      ],
    ],
    [
      'links in a circle',
      [
        { name: 'a', type: '2', link: 'b' },
        { name: 'b', type: '2', link: 'a' },
      ],
    ],
    ['an absolute link', [{ name: 'a', type: '2', link: '/etc' }]],
    [
      'a file through a link',
      [
        { name: 'a', type: '2', link: 'b' },
        { name: 'a/evil', content: 'x' },
      ],
    ],
    [
      'a file twice',
      [
        { name: 'a', content: 'x' },
        { name: 'a', content: 'y' },
      ],
    ],
    ['a hard link', [{ name: 'a', type: '1', link: '/etc/passwd' }]],
    ['a device', [{ name: 'a', type: '3' }]],
    ['a fifo', [{ name: 'a', type: '6' }]],
    ['one that is cut short', [{ name: 'a', content: 'x', size: 100_000 }]],
  ])('%s', async (_what, entries) => {
    const { code, outside } = await unpacked(tar(entries));
    expect({ code, outside }).toEqual({ code: 'install/damaged-payload', outside: [] });
  });

  test('no archive, a damaged one, a damaged compression', async () => {
    const whole = tar([{ name: 'a', content: 'x' }]);
    const damaged = Buffer.from(whole);
    damaged.write('b', 0);
    const zipped = gzipSync(tar([{ name: 'a', content: 'x'.repeat(10_000) }]));
    for (const bytes of [Buffer.from('hello'), Buffer.alloc(0), damaged, zipped.subarray(0, 60)])
      expect((await unpacked(bytes)).code).toBe('install/damaged-payload');
    expect(await unpacked(whole)).toEqual({ code: 'none', files: ['a'], outside: [] });
  });

  test('property: any bytes in a header end in files inside or in that refusal', async () => {
    const whole = tar([
      { name: 'app/a', content: 'x' },
      { name: 'b', type: '2', link: 'app/a' },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(511), fc.nat(255)), { maxLength: 6 }),
        fc.boolean(),
        async (changes, mended) => {
          const bytes = Buffer.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          if (mended) {
            bytes.write(' '.repeat(8), 148);
            const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
            bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
          }
          const { code, outside } = await unpacked(bytes);
          expect(['none', 'install/damaged-payload']).toContain(code);
          expect(outside).toEqual([]);
        },
      ),
      { numRuns: Math.min(fuzzRuns(200), 2_000) },
    );
  });
});

test.each<[string, Record<string, string>, string | undefined]>([
  ['beside', { 'a/l': 'x' }, undefined],
  ['up and down inside', { 'a/b/l': '../../c/x' }, undefined],
  ['to the top', { 'a/l': '..' }, undefined],
  ['through another one, inside', { 'a/b/s': '../..', t: 'a/b/s/x' }, undefined],
  ['of a bundle', { 'F/Versions/Current': 'A', 'F/lib': 'Versions/Current/lib' }, undefined],
  ['up', { 'a/l': '../..' }, 'a/l'],
  ['absolute', { 'a/l': '/x' }, 'a/l'],
  ['up, where the text says inside', { 'a/b/s': '../..', t: 'a/b/s/../x' }, 't'],
  ['the same by another spelling', { 'a/b/S': '../..', t: 'a/b/s/../x' }, 't'],
  ['in a circle', { a: 'b/x', b: 'a/y' }, 'a'],
  [
    'through very many',
    Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`l${n}`, `l${n + 1}`])),
    'l0',
  ],
])('a link that leads %s', (_, links, outside) => {
  expect(linkOutside(new Map(Object.entries(links)))).toBe(outside);
});
