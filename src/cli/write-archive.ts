import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';
import { type TarFile, tarEnd, tarEntry } from '../respond/collect/index.js';

function* archive(files: () => Iterable<TarFile>, seconds: number): Generator<Uint8Array> {
  for (const file of files()) yield tarEntry(file, seconds);
  yield tarEnd;
}

/**
 * Writes a .tar.gz (mode 0600) into a file that must not exist; nothing is left of one that could not be finished, or was
 * interrupted by `signal`. Throws a UserError `<stage>/exists` or `<stage>/not-written`.
 */
export async function writeArchive(
  files: () => Iterable<TarFile>,
  output: string,
  {
    seconds,
    stage,
    signal,
  }: { readonly seconds: number; readonly stage: string; readonly signal?: AbortSignal },
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const file = await open(output, 'wx', 0o600).catch((error: unknown) => {
    const exists = errnoOf(error) === 'EEXIST';
    throw new UserError(
      exists ? `${stage}/exists` : `${stage}/not-written`,
      exists ? `${output} exists already` : `the archive could not be written: ${reasonOf(error)}`,
      { hint: 'Name a file that does not exist yet, in a folder that you may write.', cause: error },
    );
  });
  try {
    await pipeline(
      Readable.from(archive(files, seconds)),
      createGzip(),
      count,
      file.createWriteStream({ flush: true }),
      ...(signal === undefined ? [] : [{ signal }]),
    );
  } catch (error) {
    await unlink(output).catch(() => undefined);
    if (error instanceof UserError) throw error;
    throw new UserError(`${stage}/not-written`, `the archive could not be written: ${reasonOf(error)}`, {
      hint: 'Is the disk full?',
      cause: error,
    });
  }
  return { bytes, sha256: hash.digest('hex') };
}
