// Documents as Elastic Defend writes them on macOS, about 2 kB of JSON each: 70 % file events, 30 % processes, two in a
// thousand relevant to a source rule. Made from a fixed seed.

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** Programs that a Mac runs all day, and those that rules look for. */
export const commonPrograms = [
  'mdworker_shared', 'mds_stores', 'Google Chrome Helper', 'Slack Helper', 'trustd', 'cfprefsd', 'backupd', 'git',
  'node', 'zsh', 'bash', 'sh', 'python3', 'launchd', 'xpcproxy', 'nsurlsessiond', 'softwareupdated', 'Spotlight',
] as const; // biome-ignore format: a list

export const watchedPrograms = [
  'osascript', 'curl', 'launchctl', 'sudo', 'dscl', 'security', 'sqlite3', 'plutil', 'defaults', 'chmod', 'xattr', 'nscurl',
  'openssl', 'perl', 'ruby', 'php', 'nohup', 'screencapture', 'systemsetup', 'spctl', 'csrutil', 'kextload', 'tclsh', 'ditto',
  'hdiutil', 'installer', 'profiles', 'ssh', 'scp', 'nc', 'base64', 'cron', 'crontab', 'at', 'emond', 'pbpaste', 'networksetup',
  'softwareupdate', 'tmutil', 'mdfind', 'ioreg', 'sw_vers', 'system_profiler', 'dsenableroot', 'fdesetup', 'killall', 'touch',
] as const; // biome-ignore format: a list

const folders = [
  '/usr/bin/',
  '/bin/',
  '/usr/libexec/',
  '/Applications/App.app/Contents/MacOS/',
  '/opt/homebrew/bin/',
];
const files = [
  '/Users/alice/Library/Caches/com.apple.Safari/WebKitCache/Version 16/Records/', '/private/var/folders/zz/T/TemporaryItems/',
  '/Users/alice/Documents/site/node_modules/.cache/', '/Library/Logs/DiagnosticReports/', '/Users/alice/Library/Preferences/',
  '/private/var/db/diagnostics/Persist/', '/Users/alice/.git/objects/', '/Applications/App.app/Contents/Resources/',
]; // biome-ignore format: a list

const hex = (random: () => number, digits: number) =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');

function processFields(random: () => number, name: string) {
  return {
    pid: Math.floor(random() * 90_000) + 300,
    entity_id: hex(random, 40),
    name,
    executable: pick(random, folders) + name,
    code_signature: {
      exists: true,
      trusted: true,
      status: 'No error.',
      signing_id: `com.apple.${name}`,
      team_id: hex(random, 10),
    },
  };
}

/** Document number `index`; `milliseconds` is its time since the first one. */
function document(random: () => number, index: number, milliseconds: number): Record<string, unknown> {
  const relevant = index % 500 === 50;
  const isFile = random() < 0.7;
  const name = random() < 0.85 ? pick(random, commonPrograms) : pick(random, watchedPrograms);
  const time = new Date(1_795_000_000_000 + milliseconds).toISOString();
  const base = {
    '@timestamp': time,
    agent: { id: 'f2b4c1d0-5a6e-4f3b-9c8d-7e6f5a4b3c2d', type: 'endpoint', version: '8.17.0' },
    data_stream: {
      type: 'logs',
      dataset: `endpoint.events.${isFile ? 'file' : 'process'}`,
      namespace: 'default',
    },
    ecs: { version: '8.10.0' },
    elastic: { agent: { id: 'f2b4c1d0-5a6e-4f3b-9c8d-7e6f5a4b3c2d' } },
    event: {
      action: isFile ? (random() < 0.1 ? 'deletion' : 'modification') : random() < 0.5 ? 'exec' : 'fork',
      category: [isFile ? 'file' : 'process'],
      created: time,
      dataset: `endpoint.events.${isFile ? 'file' : 'process'}`,
      id: hex(random, 32),
      kind: 'event',
      module: 'endpoint',
      outcome: 'unknown',
      sequence: index,
      type: [isFile ? 'change' : 'start'],
    },
    host: {
      architecture: 'arm64',
      hostname: 'alices-macbook.local',
      id: '6F1C4E0A-1B2C-5D3E-8F4A-9B0C1D2E3F40',
      ip: ['192.168.1.20', 'fe80::10c6:b5ff:fe12:3456', '127.0.0.1', '::1'],
      mac: ['a4-83-e7-12-34-56', 'a4-83-e7-12-34-57'],
      name: 'alices-macbook.local',
      os: {
        Ext: { variant: 'macOS' },
        family: 'macos',
        full: 'macOS 14.5.0',
        kernel:
          'Darwin Kernel Version 23.5.0: Wed May  1 20:12:58 PDT 2024; root:xnu-10063.121.3~5/RELEASE_ARM64_T6000',
        name: 'macOS',
        platform: 'macos',
        type: 'macos',
        version: '14.5.0',
      },
    },
    message: `Endpoint ${isFile ? 'file' : 'process'} event`,
    user: { id: '501', name: 'alice', Ext: { real: { id: '501', name: 'alice' } } },
    group: { id: '20', name: 'staff', Ext: { real: { id: '20', name: 'staff' } } },
  };
  const parent = pick(random, commonPrograms);
  if (isFile) {
    const path = relevant
      ? '/Users/alice/Library/LaunchAgents/com.example.plist'
      : pick(random, files) + hex(random, 24);
    return {
      ...base,
      file: {
        path,
        name: path.slice(path.lastIndexOf('/') + 1),
        extension: 'plist',
        size: Math.floor(random() * 100_000),
        inode: String(Math.floor(random() * 1e9)),
        hash: { sha256: hex(random, 64) },
        Ext: { header_bytes: hex(random, 32), entropy: 4.2 },
      },
      process: {
        ...processFields(random, name),
        command_line: `${name} --serve ${hex(random, 30)}`,
        parent: { pid: 1 },
        Ext: { ancestry: Array.from({ length: 4 }, () => hex(random, 40)) },
      },
      Effective_process: { entity_id: hex(random, 40), executable: `/bin/${parent}`, name: parent, pid: 400 },
    };
  }
  const shown = relevant ? 'launchctl' : name;
  const args = relevant
    ? [shown, 'load', '-w', '/x.plist']
    : [shown, '--type=renderer', `--id=${hex(random, 12)}`, '-v'];
  return {
    ...base,
    process: {
      ...processFields(random, shown),
      args,
      args_count: args.length,
      command_line: args.join(' '),
      working_directory: '/Users/alice',
      hash: { sha256: hex(random, 64), sha1: hex(random, 40), md5: hex(random, 32) },
      parent: {
        ...processFields(random, parent),
        args: [parent, '-l'],
        args_count: 2,
        command_line: `${parent} -l`,
      },
      Ext: {
        ancestry: Array.from({ length: 6 }, () => hex(random, 40)),
        effective_parent: {
          entity_id: hex(random, 40),
          executable: `/bin/${parent}`,
          name: parent,
          pid: 400,
        },
      },
    },
  };
}

/** So many documents, ten milliseconds apart. */
export function documents(count: number): Record<string, unknown>[] {
  const random = seeded(7);
  return Array.from({ length: count }, (_, index) => document(random, index, index * 10));
}
