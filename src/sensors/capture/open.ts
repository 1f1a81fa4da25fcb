import { createReadStream, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf, UserError } from '../../base/errors.js';
import { parseExactJson } from '../../base/exact-json.js';
import { type CaptureFile, maxLineBytes, openCaptureFile } from './lines.js';
import { looksLike, plainText } from './looks-like.js';
import { ScratchFile } from './scratch.js';
import { DocumentSplitter } from './split.js';
import { type Unwrapped, unwrap } from './unwrap.js';

export type CaptureForm = 'ecs' | 'eslogger';

/** A capture, ready to be read line by line. */
export interface OpenCapture {
  /** Of one event a line. */
  readonly file: CaptureFile;
  readonly form: CaptureForm;
  /**
   * What a line's number counts: the lines of the input as it was handed over, or the events in it where one line or document
   * is not one event.
   */
  readonly numbers: 'lines' | 'events';
  /** Documents that held no event, or could not be read, found while the input was turned into lines. */
  readonly skipped: number;
  /** Nothing but white space. */
  readonly isEmpty: boolean;
  close(): void;
}

/** What is looked at to tell the form. */
const headBytes = 1024 * 1024;
const sampleLines = 50;
/** A packed input may grow to so much. */
const maxUnpacked = 64 * 2 ** 30;
/** Documents in a row that are no JSON, before it is given up. */
const maxBroken = 1_000;
const beginsLike = 'text that begins like JSON and is none';

const understood =
  'Understood: JSON documents of events (one a line, over several lines, in arrays), answers and hits of Elasticsearch and ' +
  "Kibana, Filebeat's and Splunk's events, eslogger's messages, alerts and events exported from here; plain, gzip or UTF-16.";

/**
 * Recognises a capture by its content and makes it readable line by line: packed and UTF-16 text is unpacked, documents over
 * several lines and in lists become lines, and what tools put around events is taken off. What is so already is read as it
 * is. Bounded memory: what is made stands in a file without a name. Throws a UserError for what is no capture.
 */
export async function openCapture(given: CaptureFile, wanted?: CaptureForm): Promise<OpenCapture> {
  const made: ScratchFile[] = [];
  const close = () => {
    for (const one of made.splice(0)) one.close();
  };
  try {
    const file = await asUtf8(given, made);
    const head = headOf(file);
    const kind = kindOf(head);
    if (kind.name === 'empty')
      return { file, form: wanted ?? 'ecs', numbers: 'lines', skipped: 0, isEmpty: true, close };
    if (kind.name === 'lines') {
      const form = wanted ?? kind.form;
      return { file, form, numbers: 'lines', skipped: 0, isEmpty: false, close };
    }
    const name = typeof given === 'string' ? given : undefined;
    if (kind.name === 'unknown') throw unknownForm(looksLike(head.bytes), name);
    const lines = new ScratchFile();
    made.push(lines);
    const seems = looksLike(head.bytes);
    const { form, skipped } = toLines(file, lines, {
      wanted,
      seems: seems === plainText ? beginsLike : seems,
      name,
    });
    return { file: lines.descriptor, form, numbers: 'events', skipped, isEmpty: false, close };
  } catch (error) {
    close();
    throw error;
  }
}

function unknownForm(what: string, file?: string): UserError {
  return new UserError('capture/unknown-form', `this is no capture of events: it looks like ${what}`, {
    hint: understood,
    ...(file === undefined ? {} : { at: { file } }),
  });
}

interface Head {
  readonly bytes: Buffer;
  readonly isAll: boolean;
}

function headOf(file: CaptureFile, size = headBytes): Head {
  const opened = openCaptureFile(file);
  try {
    const bytes = Buffer.allocUnsafe(Math.min(size, Math.max(1, opened.size)));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(opened.descriptor, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return { bytes: bytes.subarray(0, length), isAll: length >= opened.size };
  } finally {
    opened.close();
  }
}

/** The input itself, or what it is unpacked or converted to. */
async function asUtf8(given: CaptureFile, made: ScratchFile[]): Promise<CaptureFile> {
  let file = given;
  // An archive within an archive is unpacked once more, and no further.
  for (let times = 0; times < 2 && isGzip(headOf(file, 2).bytes); times++) {
    const unpacked = new ScratchFile();
    made.push(unpacked);
    await unpack(file, unpacked);
    file = unpacked.descriptor;
  }
  const encoding = utf16(headOf(file, 4).bytes);
  if (encoding === undefined) return file;
  const converted = new ScratchFile();
  made.push(converted);
  const decoder = new TextDecoder(encoding);
  for (const chunk of chunksOf(file)) converted.append(decoder.decode(chunk, { stream: true }));
  converted.append(decoder.decode());
  return converted.descriptor;
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** By its mark, or by a JSON document's first character. */
function utf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head.length < 2) return undefined;
  const [first, second] = [head[0], head[1]];
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const begins = (byte: number | undefined) => byte === 0x7b || byte === 0x5b;
  if (begins(first) && second === 0) return 'utf-16le';
  return first === 0 && begins(second) ? 'utf-16be' : undefined;
}

