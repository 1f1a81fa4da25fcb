import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readService, type ServiceAnswer } from '../sensors/launchd-state/index.js';
import { labelPrefix } from './journal.js';
import { launchctl, launchPlist } from './launch-job.js';
import type { ProveSystem } from './system.js';

/** `com.launchwarden.prove.3f9a01b2`: never the same twice. */
export function newLabel(): string {
  return labelPrefix + randomBytes(4).toString('hex');
}

export interface TemporaryItem {
  readonly label: string;
  /** Path of this machine. */
  readonly file: string;
  /** Exit status of the launchctl that loaded it. */
  readonly status: number | null;
  readonly errorText: string;
}

export interface ItemWish {
  readonly label: string;
  /** What stands in the file. */
  readonly content: string | Uint8Array;
  readonly folder: string;
  /** Of the file; a random one when absent. */
  readonly name?: string;
  /** Where launchctl is told that the file is, when that is another path. */
  readonly through?: string;
  /** `load` is the legacy form. */
  readonly verb?: 'bootstrap' | 'load';
}

/** Writes a launch item into a folder of ours and has launchd load it; it is booted out when the question has ended. */
export async function loadItem(system: ProveSystem, wish: ItemWish): Promise<TemporaryItem> {
  const {
    label,
    content,
    folder,
    name = `${randomBytes(4).toString('hex')}.plist`,
    verb = 'bootstrap',
  } = wish;
  const file = path.join(folder, name);
  const { through = file } = wish;
  writeFileSync(file, content, { mode: 0o644 });
  system.willUndo({ kind: 'job', file, label });
  const args = verb === 'load' ? ['load', through] : ['bootstrap', 'system', through];
  const { status, stderr } = await system.run(launchctl, args);
  return { label, file, status, errorText: stderr.trim() };
}

/** What launchd says of a job of the domain `system`. */
export async function askLaunchd(
  system: ProveSystem,
  label: string,
): Promise<{ readonly answer: ServiceAnswer; readonly text: string; readonly status: number | null }> {
  const target = `system/${label}`;
  const said = await system.run(launchctl, ['print', target]);
  return { answer: readService(said, target), text: said.stdout, status: said.status };
}

const jobLimitMs = 20_000;
const pollMs = 50;

/**
 * Runs a script of Node.js once as a launchd job that is set up as ours is, and gives what it printed. Rejects when it
 * has printed nothing that ends with a line feed within 20 s.
 */
export async function runAsJob(
  system: ProveSystem,
  script: string,
): Promise<{ readonly text: string; readonly label: string }> {
  const folder = system.folder();
  const label = newLabel();
  const output = path.join(folder, 'output');
  const keys = {
    Label: label,
    ProgramArguments: [system.node, '-e', script],
    RunAtLoad: true,
    ProcessType: 'Interactive',
    LegacyTimers: true,
    StandardOutPath: output,
    StandardErrorPath: path.join(folder, 'errors'),
  };
  const { status, errorText } = await loadItem(system, { label, content: launchPlist(keys), folder });
  const end = system.monotonic() + jobLimitMs;
  for (;;) {
    const text = existsSync(output) ? readFileSync(output, 'utf8').slice(0, 64 * 1024) : '';
    if (text.endsWith('\n')) return { text, label };
    if (system.monotonic() > end)
      throw new Error(
        `a launchd job of ours printed nothing within ${jobLimitMs / 1000} s (launchctl bootstrap ended with ${status}: ${errorText})`,
      );
    await system.wait(pollMs);
  }
}
