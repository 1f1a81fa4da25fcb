import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../../base/errors.js';
import { readBounded } from '../read-bounded.js';

/** The text of one file of YARA rules. */
export interface YaraFile {
  readonly file: string;
  readonly text: string;
}

/** A file that is not used, and why. Line and column are 1-based. */
export interface RefusedYara {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

const maxFiles = 10_000;
const maxFileBytes = 8 * 1024 * 1024;
const maxAllBytes = 64 * 1024 * 1024;
const maxDepth = 16;
const endings = /\.yara?$/i;

/**
 * The YARA files of files and folders, those of a folder by their endings (`.yar`, `.yara`), sorted. One that cannot be
 * read is refused, the others go on. Throws a UserError when a path is not there.
 */
export function findYaraFiles(paths: readonly string[]): {
  readonly files: readonly YaraFile[];
  readonly refused: readonly RefusedYara[];
} {
  const files: YaraFile[] = [];
  const refused: RefusedYara[] = [];
  let bytes = 0;
  for (const file of paths.flatMap((one) => filesOf(one))) {
    try {
      if (files.length >= maxFiles || bytes > maxAllBytes)
        throw new UserError('scan/too-much', `there are more YARA rules than ${maxAllBytes / 2 ** 20} MiB`);
      const text = readBounded(file, maxFileBytes, 'YARA rules');
      bytes += text.length;
      files.push({ file, text });
    } catch (error) {
      refused.push({ file, message: messageOf(error) });
    }
  }
  return { files, refused };
}

function filesOf(place: string): string[] {
  try {
    return statSync(place).isDirectory() ? below(place, 0) : [place];
  } catch (cause) {
    const reason = errnoOf(cause) === 'ENOENT' ? 'no such file or folder' : messageOf(cause);
    throw new UserError('scan/no-yara-files', `cannot read YARA rules from ${place}: ${reason}`, {
      hint: 'Name files of YARA rules (.yar, .yara) or folders that hold them.',
      cause,
    });
  }
}

function below(folder: string, depth: number): string[] {
  if (depth > maxDepth) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const one = path.join(folder, entry.name);
      if (entry.name.startsWith('.')) return [];
      if (entry.isDirectory()) return below(one, depth + 1);
      return endings.test(entry.name) && isFile(one) ? [one] : [];
    });
}

function isFile(place: string): boolean {
  try {
    return statSync(place).isFile();
  } catch {
    return false;
  }
}
