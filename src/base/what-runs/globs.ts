import { toolPaths } from './places.js';

/** Folders that everybody may write, which a pattern may stand for. */
const writable = ['/tmp', '/private/tmp', '/var/tmp', '/private/var/tmp', '/Users/Shared'];
const maxComponent = 64;

export function isPattern(word: string): boolean {
  return word.startsWith('/') && /[*?[]/.test(word);
}

/**
 * What a pattern of a shell (`/t?p/x`, `/usr/bin/c*l`) may stand for: a tool of macOS, or a file in a folder that everybody may
 * write. The pattern itself where it is neither: what fits it, only the Mac knows.
 */
export function expandPattern(word: string): string {
  const parts = word.split('/').slice(1);
  if (parts.some((part) => part.length > maxComponent)) return word;
  const fits = (path: string) => {
    const names = path.split('/').slice(1);
    return names.length <= parts.length && names.every((name, index) => matches(parts[index] ?? '', name));
  };
  const tool = toolPaths.find((path) => path.split('/').length === parts.length + 1 && fits(path));
  if (tool !== undefined) return tool;
  const folder = writable.find((path) => path.split('/').length <= parts.length && fits(path));
  return folder === undefined ? word : [folder, ...parts.slice(folder.split('/').length - 1)].join('/');
}

/** A component against a name. Two places are remembered: no pattern takes longer than both lengths together. */
function matches(pattern: string, name: string): boolean {
  let [at, of, star, from] = [0, 0, -1, 0];
  while (of < name.length) {
    const length = takes(pattern, at, name[of] as string);
    if (length > 0) {
      at += length;
      of++;
    } else if (pattern[at] === '*') {
      star = ++at;
      from = of;
    } else if (star >= 0) {
      at = star;
      of = ++from;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** How much of the pattern one character takes; 0 when it does not fit. */
function takes(pattern: string, at: number, character: string): number {
  const one = pattern[at];
  if (one === undefined || one === '*') return 0;
  if (one === '?') return 1;
  const end = one === '[' ? pattern.indexOf(']', at + 2) : -1;
  if (end < 0) return one.toLowerCase() === character.toLowerCase() ? 1 : 0;
  const set = pattern.slice(at + 1, end);
  const negated = /^[!^]/.test(set);
  let found = false;
  for (let index = negated ? 1 : 0; index < set.length; index++) {
    const low = set[index] as string;
    const high = set[index + 1] === '-' && set[index + 2] !== undefined ? (set[index + 2] as string) : low;
    if (high !== low) index += 2;
    found ||= character >= low && character <= high;
  }
  return found === negated ? 0 : end + 1 - at;
}
