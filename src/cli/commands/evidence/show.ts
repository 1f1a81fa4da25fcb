import { things } from '../../../base/count.js';
import { ExitCode } from '../../../base/errors.js';
import { escapeBlock } from '../../../base/escape.js';
import { plistToJson, readPlist } from '../../../base/plist/index.js';
import { nanosText } from '../../../base/time.js';
import type { Version } from '../../../event/version.js';
import { attributeText, textOf } from '../../../respond/difference/index.js';
import { type EvidenceRead, type ItemPath, manifestOf } from '../../../store/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { counted, type Output, safe } from '../../output/output.js';
import { type Section, Sheet } from '../../output/sheet.js';
import { versionFields, versionSchema } from './document.js';
import { findVersion, whatNames } from './find.js';

/** Lines of a content that are shown without --full. */
const shownLines = 60;

/** The content in words of people; undefined of what is no text. */
function contentLines(version: Version, bytes: Uint8Array): string[] | undefined {
  const manifest = version.kind === 'bundle' ? manifestOf(bytes) : undefined;
  if (manifest !== undefined)
    return manifest.files.map(({ path, type, mode, size, sha256, link, not_taken: why }) => {
      const end = type === 'symlink' ? ` -> ${link ?? '?'}` : '';
      const what = size === undefined ? '' : counted(size);
      return safe(
        `${mode}  ${type.padEnd(7)}  ${what.padStart(10)}  ${(sha256 ?? why ?? '').slice(0, 12).padEnd(12)}  ${path}${end}`,
      ) as string;
    });
  const list = readPlist(bytes);
  if (list.ok) {
    return indented(plistToJson(list.value));
  }
  const text = textOf(bytes);
  return text === undefined ? undefined : escapeBlock(text).split('\n');
}

/** Numbers beyond what JSON.parse keeps exactly would be shown as others. */
function indented(json: string): string[] {
  const text = /\d{16}/.test(json) ? json : JSON.stringify(JSON.parse(json), null, 2);
  return escapeBlock(text).split('\n');
}

interface Context {
  readonly items: readonly ItemPath[];
  readonly times: Output['times'];
}

function contentSection(
  lines: Section,
  version: Version,
  read: EvidenceRead | undefined,
  full: boolean,
): void {
  if (read === undefined || read.state === 'missing') {
    const why =
      read?.lost === true ? 'its file was taken away' : (version.notTaken ?? 'given up for want of room');
    lines.line(`The bytes are not kept: ${why}.`);
    return;
  }
  if (read.state === 'corrupt') {
    lines.line(`CORRUPT: the bytes that are kept have the hash ${read.found}. They are not shown.`);
    return;
  }
  const all = contentLines(version, read.content.bytes);
  if (all === undefined) {
    lines.line(
      `${things(read.content.bytes.length, 'byte that is', 'bytes that are')} no text: see "launchwarden evidence export".`,
    );
    return;
  }
  for (const line of all.slice(0, full ? all.length : shownLines)) lines.verbatim(line);
  if (!full && all.length > shownLines)
    lines.line(`… ${things(all.length - shownLines, 'more line')}: see --full.`);
  if (read.content.truncated) lines.line('Only the beginning is kept.');
}

function factSection(lines: Section, version: Version, { items, times }: Context): void {
  lines.field('version', `#${version.id}`);
  lines.field('path', safe(version.path));
  lines.field('link to', safe(version.link));
  lines.field('kind', version.kind);
  for (const { itemId, role } of items.slice(0, 10))
    lines.field(role === 'item' ? 'item' : role === 'runs' ? 'run by' : 'part of', itemId);
  lines.field('first seen', `${times.at(version.time)} ${times.zone}`);
  lines.field('last seen', `${times.at(version.lastSeen)} ${times.zone}`);
  lines.field('gone', version.gone === undefined ? undefined : `${times.at(version.gone)} ${times.zone}`);
  lines.field('size', things(version.size, 'byte'));
  lines.field('sha256', version.sha256);
  lines.field('mode', `${version.mode.toString(8).padStart(4, '0')}, owner ${version.uid}:${version.gid}`);
  lines.field('created', version.birth === undefined ? undefined : nanosText(version.birth));
  lines.field('modified', nanosText(version.mtime));
  lines.field('changed', nanosText(version.ctime));
  for (const one of version.xattrs ?? [])
    lines.field('attribute', safe(`${one.name}: ${attributeText(one)}`));
  lines.field('architecture', safe(version.architectures?.join(', ')));
  lines.field('signer', safe(version.signature?.subject_name ?? version.signature?.signing_id));
}

export const evidenceShow = defineCommand({
  description:
    'One version: what the file was, and what it holds; of several the newest. A property list is shown as JSON, a bundle by its\n' +
    'files. Exit code 1 when the bytes that are kept are not those that were seen.',
  arguments: [{ name: 'WHAT', summary: whatNames }],
  options: {
    full: flag('--full', 'all of the content'),
    json: flag('--json', 'the version as one JSON document, a text or a property list with its content'),
  },
  examples: [
    { line: "sudo launchwarden evidence show '#17'", says: 'a version by its number' },
    { line: 'sudo launchwarden evidence show com.example.agent --full', says: 'the newest one of an item' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [what = ''] }) {
    const { out } = context;
    const { version, read, items } = await context.withStore((store) => {
      const found = findVersion(store, what);
      return {
        version: found,
        read: found.sha256 === undefined ? undefined : store.evidence.read(found.sha256),
        items: store.versions.itemsOf(found.path),
      };
    });
    if (options.json)
      out.document(versionSchema, {
        ...versionFields(version),
        items: items.map(({ itemId, role }) => ({ item_id: itemId, role })),
        bytes: read?.state === 'kept' ? 'sound' : (read?.state ?? 'missing'),
        ...contentFields(version, read),
      });
    else {
      const sheet = new Sheet(out);
      sheet.section('File', (lines) => factSection(lines, version, { items, times: out.times }));
      sheet.section('Content', (lines) => contentSection(lines, version, read, options.full));
    }
    return read?.state === 'corrupt' || (read?.state === 'missing' && read.lost === true)
      ? ExitCode.checkFailed
      : ExitCode.ok;
  },
});

function contentFields(version: Version, read: EvidenceRead | undefined): object {
  if (read?.state !== 'kept') return {};
  const { bytes } = read.content;
  const manifest = version.kind === 'bundle' ? manifestOf(bytes) : undefined;
  if (manifest !== undefined) return { files: manifest.files, files_truncated: manifest.truncated };
  const text = textOf(bytes);
  return text === undefined ? {} : { text };
}
