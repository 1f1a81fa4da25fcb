import { type SpawnOptions, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  execLine,
  fileNow,
  file as fileObject,
  line,
  processObject,
  type Token,
  token,
} from '../helpers/eslogger-lines.js';
import { launchAgentPlist, type SimulatedMac } from '../simulation/mac.js';

/** Who does something, as EndpointSecurity sees it. */
export interface Actor {
  /** macOS path of the image. */
  readonly image: string;
  readonly signingId?: string;
  readonly teamId?: string;
  /** The process that it is, where one was told. */
  readonly pid?: number;
  readonly pidversion?: number;
  /** Signed by nobody that Apple knows. */
  readonly adHoc?: boolean;
}

/** How a process that is told begins. */
export interface BeginOptions {
  readonly signingId: string;
  readonly adHoc?: boolean;
  readonly parent?: Actor;
  /** Whom macOS holds responsible for it. */
  readonly responsible?: Actor;
  /** The process that becomes another program. */
  readonly replaces?: Actor;
}

export interface ExecOptions {
  readonly cwd?: string;
  readonly signingId?: string;
  readonly lifetimeMs?: number;
  /** Program of this machine that really runs; the stand-in of launchctl unless it is given. */
  readonly program?: string;
  readonly input?: string;
  /** argv[0]; the path of the program unless it is given. */
  readonly called?: string;
}

const shell: Actor = { image: '/bin/zsh', signingId: 'com.apple.zsh' };

/** Nanoseconds are not to be had: what the kernel did before this call must not come after it. */
const timestamp = () => `${new Date().toISOString().slice(0, -1)}999999Z`;

let pids = 20_000;

function idOf({ pid = 500, pidversion = 50 }: Actor): Token {
  return { pid, pidversion };
}

/** Flags as the kernel gives them to a linker's own signature, XNU osfmk/kern/cs_blobs.h. */
function signatureOf({ signingId, teamId, adHoc = false }: Actor): Record<string, unknown> {
  return {
    ...(signingId === undefined ? {} : { signing_id: signingId }),
    team_id: teamId ?? null,
    ...(adHoc ? { codesigning_flags: 0x22020203, is_platform_binary: false } : {}),
  };
}

/**
 * Somebody who attacks a simulated Mac with real files and processes. With `feed`, the file that the stand-in of eslogger
 * reads, each step is also told as EndpointSecurity would tell it. Paths are macOS paths.
 */
export class Attacker {
  readonly mac: SimulatedMac;
  /** Part of every name that the attack uses: how its alerts are known. */
  readonly label: string;
  readonly home: string;
  /** The LaunchAgents folder of a user of its own. */
  readonly agents: string;
  readonly plist: string;
  readonly #feed: string | undefined;

  constructor(mac: SimulatedMac, number: number, feed?: string) {
    this.mac = mac;
    const name = String(number).padStart(2, '0');
    // Told apart from any text of a rule.
    this.label = `net.qx${name}.evader${name}`;
    this.home = `/Users/u${name}`;
    this.agents = `${this.home}/Library/LaunchAgents`;
    this.plist = `${this.agents}/${this.label}.plist`;
    this.#feed = feed;
    mkdirSync(mac.host(this.agents), { recursive: true });
  }

  /** True when EndpointSecurity is played too. */
  get isHeard(): boolean {
    return this.#feed !== undefined;
  }

  host(macPath: string): string {
    return this.mac.host(macPath);
  }

  /** A launch item of this attack. */
  list(programArguments: readonly string[] = ['/usr/bin/true'], label = this.label): string {
    return launchAgentPlist(label, programArguments);
  }

