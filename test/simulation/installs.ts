import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { StandInLaunchd } from './launchd.js';
import { control, program, type SimulatedMac, waitFor } from './mac.js';

/** Installations in a tree, driven by the command line as an administrator does, and killed in between. */

export const label = 'com.launchwarden.agent';
const home = '/Library/Application Support/launchwarden';
export const installedData = `${home}/data`;

export interface CommandRun {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OnTreeOptions {
  /** Ends it by SIGKILL. */
  readonly killAfterMs?: number;
  /** The folder of the version that is run; this checkout's program when absent. */
  readonly version?: string | undefined;
}

/** Runs a command on the tree. This process goes on meanwhile: launchd may be in it. */
export function onTree(
  root: string,
  argv: readonly string[],
  { killAfterMs, version }: OnTreeOptions = {},
): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const [node, script] =
      version === undefined
        ? [process.execPath, program]
        : [path.join(version, 'node'), path.join(version, 'app/bin/launchwarden.js')];
    const child = spawn(node, [script, ...argv, '--root', root], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
      // A group of its own, so that what it has started ends with it, as at a power cut.
      detached: true,
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (chunk: string) => {
        said[name] += chunk;
      });
    }
    const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
    child.on('error', reject);
    child.on('exit', () => clearTimeout(timer));
    // A child of a killed one may hold the pipes for a while.
    child.on('exit', (code) => {
      const done = () => resolve({ code, ...said });
      if (code === null) done();
      else child.on('close', done);
    });
  });
}

/** What the agent of the tree says of itself; undefined when none answers. */
export async function agentOf(root: string): Promise<{ version: string; pid: number } | undefined> {
  try {
    return (await control(path.join(root, installedData), 'status')) as { version: string; pid: number };
  } catch {
    return undefined;
  }
}

/** Every file, folder and link of a tree with its mode, owner and content: two equal texts are equal trees. */
export function treeText(root: string): string {
  const lines: string[] = [];
  const pending = [''];
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const name of readdirSync(path.join(root, next)).sort()) {
      const inside = `${next}/${name}`;
      const facts = lstatSync(path.join(root, inside));
      const what = facts.isDirectory()
        ? 'folder'
        : facts.isSymbolicLink()
          ? readlinkSync(path.join(root, inside))
          : createHash('sha256')
              .update(readFileSync(path.join(root, inside)))
              .digest('hex');
      lines.push(`${inside} ${facts.mode.toString(8)} ${facts.uid}:${facts.gid} ${what}`);
      if (facts.isDirectory()) pending.push(inside);
    }
  return lines.sort().join('\n');
}

/**
 * Makes a payload from an installed version: the same files by another name, but for its version number and a small `node`
 * that starts the one of this machine. `change` may change more; a file is to be removed before it is written anew.
 */
export function makePayload(
  installed: string,
  payload: string,
  version: string,
  change: (app: string) => void = () => {},
): string {
  linkTree(installed, payload);
  for (const name of ['manifest.json', 'node', 'app/package.json']) rmSync(path.join(payload, name));
  writeFileSync(path.join(payload, 'node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
  chmodSync(path.join(payload, 'node'), 0o755);
  const text = readFileSync(path.join(installed, 'app/package.json'), 'utf8');
  writeFileSync(
    path.join(payload, 'app/package.json'),
    JSON.stringify({ ...(JSON.parse(text) as object), version }),
  );
  change(path.join(payload, 'app'));
  return payload;
}

function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  }
}

/** The folder of the version that `current` leads to; undefined when there is none. */
export function currentFolder(root: string): string | undefined {
  const link = path.join(root, home, 'current');
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) return undefined;
  return path.join(root, home, readlinkSync(link));
}

/** How a version's folder differs from its own manifest. */
function damage(folder: string): string[] {
  const manifest = path.join(folder, 'manifest.json');
  if (!existsSync(manifest)) return ['there is no manifest'];
  const { files } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    files: readonly { path: string; sha256?: string; link?: string }[];
  };
  return files.flatMap(({ path: name, sha256, link }) => {
    const file = path.join(folder, name);
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return [`${name} is missing`];
    if (link !== undefined) return readlinkSync(file) === link ? [] : [`${name} leads elsewhere`];
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    return hash === sha256 ? [] : [`${name} is not whole`];
  });
}

