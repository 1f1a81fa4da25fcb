import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceRuleFiles } from './source-rule-files.js';

/**
 * A folder that stands for a Mac, and the real agent on it: what the demo, the end-to-end tests and the benches share.
 * Only Node.js is imported here; the agent is driven as its user drives it, through bin/launchwarden.js.
 */

function findRepository(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

export const repository = findRepository();
/** The program that is driven: this checkout's, or an installed one. */
export const program = process.env['LAUNCHWARDEN_PROGRAM'] ?? path.join(repository, 'bin', 'launchwarden.js');

/** `com.qhzk.agent-3f9a01`: names that no rule and no test can have been written for. */
export function randomLabel(): string {
  const letters = [...randomBytes(4)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');
  return `com.${letters}.agent-${randomBytes(3).toString('hex')}`;
}

/** `more`: further keys and values, as text. */
export function launchAgentPlist(
  label: string,
  programArguments: readonly string[] = ['/usr/bin/true'],
  more = '',
): string {
  const items = programArguments.map((one) => `    <string>${one}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${label}</string>
  <key>ProgramArguments</key>
  <array>
${items}
  </array>
  <key>RunAtLoad</key>
  <true/>${more}
</dict>
</plist>
`;
}

/** Compiles a program of this folder; false when this machine has no C compiler. */
export function compile(source: string, target: string): boolean {
  const file = path.join(repository, 'test', 'simulation', source);
  return ['cc', 'gcc', 'clang'].some(
    (compiler) => spawnSync(compiler, ['-O1', '-o', target, file]).status === 0,
  );
}

let compiled: string | undefined;

/**
 * The stand-in launchctl as a compiled program; undefined when this machine has no C compiler. Compiled once a
 * process: the caller's copy is made with `copyFileSync`.
 */
export function standInLaunchctl(): string | undefined {
  if (compiled !== undefined) return compiled;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-standin-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const target = path.join(folder, 'launchctl');
  if (!compile('launchctl.c', target)) return undefined;
  compiled = target;
  return target;
}

/** A temporary folder with the parts of macOS that the agent looks at. */
export class SimulatedMac {
  readonly base: string;
  readonly root: string;
  readonly dataDir: string;
  readonly launchctl: string;
  /** Called before launchctl runs in a situation of a healthy day: for whoever plays eslogger. */
  onLaunchctl: ((args: readonly string[]) => void) | undefined;

  constructor(users: readonly string[] = ['alice', 'bob']) {
    const standIn = standInLaunchctl();
    if (standIn === undefined) throw new Error('no C compiler: cc, gcc and clang all failed');
    this.base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-mac-')));
    this.root = path.join(this.base, 'root');
    this.dataDir = path.join(this.base, 'data');
    for (const folder of [
      'bin',
      'private/tmp',
      'Library/LaunchAgents',
      'Library/LaunchDaemons',
      'System/Library/LaunchAgents',
    ]) {
      mkdirSync(path.join(this.root, folder), { recursive: true });
    }
    for (const user of users) mkdirSync(path.join(this.root, 'Users', user, 'Library'), { recursive: true });
    this.launchctl = path.join(this.root, 'bin', 'launchctl');
    copyFileSync(standIn, this.launchctl);
  }

  /** Where a macOS path stands on this machine. */
  host(macPath: string): string {
    return path.join(this.root, macPath);
  }

  write(macPath: string, content: string | Uint8Array): string {
    const file = this.host(macPath);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

export interface AgentStatus {
  /** Event time, microseconds, up to which everything has been judged. */
  readonly complete_through: number;
  readonly [field: string]: unknown;
}

/** Asks the daemon of a data folder over its socket. Rejects when it does not answer. */
export function control(dataDir: string, op: string, args?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path.join(dataDir, 'control.sock'));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify({ op, args })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      socket.end();
      const reply = JSON.parse(text) as { ok: boolean; result?: unknown; message?: string };
      if (reply.ok) resolve(reply.result);
      else reject(new Error(reply.message));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the daemon closed the connection')));
  });
}

/** Resolves with the first answer that is not undefined; rejects after `timeoutMs`, naming what was waited for. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 40_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface AgentOptions {
  readonly mac: SimulatedMac;
  /** Lines of the configuration file. */
  readonly config?: string;
  readonly arguments?: readonly string[];
  /** Another installation of it. */
  readonly program?: string;
}

/** The agent as a process of its own. */
export class AgentProcess {
  readonly child: ChildProcess;
  readonly mac: SimulatedMac;
  readonly exited: Promise<number | null>;
  log = '';

  private constructor(child: ChildProcess, mac: SimulatedMac) {
    this.child = child;
    this.mac = mac;
    child.stderr?.setEncoding('utf8');
    child.stderr?.on('data', (chunk: string) => {
      this.log = (this.log + chunk).slice(-200_000);
    });
    this.exited = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  }

  /**
   * Resolves once the agent says that it sees everything from now on. It looks at the caller's own processes alone, so
   * that simulations beside each other do not trigger one another.
   */
  static async start(options: AgentOptions): Promise<AgentProcess> {
    const { mac, config = '', arguments: more = [] } = options;
    const file = path.join(mac.base, 'config.toml');
    writeFileSync(file, config);
    const child = spawn(
      process.execPath,
      [
        ...[
          options.program ?? program,
          'run',
          '--config',
          file,
          '--root',
          mac.root,
          '--data-dir',
          mac.dataDir,
        ],
        ...['--root-scope', String(process.pid), ...more],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const agent = new AgentProcess(child, mac);
    await waitFor('the agent to be ready', async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the agent ended:\n${agent.log}`);
      try {
        return await agent.status();
      } catch {
        return undefined;
      }
    });
    return agent;
  }

  async status(): Promise<AgentStatus> {
    return (await control(this.mac.dataDir, 'status')) as AgentStatus;
  }

  /** Waits until everything that has happened up to this call has been judged and stored. */
  async settled(): Promise<void> {
    const now = Date.now() * 1000;
    await waitFor('the agent to judge what happened', async () =>
      (await this.status()).complete_through > now ? true : undefined,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

/** Runs the CLI and gives what it printed on standard output; throws when it failed. */
export function cli(mac: SimulatedMac, ...argv: readonly string[]): string {
  return execFileSync(process.execPath, [program, ...argv, '--data-dir', mac.dataDir], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, NO_COLOR: '1' },
  });
}

export interface ListedAlert {
  readonly id: string;
  readonly revision: number;
  readonly status: string;
  readonly severity: string;
  readonly risk_score: number;
  readonly rule_id: string;
  readonly rule_name: string;
  /** When it was committed, ISO 8601. */
  readonly created: string;
  /** The alert's document, as it is forwarded. */
  readonly doc: { readonly file?: { readonly path?: string }; readonly [field: string]: unknown };
}

/** The alerts whose subject is this file; one that merely lists it among its candidates is not. */
export function alertsAbout(alerts: readonly ListedAlert[], macPath: string): ListedAlert[] {
  return alerts.filter((alert) => alert.doc.file?.path === macPath);
}

/**
 * `launchwarden alerts list --json`, one document a line; without the alerts of built-in rules other than the source rules,
 * which would add theirs to what is counted.
 */
export function listAlerts(mac: SimulatedMac): ListedAlert[] {
  return allAlerts(mac).filter(({ doc }) => {
    const { file } = (doc['launchwarden'] as { rule?: { file?: string } } | undefined)?.rule ?? {};
    const isBuiltin = file?.startsWith('builtin/') === true;
    return !isBuiltin || sourceRuleFiles.some((name) => file === `builtin/${name}`);
  });
}

/** The same of all rules. */
export function allAlerts(mac: SimulatedMac): ListedAlert[] {
  return cli(mac, 'alerts', 'list', '--json', '--status', 'all', '--limit', '100000')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ListedAlert);
}
