import { environmentCode } from '../base/what-runs/index.js';

/** Where users may write without being asked: homes, folders for everybody, and what Homebrew gives to a user. */
const usersMayWrite =
  /^(?:~|\$\{?HOME\b|%h|\/Users(?:\/|$)|\/(?:private\/)?(?:tmp|var\/tmp|var\/folders)(?:\/|$)|\/Volumes\/|\/opt\/homebrew(?:\/|$))/i;

/** The folders of a search path in which a user may place a program: those of users, and those relative to wherever one is. */
export function writableFolders(value: string): string[] {
  return value
    .slice(0, 16_384)
    .split(':', 256)
    .filter((one) => !one.startsWith('/') || usersMayWrite.test(one));
}

/** What a variable of an environment is worth a word about: it makes programs load or run something, or look elsewhere for them. */
export function variableFinding(name: string, value: string): string | undefined {
  if (name.startsWith('DYLD_')) return 'dyld-environment';
  // What developers look for stands where Homebrew puts it.
  if (name === 'PATH')
    return writableFolders(value).every((one) => /^\/opt\/homebrew(?:\/|$)/i.test(one))
      ? undefined
      : 'writable-search-path';
  const code = environmentCode(name, value);
  if (code === undefined || code.how === 'adds') return undefined;
  return code.how === 'inserts' ? 'dyld-environment' : 'sets-environment';
}
