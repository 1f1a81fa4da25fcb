import { things } from '../../base/count.js';
import { nanosText } from '../../base/time.js';
import type { ExtendedAttribute, SeenState, Version } from '../../event/version.js';
import { type EvidenceStore, manifestOf } from '../../store/index.js';
import { type PlistChange, plistChanges } from '../investigate/plist-diff.js';
import { type BundleChange, bundleDifference } from './bundles.js';
import { type DiffLine, lineDifference } from './lines.js';

/** A fact about a file that differs; undefined where it is not known or not there. */
export interface FactChange {
  readonly fact: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * How two versions differ: their facts, and their contents in the way of their kind. `same`: the contents are equal.
 * `unknown`: they differ, or may, and `why` nothing more can be said of it. `bytes`: binaries, whose facts say all.
 */
export interface VersionDifference {
  readonly facts: readonly FactChange[];
  readonly content:
    | { readonly kind: 'same' }
    | { readonly kind: 'list'; readonly changes: readonly PlistChange[] }
    | { readonly kind: 'text'; readonly lines: readonly DiffLine[] }
    | { readonly kind: 'bundle'; readonly files: readonly BundleChange[] }
    | { readonly kind: 'bytes' }
    | { readonly kind: 'unknown'; readonly why: string };
}

/** Compares two versions, of one path or not. Contents are read from `evidence` and checked. */
export function differenceOf(
  before: Version,
  after: Version,
  evidence: Pick<EvidenceStore, 'read'>,
): VersionDifference {
  return { facts: factsOf(before, after), content: contentOf(before, after, evidence) };
}

function contentOf(
  before: Version,
  after: Version,
  evidence: Pick<EvidenceStore, 'read'>,
): VersionDifference['content'] {
  if (before.sha256 !== undefined && before.sha256 === after.sha256) return { kind: 'same' };
  const [old, now] = [bytesOf(before, evidence), bytesOf(after, evidence)];
  if (typeof old === 'string') return { kind: 'unknown', why: old };
  if (typeof now === 'string') return { kind: 'unknown', why: now };
  if (before.kind === 'bundle' || after.kind === 'bundle') {
    const manifests = [manifestOf(old), manifestOf(now)] as const;
    if (manifests[0] === undefined || manifests[1] === undefined) return { kind: 'bytes' };
    return { kind: 'bundle', files: bundleDifference(manifests[0], manifests[1]) };
  }
  const changes = plistChanges(old, now);
  if (changes !== undefined) return { kind: 'list', changes };
  const texts = [textOf(old), textOf(now)] as const;
  if (texts[0] === undefined || texts[1] === undefined) return { kind: 'bytes' };
  return { kind: 'text', lines: lineDifference(texts[0], texts[1]) };
}

/** The whole content, or why it is not to be had. */
function bytesOf(version: Version, evidence: Pick<EvidenceStore, 'read'>): Uint8Array | string {
  const { id, sha256, notTaken } = version;
  if (sha256 === undefined)
    return `version #${id} was not read${notTaken === undefined ? '' : ` (${notTaken})`}`;
  const read = evidence.read(sha256);
  switch (read.state) {
    case 'missing':
      return read.lost === true
        ? `the bytes of version #${id} were kept, and are gone`
        : `the bytes of version #${id} are not kept any more`;
    case 'corrupt':
      return `the bytes of version #${id} are corrupt: their hash is ${read.found}`;
    case 'kept':
      return read.content.truncated ? `of version #${id} only the beginning is kept` : read.content.bytes;
  }
}

/** Undefined of what is no UTF-8 text. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function factsOf(before: Version, after: Version): FactChange[] {
  const [old, now] = [factTexts(before), factTexts(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names]
    .map((fact) => ({ fact, before: old.get(fact), after: now.get(fact) }))
    .filter((one) => one.before !== one.after);
}

function factTexts(state: SeenState): Map<string, string> {
  const { kind, type, link, sha256, size, mode, uid, gid, birth, mtime, inode, xattrs, signature } = state;
  const facts = new Map<string, string>();
  const set = (name: string, value: unknown) => {
    if (value !== undefined) facts.set(name, String(value));
  };
  set('kind', kind);
  set('type', type);
  set('link', link);
  set('size', size);
  set('sha256', sha256);
  set('mode', mode.toString(8).padStart(4, '0'));
  set('uid', uid);
  set('gid', gid);
  set('created', birth === undefined ? undefined : nanosText(birth));
  // Of a folder it moves with what is in it.
  if (type !== 'dir') set('modified', nanosText(mtime));
  set('inode', inode);
  set('architectures', state.architectures?.join(', '));
  set('signer', signature?.subject_name ?? signature?.signing_id);
  set('team', signature?.team_id);
  set('not taken', state.notTaken);
  for (const one of xattrs ?? []) set(`attribute ${one.name}`, attributeText(one));
  return facts;
}

/** The value of an attribute as text, or in hexadecimal digits when it is none. */
export function attributeText({ value, size }: ExtendedAttribute): string {
  const text = textOf(value);
  const shown = text ?? Buffer.from(value).toString('hex');
  return value.length < size ? `${shown}… (${things(size, 'byte')})` : shown;
}