async function unpack(file: CaptureFile, into: ScratchFile): Promise<void> {
  const opened = openCaptureFile(file);
  let bytes = 0;
  try {
    const source = createReadStream('', { fd: opened.descriptor, start: 0, autoClose: false });
    await pipeline(source, createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maxUnpacked)
          throw new UserError(
            'capture/too-large',
            `the packed input holds more than ${maxUnpacked / 2 ** 30} GiB`,
          );
        into.append(chunk);
      }
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'capture/bad-gzip',
      `the input begins like gzip and cannot be unpacked: ${messageOf(error)}`,
      {
        hint: 'Was it copied in full?',
        cause: error,
      },
    );
  } finally {
    opened.close();
  }
}

function* chunksOf(file: CaptureFile): Generator<Buffer> {
  const opened = openCaptureFile(file);
  try {
    const chunk = Buffer.allocUnsafe(headBytes);
    for (let at = 0; ; ) {
      const count = readSync(opened.descriptor, chunk, 0, chunk.length, at);
      if (count === 0) return;
      at += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    opened.close();
  }
}

type Kind =
  | { readonly name: 'empty' | 'documents' | 'unknown' }
  /** One event a line, as they stand there. */
  | { readonly name: 'lines'; readonly form: CaptureForm };

function kindOf({ bytes, isAll }: Head): Kind {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (isAll && text.trim() === '') return { name: 'empty' };
  const lines = text.split('\n');
  // The last one may go on.
  if (!isAll) lines.pop();
  const samples = lines.filter((line) => line.trim() !== '').slice(0, sampleLines);
  const parsed = samples.map(objectIn);
  const found = parsed.flatMap((value) => unwrap(value));
  const objects = parsed.filter((value) => value !== undefined).length;
  const beginsWithJson = /^\s*[[{]/.test(text);
  // A line of a document over several lines may be an object by itself.
  const isByLine = parsed[0] !== undefined || objects * 2 > parsed.length || !beginsWithJson;
  if (objects > 0 && isByLine) {
    const isPlain = found.every(({ wrapped }) => !wrapped);
    const isSingle = parsed.every((value) => value === undefined || unwrap(value).length === 1);
    if (!isPlain || !isSingle) return { name: 'documents' };
    return { name: 'lines', form: formOf(found) };
  }
  return { name: beginsWithJson ? 'documents' : 'unknown' };
}

function objectIn(line: string): object | undefined {
  if (!/^\s*\{/.test(line)) return undefined;
  try {
    return parseExactJson(line) as object;
  } catch {
    return undefined;
  }
}

/** What most of the events are. */
function formOf(found: readonly Unwrapped[]): CaptureForm {
  return found.filter(({ form }) => form === 'eslogger').length * 2 > found.length ? 'eslogger' : 'ecs';
}

/** Writes the events of documents one a line. Throws a UserError when there are none. */
function toLines(
  file: CaptureFile,
  lines: ScratchFile,
  how: {
    readonly wanted: CaptureForm | undefined;
    readonly seems: string;
    readonly name: string | undefined;
  },
): { readonly form: CaptureForm; readonly skipped: number } {
  const splitter = new DocumentSplitter(maxLineBytes);
  let form = how.wanted;
  let [skipped, documents, broken] = [0, 0, 0];
  let isFirst = true;
  let batch = '';
  for (const chunk of chunksOf(file)) {
    const hasMark = isFirst && chunk.length >= 3 && chunk.readUIntBE(0, 3) === 0xefbbbf;
    isFirst = false;
    for (const document of splitter.push(hasMark ? chunk.subarray(3) : chunk)) {
      documents++;
      const found = document === undefined ? undefined : eventsIn(document);
      if (found === undefined) broken++;
      if (broken === documents && broken > maxBroken) throw unknownForm(how.seems, how.name);
      // An answer without hits is one all the same.
      for (const one of found ?? []) {
        form ??= one.form;
        if (one.form === form) batch += `${JSON.stringify(one.doc)}\n`;
        else skipped++;
      }
      if (batch.length < headBytes) continue;
      lines.append(batch);
      batch = '';
    }
  }
  lines.append(batch);
  if (broken === documents) throw unknownForm(splitter.isOpen ? 'JSON that is cut off' : how.seems, how.name);
  return {
    form: form ?? 'ecs',
    skipped: skipped + broken + (splitter.isOpen ? 1 : 0) + (splitter.rubbish > 0 ? 1 : 0),
  };
}

/** Undefined when it is no JSON. */
function eventsIn(document: Buffer): readonly Unwrapped[] | undefined {
  try {
    return unwrap(parseExactJson(document.toString('utf8')));
  } catch {
    return undefined;
  }
}
