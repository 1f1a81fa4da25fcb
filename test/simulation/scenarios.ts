import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { type AgentProcess, launchAgentPlist, randomLabel, repository, type SimulatedMac } from './mac.js';
import { sourceRuleFiles } from './source-rule-files.js';

/** Attacks on a simulated Mac by real files and real processes, for the demo's bigger brothers. */

export interface LaunchAttack {
  readonly label: string;
  /** macOS path of the plist. */
  readonly path: string;
  /** Wall time in microseconds just before launchctl was started, and just after it ended. */
  readonly started: number;
  readonly ended: number;
}

const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

/** Runs the stand-in launchctl and waits for its end. */
export function launchctl(
  agent: AgentProcess,
  lifetimeMs: number,
  ...args: readonly string[]
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(agent.mac.launchctl, args, {
      stdio: 'ignore',
      env: { LAUNCHCTL_LIFETIME_MS: String(lifetimeMs) },
    });
    child.on('error', reject);
    child.on('exit', () => resolve());
  });
}

/** Writes a launch agent and loads it. */
export async function launchAttack(agent: AgentProcess, lifetimeMs: number): Promise<LaunchAttack> {
  const label = randomLabel();
  const macPath = `/Users/alice/Library/LaunchAgents/${label}.plist`;
  const file = agent.mac.write(macPath, launchAgentPlist(label));
  const started = now();
  await launchctl(agent, lifetimeMs, 'load', file);
  return { label, path: macPath, started, ended: now() };
}

const bundleSource = (agent: AgentProcess) => {
  const folder = agent.mac.host(`/private/tmp/${randomLabel()}.dsplug`);
  mkdirSync(path.join(folder, 'Contents/MacOS'), { recursive: true });
  mkdirSync(path.join(folder, 'Contents/Resources/en.lproj'), { recursive: true });
  writeFileSync(path.join(folder, 'Contents/Info.plist'), launchAgentPlist('bundle'));
  writeFileSync(path.join(folder, 'Contents/MacOS/plugin'), Buffer.alloc(256 * 1024, 1));
  writeFileSync(path.join(folder, 'Contents/Resources/en.lproj/InfoPlist.strings'), 'x');
  return folder;
};

async function slowCopy(folder: string, bytes: number, milliseconds: number): Promise<void> {
  mkdirSync(path.join(folder, 'Contents/MacOS'), { recursive: true });
  const file = openSync(path.join(folder, 'Contents/MacOS/plugin'), 'w');
  const slices = 50;
  for (let slice = 0; slice < slices; slice++) {
    writeSync(file, Buffer.alloc(Math.floor(bytes / slices), slice));
    await new Promise((resolve) => setTimeout(resolve, milliseconds / slices));
  }
  closeSync(file);
}

/** The ways in which a plug-in comes to stand in PlugIns. Each must give exactly one alert. */
export const bundleWays: Readonly<Record<string, (agent: AgentProcess, target: string) => Promise<void>>> = {
  async 'cp -R'(agent, target) {
    execFileSync('cp', ['-R', bundleSource(agent), target]);
  },
  async 'cp -a'(agent, target) {
    execFileSync('cp', ['-a', bundleSource(agent), target]);
  },
  async tar(agent, target) {
    const source = bundleSource(agent);
    const renamed = path.join(path.dirname(source), path.basename(target));
    renameSync(source, renamed);
    const archive = `${renamed}.tar`;
    execFileSync('tar', ['-cf', archive, '-C', path.dirname(renamed), path.basename(renamed)]);
    execFileSync('tar', ['-xf', archive, '-C', path.dirname(target)]);
    rmSync(archive);
  },
  async mv(agent, target) {
    execFileSync('mv', [bundleSource(agent), target]);
  },
  async 'slow copy of 100 MB'(_agent, target) {
    await slowCopy(target, 100 * 1024 * 1024, 5_000);
  },
};

/** Puts a plug-in in place the given way; gives its macOS path. */
export async function bundleAttack(agent: AgentProcess, way: string): Promise<string> {
  const plugIns = '/Library/DirectoryServices/PlugIns';
  mkdirSync(agent.mac.host(plugIns), { recursive: true });
  const macPath = `${plugIns}/${randomLabel()}.dsplug`;
  const copy = bundleWays[way];
  if (copy === undefined) throw new Error(`no way "${way}"`);
  await copy(agent, agent.mac.host(macPath));
  return macPath;
}

/**
 * Configuration lines that run the source rules alone, without their limit of 100 alerts in 5 minutes: for runs that make
 * more than that.
 */
export function unlimitedRules(mac: SimulatedMac): string {
  const source = path.join(repository, 'src', 'rules', 'builtin');
  const target = path.join(mac.base, 'rules');
  mkdirSync(target, { recursive: true });
  for (const name of sourceRuleFiles) {
    const text = readFileSync(path.join(source, name), 'utf8');
    writeFileSync(path.join(target, name), text.replace(/^max_signals = 100$/m, 'max_signals = 10000'));
  }
  return `[rules]\nbuiltin = false\nfolders = [${JSON.stringify(target)}]\n`;
}

/** Written, loaded and deleted, all within about `lifetimeMs` and a few milliseconds. */
export async function vanishingAttack(agent: AgentProcess, lifetimeMs: number): Promise<LaunchAttack> {
  const attack = await launchAttack(agent, lifetimeMs);
  rmSync(agent.mac.host(attack.path));
  return attack;
}
