import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type * as v from 'valibot';
import type { Clock } from '../../base/clock.js';
import { errnoOf, messageOf, UserError } from '../../base/errors.js';
import { escapeJson } from '../../base/escape.js';
import { checkOwnFolder } from '../../base/own-file.js';
import { formatMicros } from '../../base/time.js';
import type { Destination, OutboxItem, Verdict } from '../destination.js';
import { slimText } from '../slim.js';
import { NdjsonFile } from './ndjson-file.js';
import type { fileOptions } from './options.js';

export type FileOptions = v.InferOutput<typeof fileOptions>;

function isFolder(name: string): boolean {
  try {
    return statSync(name).isDirectory();
  } catch {
    return false;
  }
}

/** The document on one line of at most `maxBytes` that is safe to print: people look into such files on a terminal. */
function lineOf(body: string, maxBytes: number): string {
  const slim = slimText(body, maxBytes);
  const line = escapeJson(slim);
  const more = line.length - slim.length;
  return more === 0 || Buffer.byteLength(line) <= maxBytes
    ? line
    : escapeJson(slimText(body, Math.max(maxBytes >> 1, maxBytes - more)));
}

/** Throws a UserError when, as root, others could lead the way to the folder, or put another file into it. */
function checkFolder(name: string, folder: string): void {
  const refuse = (place: string, reason: string, cause?: unknown) =>
    new UserError('forward/open-folder', `${place} ${reason}; destination "${name}" writes below it`, {
      hint: 'As root, write only where nobody else can: choose another "path".',
      cause,
    });
  checkOwnFolder(folder, { refuse });
  const facts = process.geteuid?.() === 0 ? statSync(folder, { throwIfNoEntry: false }) : undefined;
  if (facts !== undefined && (facts.mode & 0o022) !== 0 && (facts.mode & 0o1000) === 0)
    throw refuse(folder, 'can be written by others');
}

/**
 * Alerts and status documents as JSON lines in one file, raw events in `events.ndjson` beside it. Delivered means
 * written and synchronised to the disk.
 */
export class FileDestination implements Destination {
  readonly name: string;
  readonly type = 'file';
  readonly network = false;
  readonly limits = { maxItems: 1000, maxBytes: 4 * 1024 * 1024 };
  readonly #maxLine: number;
  readonly #alerts: NdjsonFile;
  readonly #events: NdjsonFile;
  readonly #path: string;

  /** Throws a UserError when the folder cannot be used. */
  constructor(name: string, options: FileOptions, clock: Clock) {
    this.name = name;
    this.#maxLine = options.max_line_bytes;
    this.#path =
      options.path.endsWith('/') || isFolder(options.path)
        ? path.join(options.path, 'alerts.ndjson')
        : options.path;
    const folder = path.dirname(this.#path);
    const check = () => checkFolder(name, folder);
    // Before it is made: `mkdir` follows what stands on the way.
    check();
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    } catch (error) {
      throw new UserError(
        'forward/file-folder',
        `cannot make the folder of destination "${name}": ${messageOf(error)}`,
        {
          hint: 'Choose another "path" for it.',
          cause: error,
        },
      );
    }
    check();
    const common = {
      rotateBytes: options.rotate_bytes,
      keep: options.keep,
      mode: Number.parseInt(options.mode, 8),
      now: () => formatMicros(clock.now()),
      check,
    };
    this.#alerts = new NdjsonFile({ ...common, path: this.#path });
    this.#events = new NdjsonFile({ ...common, path: path.join(folder, 'events.ndjson') });
  }

  async send(items: readonly OutboxItem[]): Promise<readonly Verdict[]> {
    const events = items.filter(({ lane }) => lane === 'event');
    const others = items.filter(({ lane }) => lane !== 'event');
    const [eventVerdict, otherVerdict] = [
      await this.#append(this.#events, events),
      await this.#append(this.#alerts, others),
    ];
    return items.map(({ lane }) => (lane === 'event' ? eventVerdict : otherVerdict));
  }

  async probe(): Promise<{ ok: boolean; detail: string }> {
    const verdict = await this.#append(this.#alerts, []);
    return verdict.kind === 'delivered'
      ? { ok: true, detail: this.#path }
      : { ok: false, detail: (verdict as { reason: string }).reason };
  }

  async close(): Promise<void> {
    await this.#alerts.close();
    await this.#events.close();
  }

  async #append(file: NdjsonFile, items: readonly OutboxItem[]): Promise<Verdict> {
    if (file === this.#events && items.length === 0) return { kind: 'delivered' };
    try {
      await file.append(items.map(({ body }) => `${lineOf(body, this.#maxLine)}\n`).join(''));
      return { kind: 'delivered' };
    } catch (error) {
      const reason = messageOf(error);
      const code = errnoOf(error) ?? '';
      if (['EACCES', 'EPERM', 'ELOOP', 'EISDIR', 'ENOTDIR', 'EROFS', 'forward/open-folder'].includes(code))
        return { kind: 'pause', reason, cause: 'config' };
      return { kind: 'retry', reason };
    }
  }
}
