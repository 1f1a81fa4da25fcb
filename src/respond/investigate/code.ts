/** What the beginning of a program or script tells. */
export interface CodeFacts {
  readonly kind: string;
  /** Libraries that a binary loads, those of macOS left out. */
  readonly libraries: readonly string[];
  /** Words in it that say what it may do, and addresses. */
  readonly telling: readonly string[];
}

const magics: Readonly<Record<string, string>> = {
  cffaedfe: 'Mach-O binary',
  cefaedfe: 'Mach-O binary (32 bit)',
  feedfacf: 'Mach-O binary',
  feedface: 'Mach-O binary (32 bit)',
  cafebabe: 'universal binary',
  cafebabf: 'universal binary',
};
/** LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB. Source: <mach-o/loader.h>. */
const loads = new Set([0xc, 0x80000018, 0x8000001f, 0x80000023]);
const maxCommands = 4_096;
const maxTelling = 12;

/** Words that honest plug-ins rarely hold, and what they stand for. */
const words: readonly (readonly [pattern: RegExp, says: string])[] = [
  [/\/bin\/(?:ba|z|da)?sh\b/, 'a call of a shell'],
  [/\bcurl\b|\bNSURLSession\b|\bCFHTTPMessage/, 'a download'],
  [/\bosascript\b/, 'a call of osascript'],
  [/\blaunchctl\b/, 'a call of launchctl'],
  [/\bLaunch(?:Agents|Daemons)\b/, 'the name of a launch folder'],
  [/\bdscl\b|\bODRecord(?:SetValue|ChangePassword)/, 'a change of accounts'],
  [/\bpassword\b/i, 'the word password'],
  [/\bkeychain\b/i, 'the word keychain'],
  [/\bbase64\b/i, 'base64'],
  [/\bptrace\b|\btask_for_pid\b/, 'access to other processes'],
];

/** Undefined for what is neither a program nor a script. `bytes`: its beginning. */
export function codeOf(bytes: Buffer): CodeFacts | undefined {
  const magic = bytes.subarray(0, 4).toString('hex');
  const binary = Object.hasOwn(magics, magic) ? magics[magic] : undefined;
  const script = bytes.subarray(0, 2).toString('latin1') === '#!' ? 'script' : undefined;
  const kind = binary ?? script;
  if (kind === undefined) return undefined;
  const text = bytes.toString('latin1');
  return { kind, libraries: binary === undefined ? [] : librariesOf(bytes), telling: tellingOf(text) };
}

function tellingOf(text: string): string[] {
  const urls = [...new Set(text.match(/\bhttps?:\/\/[\x21-\x7e]{4,120}/g) ?? [])].filter(
    (url) => !/^https?:\/\/(?:www\.)?(?:apple\.com|w3\.org|[a-z.]*\.apple\.com)\//.test(url),
  );
  const found = words.filter(([pattern]) => pattern.test(text)).map(([, says]) => says);
  return [...found, ...urls].slice(0, maxTelling);
}

/** Of the first architecture whose header stands in the bytes. */
function librariesOf(bytes: Buffer): string[] {
  const fat = bytes.length > 24 && bytes.readUInt32BE(0) === 0xcafebabe;
  const at = fat ? bytes.readUInt32BE(16) : 0;
  if (at + 32 > bytes.length) return [];
  const is64 = bytes.readUInt32LE(at) === 0xfeedfacf;
  if (!is64 && bytes.readUInt32LE(at) !== 0xfeedface) return [];
  const count = Math.min(bytes.readUInt32LE(at + 16), maxCommands);
  const names = new Set<string>();
  let command = at + (is64 ? 32 : 28);
  for (let index = 0; index < count && command + 12 <= bytes.length; index++) {
    const [type, size] = [bytes.readUInt32LE(command), bytes.readUInt32LE(command + 4)];
    if (size < 8) break;
    if (loads.has(type)) {
      const from = command + bytes.readUInt32LE(command + 8);
      const end = bytes.indexOf(0, from);
      const name =
        from < command + size
          ? bytes.toString('utf8', from, end === -1 || end > command + size ? command + size : end)
          : '';
      if (name !== '' && !/^\/(?:usr\/lib|System)\//.test(name)) names.add(name.slice(0, 1_024));
    }
    command += size;
  }
  return [...names].slice(0, 64);
}