  write(macPath: string, content: string | Uint8Array = this.list(), actor = shell): void {
    const isNew = !existsSync(this.host(macPath));
    this.mkdir(path.posix.dirname(macPath));
    writeFileSync(this.host(macPath), content);
    if (isNew)
      this.#tell(actor, 'create', {
        destination_type: 0,
        destination: { existing_file: this.#file(macPath) },
      });
    this.#tell(actor, 'close', { modified: true, target: this.#file(macPath), was_mapped_writable: false });
  }

  mkdir(macPath: string): void {
    if (existsSync(this.host(macPath))) return;
    mkdirSync(this.host(macPath), { recursive: true });
    this.#tell(shell, 'create', { destination_type: 0, destination: { existing_file: this.#file(macPath) } });
  }

  rename(from: string, to: string): void {
    const source = this.#file(from);
    const replaces = existsSync(this.host(to));
    renameSync(this.host(from), this.host(to));
    this.#tell(shell, 'rename', {
      source,
      destination_type: replaces ? 0 : 1,
      destination: replaces
        ? { existing_file: this.#file(to) }
        : { new_path: { dir: this.#file(path.posix.dirname(to)), filename: path.posix.basename(to) } },
    });
  }

  hardLink(from: string, to: string): void {
    linkSync(this.host(from), this.host(to));
    this.#tell(shell, 'link', {
      source: this.#file(from),
      target_dir: this.#file(path.posix.dirname(to)),
      target_filename: path.posix.basename(to),
    });
  }

  symlink(target: string, at: string): void {
    symlinkSync(this.host(target), this.host(at));
    this.#tell(shell, 'create', { destination_type: 0, destination: { existing_file: this.#file(at) } });
  }

  clone(from: string, to: string): void {
    copyFileSync(this.host(from), this.host(to));
    this.#tell(shell, 'clone', {
      source: this.#file(from),
      target_dir: this.#file(path.posix.dirname(to)),
      target_name: path.posix.basename(to),
    });
  }

  chmod(macPath: string, mode: number): void {
    chmodSync(this.host(macPath), mode);
    this.#tell(shell, 'setmode', { mode, target: this.#file(macPath) });
  }

  chown(macPath: string, uid: number, gid: number): void {
    chownSync(this.host(macPath), uid, gid);
    this.#tell(shell, 'setowner', { uid, gid, target: this.#file(macPath) });
  }

  /** `touch -r`: back to a time of modification. EndpointSecurity's event of it, utimes, is not asked for. */
  backdate(macPath: string, seconds: number): void {
    utimesSync(this.host(macPath), seconds, seconds);
  }

  remove(macPath: string): void {
    const target = existsSync(this.host(macPath)) ? this.#file(macPath) : undefined;
    rmSync(this.host(macPath), { recursive: true, force: true });
    if (target !== undefined)
      this.#tell(shell, 'unlink', { target, parent_dir: this.#file(path.posix.dirname(macPath)) });
  }

  /** Of a volume that was mounted: what the kernel says. */
  toldMount(from: string, onto: string): void {
    this.#tell(shell, 'mount', { statfs: { f_mntonname: this.host(onto), f_mntfromname: from } });
  }

  /** Of a process that launchd starts for a job. */
  toldXpcproxy(label: string): void {
    this.#exec('/usr/libexec/xpcproxy', ['xpcproxy', label], { signingId: 'com.apple.xpc.proxy' }, 1);
  }

  /** Of background task management: a launch item was registered. */
  toldItem(
    url: string,
    more: { appUrl?: string; legacy?: boolean; type?: number; executable?: string } = {},
  ): void {
    this.#tell(
      {
        image:
          '/System/Library/PrivateFrameworks/BackgroundTaskManagement.framework/Versions/A/Resources/backgroundtaskmanagementd',
      },
      'btm_launch_item_add',
      {
        instigator: processObject({ pid: 500, pidversion: 50 }, '/bin/zsh'),
        app: null,
        item: {
          item_type: more.type ?? 3,
          legacy: more.legacy ?? true,
          managed: false,
          uid: 501,
          item_url: url,
          app_url: more.appUrl ?? null,
        },
        executable_path: more.executable ?? null,
      },
    );
  }

  /** Runs launchctl, really, and waits for its end. */
  launchctl(args: readonly string[], options: ExecOptions = {}): Promise<void> {
    return this.exec('/bin/launchctl', args, { signingId: 'com.apple.xpc.launchctl', ...options });
  }

  /** Runs a program; `image` is where EndpointSecurity sees it. */
  async exec(image: string, args: readonly string[], options: ExecOptions = {}): Promise<void> {
    const { lifetimeMs = 60, cwd, called, input } = options;
    const spawned: SpawnOptions = {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
      env: { LAUNCHCTL_LIFETIME_MS: String(lifetimeMs) },
      ...(cwd === undefined ? {} : { cwd: this.host(cwd) }),
      ...(called === undefined ? {} : { argv0: called }),
    };
    const program = options.program ?? this.host(image);
    this.#exec(image, [called ?? program, ...args], options);
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, args, spawned);
      child.on('error', reject);
      child.on('exit', () => resolve());
      if (input !== undefined) child.stdin?.end(input);
    });
  }

  /** A copy of the stand-in for some program of macOS that this machine has not. */
  install(macPath: string): void {
    mkdirSync(path.dirname(this.host(macPath)), { recursive: true });
    copyFileSync(this.mac.launchctl, this.host(macPath));
  }

  /** launchd has the job now, and no launchctl ran: some program spoke to launchd itself. */
  loadedUnseen(domain: string, label: string, plist: string): void {
    const folder = this.host('/private/var/db/launchd.stand-in');
    mkdirSync(folder, { recursive: true });
    appendFileSync(
      path.join(folder, 'jobs'),
      `${domain}\t${label}\t${plist.startsWith('/') ? this.host(plist) : plist}\n`,
    );
  }

  /** Tells that a process begins; starts none. */
  begin(image: string, args: readonly string[], options: BeginOptions): Actor {
    const { signingId, adHoc = false, parent, responsible, replaces } = options;
    const pid = replaces?.pid ?? pids++;
    const actor: Actor = { image, signingId, adHoc, pid, pidversion: pids++ };
    if (this.#feed === undefined) return actor;
    const target = processObject(idOf(actor), this.host(image), {
      ...signatureOf(actor),
      ...(parent === undefined ? {} : { ppid: parent.pid, parent_audit_token: token(idOf(parent)) }),
      ...(responsible === undefined ? {} : { responsible_audit_token: token(idOf(responsible)) }),
    });
    const cwd = fileObject(this.host('/private/tmp'));
    const process = processObject(idOf(replaces ?? actor), replaces?.image ?? image, signatureOf(actor));
    appendFileSync(this.#feed, `${execLine(args, { target, process, time: timestamp(), more: { cwd } })}\n`);
    return actor;
  }

  text(macPath: string): string {
    return readFileSync(this.host(macPath), 'utf8');
  }

  #exec(image: string, args: readonly string[], options: ExecOptions, parent = 400): void {
    if (this.#feed === undefined) return;
    const pid = pids++;
    const target = processObject({ pid, pidversion: pid * 2 }, this.host(image), {
      signing_id: options.signingId ?? path.posix.basename(image),
      is_platform_binary: options.signingId?.startsWith('com.apple.') === true,
      parent_audit_token: {
        auid: 501,
        euid: 501,
        egid: 20,
        ruid: 501,
        rgid: 20,
        pid: parent,
        asid: 1,
        pidversion: parent * 2,
      },
    });
    const cwd = fileObject(this.host(options.cwd ?? '/private/tmp'));
    appendFileSync(this.#feed, `${execLine(args, { target, time: timestamp(), more: { cwd } })}\n`);
  }

  #tell(actor: Actor, event: string, body: object): void {
    if (this.#feed === undefined) return;
    const process = processObject(
      idOf(actor),
      actor.pid === undefined ? actor.image : this.host(actor.image),
      signatureOf(actor),
    );
    appendFileSync(this.#feed, `${line(event, body, { process, time: timestamp() })}\n`);
  }

  #file(macPath: string): object {
    return fileNow(this.host(macPath));
  }
}
