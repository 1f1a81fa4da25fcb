import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { compile, waitFor } from './mac.js';

interface Job {
  readonly file: string;
  readonly args: readonly string[];
  readonly keepAlive: boolean;
  /** Our own: it must be told of its tree. */
  readonly isAgent: boolean;
  /** StandardErrorPath. */
  readonly errors: string | undefined;
  child?: ChildProcess | undefined;
  runs: number;
  lastExit?: string;
  stopping: boolean;
  restart?: NodeJS.Timeout | undefined;
}

interface Answer {
  readonly status: number;
  readonly out?: string;
  readonly error?: string;
}

/**
 * A stand-in for launchd in a tree: it keeps jobs in this process, really starts what their property lists say, keeps it alive,
 * and is asked through ROOT/bin/launchctl. Paths of the Mac in a job's arguments stand for those in the tree, and our
 * agent gets `--root` with them. Answers and exit codes as launchctl(1) of macOS 13 gives them.
 */
export class StandInLaunchd {
  readonly #root: string;
  readonly #folder: string;
  #server: Server | undefined;
  #starts = 0;
  readonly #sockets = new Set<Socket>();
  readonly #jobs = new Map<string, Job>();
  readonly #disabled = new Set<string>();
  readonly #throttleMs: number;
  /** What was asked, one line each. */
  readonly asked: string[] = [];

  private constructor(root: string, throttleMs: number) {
    this.#root = root;
    this.#throttleMs = throttleMs;
    this.#folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-launchd-'));
  }

