import { createHash, type Hash, type KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { things } from '../base/count.js';
import { UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { isSignedBy, keyIdOf, type PublicKey, signBytes } from './keys.js';

/**
 * A policy bundle is one file:
 *
 *     launchwarden-policy/1
 *     signature: KEY-ID BASE64          (one line a key, none before it is signed)
 *                                       (an empty line)
 *     {"version":12,...}                the manifest, JSON in one line
 *     ...                               the files of the manifest, one behind the other
 *
 * Each signature is Ed25519 over the first line and everything behind the empty one. Nothing behind the empty line is
 * read before a signature was found good.
 */
const magic = 'launchwarden-policy/1\n';

export const bundleLimits = {
  bytes: 16 * 1024 * 1024,
  manifestBytes: 1024 * 1024,
  files: 2_000,
  signatures: 8,
  /** Characters of a file's path, and folders in it. */
  path: 200,
  depth: 6,
} as const;

const maxHeadBytes = 4_096;
/** A bundle that was issued so far in the future tells that a clock is wrong, milliseconds. */
const aheadMs = 24 * 3_600_000;

/** Where files may stand in a bundle. No name is hidden, and none leads out. */
const placePattern =
  /^(?:config\.toml|(?:rules|exceptions|yara|hashes|files)(?:\/[A-Za-z0-9_][A-Za-z0-9._@+-]*)+)$/;

const time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  v.check((text) => !Number.isNaN(Date.parse(text))),
);

const manifestSchema = v.strictObject({
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(999_999_999_999)),
  issued: time,
  expires: time,
  comment: v.optional(v.pipe(v.string(), v.maxLength(500))),
  files: v.pipe(
    v.array(
      v.strictObject({
        path: v.pipe(v.string(), v.maxLength(bundleLimits.path), v.regex(placePattern)),
        size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(bundleLimits.bytes)),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      }),
    ),
    v.maxLength(bundleLimits.files),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;

export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A bundle whose signature, sizes, names and hashes were found good. */
export interface Bundle {
  readonly manifest: Manifest;
  /** The manifest as it is signed, without the end of its line. */
  readonly manifestBytes: Uint8Array;
  readonly files: readonly BundleFile[];
  /** The ids of the trusted keys that signed it; none for one that was read without keys. */
  readonly keys: readonly string[];
  /** SHA-256 of what is signed, hex: a further signature makes no other bundle. */
  readonly digest: string;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function broken(
  message: string,
  hint = 'It was cut short or changed on the way: publish it again.',
): UserError {
  return new UserError('policy/malformed', `this is no sound policy bundle: ${message}`, { hint });
}

interface Parts {
  readonly signatures: readonly { readonly key: string; readonly signature: string }[];
  /** The manifest and the files, as they are signed. */
  readonly body: Buffer;
}

/** Takes the head apart; reads nothing of the body. */
function partsOf(bytes: Buffer): Parts {
  if (bytes.length > bundleLimits.bytes)
    throw new UserError(
      'policy/too-large',
      `the bundle is larger than ${bundleLimits.bytes / 1024 / 1024} MiB`,
      { hint: 'Leave out rules or lists that this fleet does not need.' },
    );
  if (!bytes.subarray(0, magic.length).equals(Buffer.from(magic)))
    throw broken(`it does not begin with "${magic.trim()}"`, 'Is the address that of the bundle?');
  const signatures: { key: string; signature: string }[] = [];
  for (let at = magic.length; at < Math.min(bytes.length, maxHeadBytes); ) {
    const end = bytes.indexOf(10, at);
    if (end === -1) break;
    const line = bytes.toString('latin1', at, end);
    at = end + 1;
    if (line === '') return { signatures, body: bytes.subarray(at) };
    const [, key, signature] = /^signature: ([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)$/.exec(line) ?? [];
    if (key === undefined || signature === undefined || signatures.length === bundleLimits.signatures)
      throw broken('a line of its head is no signature');
    signatures.push({ key, signature });
  }
  throw broken('it ends within its head');
}

const signedBytes = (body: Uint8Array) => Buffer.concat([Buffer.from(magic), body]);

function requireSignature({ signatures, body }: Parts, keys: readonly PublicKey[]): string[] {
  if (signatures.length === 0)
    throw new UserError('policy/unsigned', 'the bundle is not signed', {
      hint: 'Sign it with "launchwarden policy sign BUNDLE --key FILE".',
    });
  const signed = signedBytes(body);
  const good = keys.filter((key) => {
    const id = keyIdOf(key);
    return signatures.some((one) => one.key === id && isSignedBy(key, signed, one.signature));
  });
  if (good.length > 0) return [...new Set(good.map(keyIdOf))];
  const ids = signatures.map(({ key }) => key);
  const known = keys.map(keyIdOf).filter((id) => ids.includes(id));
  if (known.length > 0)
    throw new UserError(
      'policy/bad-signature',
      `the signature of key ${known.join(', ')} does not fit what the bundle holds`,
      {
        hint: 'It was cut short or changed after it was signed: publish it again, and find out who changed it.',
      },
    );
  throw new UserError(
    'policy/other-key',
    `the bundle is signed by ${ids.join(', ')}, which is not trusted here`,
    {
      hint: `Trusted are ${keys.map(keyIdOf).join(', ') || 'no keys'}: see public_key and public_keys in [policy].`,
    },
  );
}

/** Throws a UserError `policy/malformed`. */
export function readManifest(bytes: Buffer): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw broken('its manifest is no JSON');
  }
  const result = v.safeParse(manifestSchema, parsed, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = (issue?.path ?? []).map((item) => String(item.key)).join('.');
  throw broken(`its manifest is wrong at ${quote(where, 100)}`, 'Make it with "launchwarden policy build".');
}

function manifestOf(body: Buffer): { readonly line: Buffer; readonly rest: Buffer } {
  const end = body.subarray(0, bundleLimits.manifestBytes).indexOf(10);
  if (end === -1) throw broken('its manifest does not end');
  return { line: body.subarray(0, end), rest: body.subarray(end + 1) };
}

/** Begins the digest of a bundle, which goes on with its files in the order of the manifest. */
export function beginDigest(manifestBytes: Uint8Array): Hash {
  return createHash('sha256').update(magic).update(manifestBytes).update('\n');
}

/** Two names that a Mac cannot hold beside each other: it does not tell capitals apart. */
function requireApart(files: Manifest['files']): void {
  const names = new Set(files.map(({ path }) => path.toLowerCase()));
  if (names.size < files.length) throw broken('two of its files have the same name');
  for (const { path } of files) {
    const parts = path.toLowerCase().split('/');
    if (parts.length > bundleLimits.depth) throw broken(`${quote(path, 100)} lies too deep`);
    for (let length = 1; length < parts.length; length++)
      if (names.has(parts.slice(0, length).join('/')))
        throw broken(`${quote(path, 100)} lies in what is a file`);
  }
}

function filesOf({ files }: Manifest, rest: Buffer): BundleFile[] {
  requireApart(files);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total !== rest.length)
    throw broken(`its files have ${things(rest.length, 'byte')} in place of ${total}`);
  let at = 0;
  return files.map(({ path, size, sha256: wanted }) => {
    const bytes = rest.subarray(at, at + size);
    at += size;
    if (sha256(bytes) !== wanted) throw broken(`${quote(path, 100)} is not what the manifest says`);
    return { path, bytes };
  });
}

/**
 * Opens a bundle: the signature first, by one of `keys`, then everything else. `undefined` keys: whoever makes bundles
 * looks at one. Throws a UserError: `policy/too-large`, `policy/malformed`, `policy/unsigned`, `policy/other-key`,
 * `policy/bad-signature`.
 */
export function openBundle(bytes: Buffer, keys: readonly PublicKey[] | undefined): Bundle {
  const parts = partsOf(bytes);
  const signers = keys === undefined ? [] : requireSignature(parts, keys);
  const { line, rest } = manifestOf(parts.body);
  const manifest = readManifest(line);
  const files = filesOf(manifest, rest);
  const digest = beginDigest(line).update(rest).digest('hex');
  return { manifest, manifestBytes: line, files, keys: signers, digest };
}

/** What the times of a bundle say against taking it now (milliseconds since 1970). Throws a UserError. */
export function requireCurrent({ issued, expires }: Manifest, now: number): void {
  const clock = 'Is the clock of this Mac right?';
  if (Date.parse(issued) > now + aheadMs)
    throw new UserError('policy/not-yet', `the bundle was issued in the future: ${issued}`, { hint: clock });
  if (Date.parse(expires) <= now)
    throw new UserError('policy/expired', `the bundle has expired: ${expires}`, {
      hint: `Build and sign a newer version. ${clock}`,
    });
}

/** Puts a bundle together, not signed yet. The files are in order; throws a UserError for what a bundle cannot hold. */
export function makeBundle(facts: Omit<Manifest, 'files'>, files: readonly BundleFile[]): Buffer {
  const ordered = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest: Manifest = {
    ...facts,
    files: ordered.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) })),
  };
  const head = Buffer.from(`${magic}\n${JSON.stringify(manifest)}\n`);
  const bundle = Buffer.concat([head, ...ordered.map(({ bytes }) => bytes)]);
  openBundle(bundle, undefined);
  return bundle;
}

/** The bundle with a further signature; one of the same key is replaced. */
export function signBundle(
  bytes: Buffer,
  { key, publicKey }: { readonly key: KeyObject; readonly publicKey: PublicKey },
): Buffer {
  openBundle(bytes, undefined);
  const { signatures, body } = partsOf(bytes);
  const id = keyIdOf(publicKey);
  const all = [
    ...signatures.filter((one) => one.key !== id),
    { key: id, signature: signBytes(key, signedBytes(body)) },
  ];
  const head = all.map((one) => `signature: ${one.key} ${one.signature}\n`).join('');
  return Buffer.concat([Buffer.from(`${magic}${head}\n`), body]);
}