/** Two versions that can be installed, made from this checkout. */
export async function twoPayloads(mac: SimulatedMac): Promise<readonly [string, string]> {
  const tree = path.join(mac.base, 'payload-tree');
  mkdirSync(tree);
  const done = await onTree(tree, ['install']);
  const whole = currentFolder(tree);
  if (done.code !== 0 || whole === undefined) throw new Error(`no payload can be made: ${done.stderr}`);
  const of = (version: string) => makePayload(whole, path.join(mac.base, `payload-${version}`), version);
  return [of('1.0.0'), of('1.1.0')];
}

export interface InstallKillReport {
  readonly rounds: number;
  /** Rounds in which the command was killed before its end. */
  readonly cutOff: number;
  /** How often the Mac that was started afterwards had an agent. */
  readonly started: number;
  readonly problems: readonly string[];
}

/**
 * Installs, upgrades and uninstalls at random, killed at a random moment each; then the Mac is started anew. There is either
 * no job, or one whose agent starts, from one whole version. Now and then an installation is carried through, and at the end
 * everything is removed: the tree is then what it was.
 */
export async function installKillRounds(
  mac: SimulatedMac,
  payloads: readonly [string, string],
  rounds: number,
): Promise<InstallKillReport> {
  const { root } = mac;
  const launchd = await StandInLaunchd.start(root);
  const problems: string[] = [];
  const counts = { cutOff: 0, started: 0 };
  const before = treeText(root);
  const commands = [
    ...payloads.flatMap((from) => [
      ['install', '--from', from],
      ['upgrade', '--from', from],
    ]),
    ['uninstall'],
    ['uninstall', '--purge'],
  ];
  let longest = 3_000;
  try {
    for (let round = 0; round < rounds; round++) {
      const argv = commands[Math.floor(Math.random() * commands.length)] ?? [];
      const said = `round ${round} (${argv.join(' ')})`;
      const begun = performance.now();
      const done = await onTree(root, argv, { killAfterMs: Math.random() * longest });
      if (done.code === null) counts.cutOff++;
      else longest = Math.max(1_000, (performance.now() - begun) * 0.9);
      await launchd.halt();
      const job = path.join(root, 'Library/LaunchDaemons', `${label}.plist`);
      const current = currentFolder(root);
      if (current !== undefined)
        for (const one of damage(current).slice(0, 3)) problems.push(`${said}: ${current}: ${one}`);
      launchd.boot();
      if (existsSync(job)) {
        const pid = await launchd.running(label).catch(() => undefined);
        const agent = await waitFor('the agent to be ready', () => agentOf(root)).catch(() => undefined);
        if (pid === undefined || agent === undefined)
          problems.push(
            `${said}: there is a job, and no agent starts; process ${pid}, ${current}; ${launchd.asked.slice(-6).join(', ')}`,
          );
        else counts.started++;
      }
      if (round % 4 !== 3) continue;
      const from = payloads[round % 8 === 3 ? 0 : 1];
      const whole = await onTree(root, ['install', '--from', from]);
      if (whole.code !== 0) problems.push(`${said}: install afterwards: ${whole.stderr}${whole.stdout}`);
      else if ((await agentOf(root)) === undefined) problems.push(`${said}: installed, and no agent answers`);
    }
    const end = await onTree(root, ['uninstall', '--purge']);
    if (end.code !== 0) problems.push(`at the end: uninstall: ${end.stderr}`);
    const after = treeText(root);
    if (after !== before) problems.push(`at the end the tree is another one:\n${difference(before, after)}`);
  } finally {
    await launchd.stop();
  }
  return { rounds, ...counts, problems };
}

/** The lines that only one of two texts has. */
export function difference(before: string, after: string): string {
  const [old, now] = [new Set(before.split('\n')), new Set(after.split('\n'))];
  return [
    ...[...old].filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...[...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ].join('\n');
}
