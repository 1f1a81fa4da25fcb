import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { entriesOf } from './payload.mjs';

/** Writes a payload folder as .tar.gz: sorted, root:wheel, one time; files alone, tar makes their folders. */
export async function archive(root, { folder, file, seconds }) {
  const { tarEnd, tarEntry } = await import(
    pathToFileURL(path.join(root, 'dist', 'respond', 'collect', 'tar.js')).href
  );
  const top = path.basename(folder);
  const blocks = entriesOf(folder)
    .filter(({ isFile }) => isFile)
    .map(({ name, mode }) =>
      tarEntry({ name: `${top}/${name}`, mode, content: readFileSync(path.join(folder, name)) }, seconds),
    );
  writeFileSync(file, gzipSync(Buffer.concat([...blocks, tarEnd]), { level: 6 }));
}
