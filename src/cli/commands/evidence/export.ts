import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { things } from '../../../base/count.js';
import { ExitCode, errnoOf, reasonOf, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { FileContent } from '../../../event/event.js';
import type { Version } from '../../../event/version.js';
import { manifestOf, type Store } from '../../../store/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { jsonLine, safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { versionFields, versionSchema } from './document.js';
import { findVersion, whatNames } from './find.js';

/** Of a file of which only the beginning is kept. */
const headSuffix = '.head';

interface Exported {
  /** Relative to the folder. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The checked bytes of a content. Throws a UserError when they are not to be had. */
function contentOf(store: Store, version: Pick<Version, 'id' | 'path' | 'sha256' | 'notTaken'>): FileContent {
  const { id, sha256, notTaken } = version;
  const read = sha256 === undefined ? undefined : store.evidence.read(sha256);
  if (read?.state === 'kept') return read.content;
  if (read?.state === 'corrupt')
    throw new UserError(
      'evidence/corrupt',
      `the bytes of version #${id} of ${quote(version.path)} are corrupt`,
      {
        hint: `They should have the hash ${sha256} and have ${read.found}. Nothing was written.`,
        exitCode: ExitCode.checkFailed,
      },
    );
  const why =
    read?.lost === true ? 'their file was taken away' : (notTaken ?? 'they were given up for want of room');
  throw new UserError(
    'evidence/missing',
    `the bytes of version #${id} of ${quote(version.path)} are not kept`,
    {
      hint: `Why: ${why}. "evidence show" tells what is known of it.`,
      exitCode: ExitCode.checkFailed,
    },
  );
}

/** What of a version is written: the file, or the files of a bundle, and what is missing of it. */
function contentsOf(
  store: Store,
  version: Version,
): { readonly files: Exported[]; readonly missing: string[] } {
  const content = contentOf(store, version);
  const manifest = version.kind === 'bundle' ? manifestOf(content.bytes) : undefined;
  const name = path.posix
    .basename(version.path)
    .replace(/[^\p{L}\p{N}._ -]/gu, '_')
    .slice(0, 100);
  const top = /^(?:\.*|metadata\.json)$/i.test(name) ? `content ${name}` : name;
  const files: Exported[] = [];
  const missing: string[] = [];
  // What is not whole is not called as if it were.
  const take = (file: string, called: string, { bytes, size, truncated }: FileContent) => {
    files.push({ file: truncated ? `${file}${headSuffix}` : file, bytes });
    if (truncated)
      missing.push(`${called}: only its first ${bytes.length} of ${things(size, 'byte')} are kept`);
  };
  if (manifest === undefined) {
    take(top, top, content);
    return { files, missing };
  }
  if (manifest.truncated) missing.push(`${top}: it held more files than are listed`);
  for (const { path: inside, type, sha256 } of manifest.files) {
    if (type !== 'file') continue;
    const isPlain = inside.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    const read = sha256 === undefined || !isPlain ? undefined : store.evidence.read(sha256);
    if (read?.state === 'kept') take(path.join(top, inside), inside, read.content);
    else missing.push(`${inside}: ${read?.state === 'corrupt' ? 'corrupt' : 'not kept'}`);
  }
  return { files, missing };
}

/** False when it was interrupted: nothing is left then. */
async function write(
  folder: string,
  { files, metadata }: { readonly files: readonly Exported[]; readonly metadata: object },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw notWritten(folder, error);
  }
  try {
    for (const { file, bytes } of files) {
      await turn();
      signal.throwIfAborted();
      const target = path.join(folder, file);
      mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
      writeFileSync(target, bytes, { mode: 0o600, flag: 'wx' });
    }
    const text = `${jsonLine({ schema: `launchwarden.${versionSchema}`, ...metadata })}\n`;
    writeFileSync(path.join(folder, 'metadata.json'), text, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (signal.aborted) return false;
    throw notWritten(folder, error);
  }
}

function notWritten(folder: string, error: unknown): UserError {
  const exists = errnoOf(error) === 'EEXIST';
  return new UserError(
    'evidence/not-written',
    exists ? `${folder} is there already` : `the evidence could not be written: ${reasonOf(error)}`,
    { hint: 'Name a folder that does not exist yet, in one that you may write.', cause: error },
  );
}

export const evidenceExport = defineCommand({
  description:
    'Writes a version into a new folder (mode 0700, files 0600): the bytes as they were seen, of a bundle all of its files, and\n' +
    'metadata.json with owner, mode, times, extended attributes and hashes. The bytes are checked first; those that are corrupt or\n' +
    'not kept are an error. Of what only the beginning is kept the file is called NAME.head, and the exit code is 1. Nothing that is written can be run as it is: no mode, owner or link is restored.',
  arguments: [{ name: 'WHAT', summary: whatNames }],
  options: {
    output: value(
      '--output FOLDER',
      'the new folder; evidence-N of version N when left out',
      filePath('--output'),
    ),
    json: flag('--json', 'what was written as one JSON document'),
  },
  examples: [
    { line: "sudo launchwarden evidence export '#17' --output case-42", says: 'one version' },
    { line: 'sudo launchwarden evidence export 3f9a01', says: 'the newest of what an alert is about' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [what = ''] }) {
    const { out } = context;
    const { version, items, contents } = await context.withStore((store) => {
      const found = findVersion(store, what);
      return {
        version: found,
        items: store.versions.itemsOf(found.path),
        contents: contentsOf(store, found),
      };
    });
    const folder = options.output ?? `evidence-${version.id}`;
    const fields = {
      ...versionFields(version),
      items: items.map(({ itemId, role }) => ({ item_id: itemId, role })),
      files: contents.files.map(({ file }) => file),
      missing: contents.missing,
    };
    const output = { files: contents.files, metadata: fields };
    if (!(await write(folder, output, context.io.interruption()))) return ExitCode.interrupted;
    if (options.json) out.document('evidence-export/1', { folder, ...fields });
    else {
      const count = contents.files.length;
      const part = contents.missing.length > 0 ? 'Partly: ' : '';
      out.line(
        `${part}${count} ${count === 1 ? 'file' : 'files'} and metadata.json written to ${safe(folder) ?? ''}`,
      );
      for (const one of contents.missing) out.line(`  missing: ${safe(one) ?? ''}`);
    }
    return contents.missing.length > 0 ? ExitCode.checkFailed : ExitCode.ok;
  },
});
