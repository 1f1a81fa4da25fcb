import { readdirSync } from 'node:fs';
import os from 'node:os';
import type { RootMap } from '../base/root.js';
import type { CliIo } from './io.js';

/** Names of people that are known here: they are taken out of what is handed on. */
export function people(io: CliIo, root: RootMap): string[] {
  const names = [io.user, io.env['SUDO_USER'] ?? '', io.env['USER'] ?? ''];
  try {
    names.push(...readdirSync(root.toHost('/Users')).slice(0, 1_000));
  } catch {
    // No homes.
  }
  return names;
}

/** Names of this machine. */
export function hosts(): string[] {
  const name = os.hostname();
  return [name, name.split('.')[0] ?? name];
}
