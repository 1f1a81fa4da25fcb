import { chmodSync, existsSync, lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Lines in the shapes of reference/macos.md section 2. The envelope, the common objects, exec, fork, exit and open were
 * read there from real output (message versions 6, 9, 10, 11); all other bodies follow eslogger's own key names or the C
 * structures, and are UNPROVEN.
 */

export interface LineOptions {
  readonly version?: number;
  readonly time?: string;
  readonly globalSequence?: number;
  readonly process?: object;
  /** Tokens as the bare array that one beta of macOS 26 printed. */
  readonly arrayTokens?: boolean;
}

export interface Token {
  readonly pid: number;
  readonly pidversion: number;
  readonly euid?: number;
}

export function token({ pid, pidversion, euid = 501 }: Token, asArray = false): unknown {
  const parts = { auid: 501, euid, egid: 20, ruid: euid, rgid: 20, pid, asid: 100_000, pidversion };
  return asArray ? Object.values(parts) : parts;
}

export function file(filePath: string, inode = '1152921500312525701', more: object = {}): object {
  return {
    path: filePath,
    path_truncated: false,
    stat: {
      st_dev: -1_234,
      st_ino: `@${inode}@`,
      st_mode: 33_188,
      st_nlink: 1,
      st_uid: 501,
      st_gid: 20,
      st_size: 412,
      st_mtimespec: '2025-08-07T15:13:08.000000000Z',
      st_ctimespec: '2025-08-07T15:13:09.123456789Z',
      ...more,
    },
  };
}

/** A file of this machine as eslogger tells of it now; what does not exist with the values of `file`. */
export function fileNow(host: string): object {
  const stat = lstatSync(host, { throwIfNoEntry: false });
  if (stat === undefined) return file(host);
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, -1)}000000Z`;
  return file(host, String(stat.ino), {
    st_mode: stat.mode,
    st_nlink: stat.nlink,
    st_uid: stat.uid,
    st_gid: stat.gid,
    st_size: stat.size,
    st_mtimespec: iso(stat.mtimeMs),
    st_ctimespec: iso(stat.ctimeMs),
  });
}

export function processObject(
  own: Token,
  executable: string,
  { arrayTokens = false, ...more }: Record<string, unknown> & { arrayTokens?: boolean } = {},
): object {
  return {
    audit_token: token(own, arrayTokens),
    ppid: 400,
    original_ppid: 400,
    group_id: 500,
    session_id: 1,
    codesigning_flags: 0x26015b11,
    is_platform_binary: true,
    is_es_client: false,
    cdhash: 'A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4E5F6A1B2',
    signing_id: 'com.apple.zsh',
    team_id: null,
    executable: file(executable),
    tty: null,
    start_time: '2025-08-07T15:13:09.798115Z',
    responsible_audit_token: token({ pid: 300, pidversion: 30 }, arrayTokens),
    parent_audit_token: token({ pid: 400, pidversion: 40 }, arrayTokens),
    ...more,
  };
}

const shell: Token = { pid: 500, pidversion: 50 };

export function line(event: string, body: object, options: LineOptions = {}): string {
  const {
    version = 10,
    time = '2025-08-07T15:13:09.811587464Z',
    globalSequence,
    arrayTokens = false,
  } = options;
  const text = JSON.stringify({
    schema_version: 1,
    version,
    event_type: 9,
    time,
    mach_time: 1_234_567_890_123,
    ...(globalSequence === undefined ? {} : { seq_num: globalSequence, global_seq_num: globalSequence }),
    action_type: 1,
    action: { result: { result_type: 0, result: { auth: 0 } } },
    thread: { thread_id: 7 },
    process: options.process ?? processObject(shell, '/bin/zsh', { arrayTokens }),
    event: { [event]: body },
  });
  // As eslogger prints it: slashes escaped, inodes as numbers however large.
  return text.replaceAll('/', '\\/').replace(/"@(\d+)@"/g, '$1');
}

export function execLine(
  args: readonly string[],
  options: LineOptions & { readonly target?: object; readonly more?: object } = {},
): string {
  return line(
    'exec',
    {
      target:
        options.target ??
        processObject({ pid: 501, pidversion: 52, euid: 0 }, '/bin/launchctl', {
          arrayTokens: options.arrayTokens === true,
        }),
      args,
      env: ['HOME=/Users/alice', 'PATH=/usr/bin:/bin'],
      cwd: file('/private/tmp'),
      script: null,
      last_fd: 5,
      fds: [{ fd: 0, fdtype: 5, pipe: { pipe_id: 7 } }],
      image_cputype: 16_777_228,
      image_cpusubtype: -2_147_483_646,
      ...options.more,
    },
    options,
  );
}

export function closeLine(
  filePath: string,
  options: LineOptions & { readonly modified?: boolean; readonly inode?: string } = {},
): string {
  return line(
    'close',
    { modified: options.modified ?? true, target: file(filePath, options.inode), was_mapped_writable: false },
    options,
  );
}

/**
 * A stand-in for /usr/bin/eslogger in `folder`: prints what is appended to `feed`, or what the files beside it say.
 * `error`: text for standard error before it ends at once; `events`: what `--list-events` answers.
 */
export function fakeEslogger(folder: string): {
  readonly program: string;
  readonly feed: string;
  /** How many of its runs read the feed, or have read it. */
  runs(): number;
  /** Whether all that is in the feed was written. */
  hasWritten(): boolean;
} {
  const program = path.join(folder, 'eslogger');
  const feed = path.join(folder, 'feed');
  const text = `#!${process.execPath}
const fs = require('node:fs');
const beside = (name) => { try { return fs.readFileSync(require('node:path').join(__dirname, name), 'utf8'); } catch { return undefined; } };
if (process.argv[2] === '--list-events') {
  const events = beside('events');
  if (events === undefined) process.exit(64);
  process.stdout.write(events);
  process.exit(0);
}
fs.writeFileSync(__dirname + '/argv', JSON.stringify(process.argv.slice(2)));
fs.appendFileSync(__dirname + '/runs', process.pid + '\\n');
const error = beside('error');
if (error !== undefined) { process.stderr.write(error); process.exit(1); }
let at = fs.existsSync(__dirname + '/feed') ? fs.statSync(__dirname + '/feed').size : 0;
if (fs.existsSync(__dirname + '/from-start')) at = 0;
const feed = fs.openSync(__dirname + '/feed', 'a+');
const buffer = Buffer.alloc(1 << 20);
fs.appendFileSync(__dirname + '/reading', process.pid + '\\n');
// The real one ends at its next line when nobody reads it any more.
const reader = process.ppid;
setInterval(() => {
  if (process.ppid !== reader) process.exit(0);
  for (let got; (got = fs.readSync(feed, buffer, 0, buffer.length, at)) > 0; ) {
    fs.writeSync(1, buffer.subarray(0, got));
    fs.writeFileSync(__dirname + '/written', String(at += got));
  }
}, 5);`;
  writeFileSync(program, text);
  chmodSync(program, 0o755);
  writeFileSync(path.join(folder, 'reading'), '');
  writeFileSync(path.join(folder, 'events'), 'exec\nfork\nexit\ncreate\nclose\nrename\nunlink\nclone\n');
  const runs = () => readFileSync(path.join(folder, 'reading'), 'utf8').split('\n').length - 1;
  const written = path.join(folder, 'written');
  const hasWritten = () =>
    existsSync(written) && Number(readFileSync(written, 'utf8')) === statSync(feed).size;
  return { program, feed, runs, hasWritten };
}