  /** `throttleMs`: how long a job that ended waits for its next start. */
  static async start(root: string, throttleMs = 1_000): Promise<StandInLaunchd> {
    const launchd = new StandInLaunchd(root, throttleMs);
    const program = path.join(root, 'bin', 'launchctl');
    mkdirSync(path.dirname(program), { recursive: true });
    rmSync(program, { force: true });
    compile('launchd-client.c', program);
    writeFileSync(`${program}.socket`, path.join(launchd.#folder, 'socket'));
    await launchd.#listen();
    return launchd;
  }

  /** A new socket for each start of the Mac: what was asked of the one before is never heard. */
  async #listen(): Promise<void> {
    const place = path.join(this.#folder, `socket-${++this.#starts}`);
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('end', () => {
        if (socket.destroyed) return;
        const args = text.split('\0').slice(0, -1);
        this.asked.push(args.join(' '));
        const { status, out = '', error = '' } = this.#answer(args);
        socket.end(`${status} ${Buffer.byteLength(out)}\n${out}${error}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place, resolve);
    });
    this.#server = server;
    const link = path.join(this.#folder, 'socket');
    rmSync(link, { force: true });
    symlinkSync(place, link);
  }

  async #hangUp(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The process of a job that runs. */
  pid(label: string): number | undefined {
    return this.#jobs.get(label)?.child?.pid;
  }

  /** As at a start of the Mac: every job of the tree's LaunchDaemons that is not disabled is loaded. */
  boot(): void {
    const folder = path.join(this.#root, 'Library/LaunchDaemons');
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (name.endsWith('.plist') && !name.startsWith('.')) this.#load(path.join(folder, name));
  }

  /** As at a shutdown: everything ends at once. */
  async halt(): Promise<void> {
    await this.#hangUp();
    await this.#endJobs();
    await this.#listen();
  }

  async #endJobs(): Promise<void> {
    const ended = [...this.#jobs.values()].map((job) => {
      job.stopping = true;
      clearTimeout(job.restart);
      const { child } = job;
      if (child === undefined) return undefined;
      child.kill('SIGKILL');
      return new Promise((resolve) => child.once('exit', resolve));
    });
    await Promise.all(ended);
    this.#jobs.clear();
  }

  async stop(): Promise<void> {
    await this.#hangUp();
    await this.#endJobs();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Waits until a job runs. */
  async running(label: string): Promise<number> {
    return waitFor(`the job ${label} to run`, () => this.pid(label));
  }

  #answer([verb, target = '', file = '']: readonly string[]): Answer {
    const label = target.startsWith('system/') ? target.slice('system/'.length) : undefined;
    switch (verb) {
      case 'bootstrap':
        return this.#bootstrap(target, file);
      case 'print':
        return this.#print(label);
      case 'enable':
      case 'disable':
        if (label === undefined) return { status: 125, error: 'Domain does not support specified action\n' };
        if (verb === 'enable') this.#disabled.delete(label);
        else this.#disabled.add(label);
        return { status: 0 };
      case 'kickstart':
        return this.#kickstart(label);
      case 'bootout':
        return this.#bootout(label);
      default:
        return { status: 64, error: `Unrecognized subcommand: ${verb}\n` };
    }
  }

  #bootstrap(domain: string, file: string): Answer {
    if (domain !== 'system') return { status: 112, error: 'Could not find domain for\n' };
    return this.#load(file);
  }

  #load(file: string): Answer {
    const failed: Answer = { status: 5, error: 'Bootstrap failed: 5: Input/output error\n' };
    const job = readJob(file);
    if (job === undefined || this.#disabled.has(job.label)) return failed;
    const there = this.#jobs.get(job.label);
    if (there !== undefined)
      return there.stopping
        ? { status: 37, error: 'Bootstrap failed: 37: Operation already in progress\n' }
        : failed;
    const { args, keepAlive, errors } = job;
    const isAgent = job.label === 'com.launchwarden.agent';
    const loaded: Job = { file, args, keepAlive, isAgent, errors, runs: 0, stopping: false };
    this.#jobs.set(job.label, loaded);
    if (job.runAtLoad) this.#spawn(loaded);
    return { status: 0 };
  }

  #spawn(job: Job): void {
    const inTree = (one: string) =>
      /^\/Library\//.test(one) || existsSync(path.join(this.#root, one)) ? path.join(this.#root, one) : one;
    const [program = '', ...args] = job.args.map(inTree);
    const errors = job.errors === undefined ? 'ignore' : openSync(inTree(job.errors), 'a', 0o600);
    const child = spawn(
      program,
      job.isAgent ? [...args, '--root', this.#root, '--root-scope', String(process.pid)] : args,
      {
        stdio: ['ignore', 'ignore', errors],
        cwd: '/',
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      },
    );
    if (typeof errors === 'number') closeSync(errors);
    job.runs++;
    job.child = child;
    const ended = (text: string) => {
      if (job.child !== child) return;
      job.child = undefined;
      job.lastExit = text;
      if (job.stopping) for (const [label, one] of this.#jobs) if (one === job) this.#jobs.delete(label);
      if (!job.stopping && job.keepAlive) job.restart = setTimeout(() => this.#spawn(job), this.#throttleMs);
    };
    child.on('error', () => ended('78: EX_CONFIG'));
    child.on('exit', (code) => ended(String(code ?? 9)));
  }

  #kickstart(label: string | undefined): Answer {
    const job = label === undefined ? undefined : this.#jobs.get(label);
    if (job === undefined)
      return { status: 113, error: `Could not find service "${label}" in domain for system\n` };
    if (job.child === undefined) {
      clearTimeout(job.restart);
      this.#spawn(job);
    }
    return { status: 0 };
  }

  /** Returns before the job has ended, as launchd does. */
  #bootout(label: string | undefined): Answer {
    const job = label === undefined ? undefined : this.#jobs.get(label);
    if (job === undefined || label === undefined)
      return { status: 3, error: 'Boot-out failed: 3: No such process\n' };
    job.stopping = true;
    clearTimeout(job.restart);
    const { child } = job;
    if (child === undefined) {
      this.#jobs.delete(label);
      return { status: 0 };
    }
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
    child.once('exit', () => clearTimeout(kill));
    return { status: 0 };
  }

  #print(label: string | undefined): Answer {
    const job = label === undefined ? undefined : this.#jobs.get(label);
    if (job === undefined || label === undefined)
      return { status: 113, error: `Bad request.\nCould not find service "${label}" in domain for system\n` };
    const lines = [
      'active count = 1',
      `path = ${job.file}`,
      'type = LaunchDaemon',
      `state = ${job.child === undefined ? 'spawn scheduled' : 'running'}`,
      '',
      `program = ${job.args[0]}`,
      `runs = ${job.runs}`,
      ...(job.child?.pid === undefined ? [] : [`pid = ${job.child.pid}`]),
      `last exit code = ${job.lastExit ?? '(never exited)'}`,
      'spawn type = interactive (4)',
    ];
    return { status: 0, out: `system/${label} = {\n${lines.map((line) => `\t${line}\n`).join('')}}\n` };
  }
}

const plain = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** A job as the template renders it; undefined for what launchd would not take. */
function readJob(file: string) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  if (!text.trimEnd().endsWith('</plist>')) return undefined;
  const label = plain(/<key>Label<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1] ?? '');
  const list = /<key>ProgramArguments<\/key>\s*<array>([\s\S]*?)<\/array>/.exec(text)?.[1] ?? '';
  const args = [...list.matchAll(/<string>([^<]*)<\/string>/g)].map((one) => plain(one[1] ?? ''));
  if (label === '' || args.length === 0) return undefined;
  const isTrue = (key: string) => new RegExp(`<key>${key}</key>\\s*<true/>`).test(text);
  const errors = /<key>StandardErrorPath<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1];
  return { label, args, errors, runAtLoad: isTrue('RunAtLoad'), keepAlive: isTrue('KeepAlive') };
}
