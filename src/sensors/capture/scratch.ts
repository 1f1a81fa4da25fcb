import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { messageOf, UserError } from '../../base/errors.js';

function noRoom(error: unknown): UserError {
  return new UserError('capture/no-room', `cannot keep the events in ${os.tmpdir()}: ${messageOf(error)}`, {
    hint: 'Set TMPDIR to a folder with more room.',
    cause: error,
  });
}

/**
 * A file for what does not fit into memory. It has no name, so nothing is left of it however we end: an interrupt kills
 * the process at once while a capture is being read. Throws a UserError `capture/no-room`.
 */
export class ScratchFile {
  readonly descriptor: number;

  constructor() {
    try {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-'));
      try {
        this.descriptor = openSync(path.join(folder, 'scratch'), 'wx+', 0o600);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    } catch (error) {
      throw noRoom(error);
    }
  }

  append(data: string | Uint8Array): void {
    try {
      writeFileSync(this.descriptor, data);
    } catch (error) {
      throw noRoom(error);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
