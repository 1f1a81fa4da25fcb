import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { things } from '../../base/count.js';
import { messageOf } from '../../base/errors.js';
import { readPlist } from '../../base/plist/index.js';
import type { AnswerPoint } from '../../event/investigation.js';
import { counted, defineStep, fact, gravest, listed, point } from './answer.js';
import type { Case, Known } from './case.js';
import { type CodeFacts, codeOf } from './code.js';
import { readPlain, sha256Of } from './files.js';

interface Entry {
  /** Relative to the bundle. */
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly link?: string;
  readonly sha256?: string;
  readonly code?: CodeFacts;
}

interface Facts {
  readonly entries: Known<readonly Entry[]>;
  readonly truncated: boolean;
  readonly info: Known<ReadonlyMap<string, unknown>>;
}

const maxEntries = 2_000;
const maxDepth = 16;
/** So much of a bundle is read while somebody waits. */
const maxBytes = 256 * 1024 * 1024;
const maxInfo = 1024 * 1024;
const head = 1024 * 1024;
const maxShown = 30;

export const bundle = defineStep<Facts | undefined>({
  name: 'bundle',
  question: 'What does the bundle hold?',
  applies: ({ isBundle, path: bundlePath }) => isBundle && bundlePath !== undefined,
  read(from) {
    const { about, root } = from;
    if (!about.isBundle || about.path === undefined) return undefined;
    const { entries, truncated } = entriesOf(from, about.path);
    const bytes = readPlain(root, `${about.path}/Contents/Info.plist`, maxInfo);
    return { entries, truncated, info: 'why' in bytes ? bytes : infoOf(bytes.value) };
  },
  says(facts, { about }) {
    if (facts === undefined) return { mark: 'neutral', says: 'It is no bundle.' };
    const { entries, truncated, info } = facts;
    const unknownInfo = 'why' in info ? `what its Info.plist says: ${info.why}` : undefined;
    if ('why' in entries)
      return {
        mark: 'unknown',
        says: 'The bundle could not be read.',
        unknown: [`what it holds: ${entries.why}`, unknownInfo],
      };
    const list = entries.value;
    const code = list.filter((one) => one.code !== undefined);
    const points = [...entryPoints(list), ...code.flatMap(codePoints)];
    const text = (key: string) => {
      const value = 'value' in info ? info.value.get(key) : undefined;
      return typeof value === 'string' ? value : undefined;
    };
    const executable = text('CFBundleExecutable');
    const missing =
      executable !== undefined && !list.some(({ name }) => name === `Contents/MacOS/${executable}`);
    return {
      mark: gravest(points.map(({ mark }) => mark)),
      says: `${counted(list.filter(({ type }) => type === 'file').length, 'file')}, ${code.length === 0 ? 'no program among them' : `${counted(code.length, 'program or script', 'programs and scripts')} among them`}${text('CFBundleIdentifier') === undefined ? '' : `; it calls itself ${text('CFBundleIdentifier')}`}.`,
      points: [
        ...points,
        missing
          ? point('notable', `Its Info.plist names the program ${executable}, which is not there.`)
          : undefined,
        list.some(({ name }) => name.endsWith('_CodeSignature/CodeResources'))
          ? undefined
          : point(
              'notable',
              'It holds no signature of its resources: they can be changed without anybody noticing.',
            ),
      ],
      facts: [
        fact('identifier', text('CFBundleIdentifier')),
        fact('version', text('CFBundleShortVersionString') ?? text('CFBundleVersion')),
        fact('program', executable),
        fact('bundle', about.path),
        ...[...code, ...list.filter((one) => one.code === undefined && one.type !== 'dir')]
          .slice(0, maxShown)
          .map((one) => fact(one.name, entryLine(one))),
        list.length > maxShown
          ? fact('more', `${things(list.length - maxShown, 'entry is', 'entries are')} not shown`)
          : undefined,
      ],
      unknown: [
        truncated ? 'what else it holds: only the first entries and bytes were read' : undefined,
        unknownInfo,
      ],
    };
  },
});

