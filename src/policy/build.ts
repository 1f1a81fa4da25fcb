import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import { type BundleFile, bundleLimits } from './bundle.js';

const topLevel = ['config.toml', 'rules', 'exceptions', 'yara', 'hashes', 'files'];

function refuse(file: string, message: string, hint: string): UserError {
  return new UserError('policy/cannot-build', message, { at: { file }, hint });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads the folder that a bundle is made of: `config.toml`, `rules/`, `exceptions/`, `yara/`, `hashes/`, `files/`. Hidden
 * files are left out. Throws a UserError `policy/cannot-build`.
 */
export function readPolicyFolder(folder: string): BundleFile[] {
  const files: BundleFile[] = [];
  let total = 0;
  const visit = (relative: string) => {
    const place = path.join(folder, relative);
    const facts = lstatSync(place);
    if (facts.isDirectory()) {
      for (const name of readdirSync(place).sort())
        if (!name.startsWith('.')) visit(relative === '' ? name : `${relative}/${name}`);
      return;
    }
    if (!facts.isFile())
      throw refuse(place, 'this is no regular file', 'Put the file itself there, not a link.');
    total += facts.size;
    if (total > bundleLimits.bytes || files.length >= bundleLimits.files)
      throw refuse(
        folder,
        `a bundle holds at most ${bundleLimits.files} files and ${bundleLimits.bytes / 1024 / 1024} MiB`,
        'Leave out what the fleet does not need.',
      );
    const bytes = readFileSync(place);
    if (!isUtf8(bytes)) throw refuse(place, 'this is no UTF-8 text', 'A bundle holds text alone.');
    files.push({ path: relative, bytes });
  };
  try {
    const odd = readdirSync(folder).find((name) => !name.startsWith('.') && !topLevel.includes(name));
    if (odd !== undefined)
      throw refuse(path.join(folder, odd), 'this has no place in a policy', `Known: ${topLevel.join(', ')}.`);
    visit('');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const hint = 'Name a folder with config.toml, rules, exceptions, yara, hashes or files in it.';
    throw refuse(folder, errnoOf(error) === 'ENOENT' ? 'there is no such folder' : messageOf(error), hint);
  }
  if (files.length === 0)
    throw refuse(folder, 'there is nothing for a policy in this folder', `Known: ${topLevel.join(', ')}.`);
  return files;
}