function entryLine({ type, size, mode, sha256, link, code }: Entry): string {
  const parts = [
    link === undefined ? (code?.kind ?? type) : `link to ${link}`,
    type === 'file' ? things(size, 'byte') : undefined,
    `mode ${mode.toString(8).padStart(4, '0')}`,
    code?.libraries === undefined || code.libraries.length === 0
      ? undefined
      : `loads ${listed(code.libraries, 6)}`,
    sha256 === undefined ? undefined : `sha256 ${sha256}`,
  ];
  return parts.filter((one) => one !== undefined).join(', ');
}

function entryPoints(list: readonly Entry[]): AnswerPoint[] {
  const points: AnswerPoint[] = [];
  const named = (what: readonly Entry[]) =>
    listed(
      what.map(({ name }) => name),
      3,
    );
  const setuid = list.filter(({ type, mode }) => type === 'file' && (mode & 0o6000) !== 0);
  const open = list.filter(({ type, mode }) => type !== 'symlink' && (mode & 0o002) !== 0);
  const away = list.filter(
    ({ link }) => link !== undefined && (link.startsWith('/') || link.split('/').includes('..')),
  );
  const hidden = list.filter(({ name }) => /(?:^|\/)\.(?!DS_Store$|localized$)[^/]*$/.test(name));
  const odd = list.filter(({ type }) => type === 'other');
  if (setuid.length > 0)
    points.push(
      point(
        'worrying',
        `Runs with the rights of its owner, whoever starts it (set-user-id): ${named(setuid)}.`,
      ),
    );
  if (open.length > 0) points.push(point('worrying', `Everybody may write ${named(open)}.`));
  if (away.length > 0) points.push(point('notable', `Links lead out of the bundle: ${named(away)}.`));
  if (hidden.length > 0) points.push(point('notable', `Hidden by a dot: ${named(hidden)}.`));
  if (odd.length > 0) points.push(point('worrying', `Pipes, sockets or devices stand in it: ${named(odd)}.`));
  return points;
}

function codePoints({ name, code }: Entry): AnswerPoint[] {
  if (code === undefined || code.telling.length === 0) return [];
  return [point('notable', `${name} holds ${listed(code.telling, 6)}.`)];
}

function entriesOf({ root }: Case, bundlePath: string): Pick<Facts, 'entries' | 'truncated'> {
  const entries: Entry[] = [];
  let [left, truncated] = [maxBytes, false];
  const walk = (relative: string, depth: number): void => {
    const names = readdirSync(root.toHost(path.posix.join(bundlePath, relative))).sort();
    for (const name of names) {
      if (entries.length >= maxEntries || depth > maxDepth) {
        truncated = true;
        return;
      }
      const inside = relative === '' ? name : `${relative}/${name}`;
      const macPath = `${bundlePath}/${inside}`;
      const host = root.toHost(macPath);
      const facts = lstatSync(host);
      const common = { name: inside, size: facts.size, mode: facts.mode & 0o7777, uid: facts.uid };
      if (facts.isDirectory()) {
        entries.push({ ...common, type: 'dir' });
        walk(inside, depth + 1);
      } else if (facts.isSymbolicLink())
        entries.push({ ...common, type: 'symlink', link: readlinkSync(host) });
      else if (!facts.isFile()) entries.push({ ...common, type: 'other' });
      else if (facts.size > left) {
        truncated = true;
        entries.push({ ...common, type: 'file' });
      } else {
        left -= facts.size;
        const hash = sha256Of(root, macPath);
        const bytes = readPlain(root, macPath, head);
        const code = 'value' in bytes ? codeOf(bytes.value) : undefined;
        entries.push({
          ...common,
          type: 'file',
          ...('value' in hash ? { sha256: hash.value } : {}),
          ...(code === undefined ? {} : { code }),
        });
      }
    }
  };
  try {
    if (lstatSync(root.toHost(bundlePath)).isSymbolicLink())
      return { entries: { why: 'it is a symbolic link, which is not followed' }, truncated };
    walk('', 0);
    return { entries: { value: entries }, truncated };
  } catch (error) {
    if (entries.length > 0) return { entries: { value: entries }, truncated: true };
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return {
      entries: { why: gone ? 'nothing stands there' : root.inText(messageOf(error)) },
      truncated,
    };
  }
}

function infoOf(bytes: Buffer): Known<ReadonlyMap<string, unknown>> {
  const read = readPlist(bytes);
  if (!read.ok) return { why: read.detail };
  return read.value instanceof Map ? { value: read.value } : { why: 'it is no dictionary' };
}
