import { existsSync, lstatSync } from 'node:fs';
import type { RootMap } from '../../base/root.js';
import { runTool } from '../../base/tool.js';

const launchctl = '/bin/launchctl';
const sudo = '/usr/bin/sudo';
const osascript = '/usr/bin/osascript';
const title = 'launchwarden';
const maxOutput = 64 * 1024;

/** The script is the same for every alert: the text comes as an argument and is never read as script. */
const script = [
  'on run argv',
  'display notification (item 1 of argv) with title (item 2 of argv) sound name "Funk"',
  'end run',
];

/** Owners of /dev/console that are nobody: root at the login window, and macOS's setup assistant (_mbsetupuser). */
const nobody: ReadonlySet<number> = new Set([0, 248]);

/** Why nothing can be shown on this machine, or in this tree; undefined when it can. */
export function whyNoDesktop(root: RootMap, platform: NodeJS.Platform): string | undefined {
  if (root.simulated)
    return existsSync(root.toHost(launchctl)) ? undefined : `the --root tree has no ${launchctl}`;
  return platform === 'darwin' ? undefined : 'notifications are shown by macOS alone';
}

/** The user in front of the screen; undefined when nobody is logged in there. */
export function consoleUser(root: RootMap): number | undefined {
  try {
    const { uid } = lstatSync(root.toHost('/dev/console'));
    return nobody.has(uid) ? undefined : uid;
  } catch {
    return undefined;
  }
}

/**
 * Shows one sentence to a user: `launchctl asuser` reaches the session, sudo gives root's rights up, and osascript shows
 * it (launchctl(1), osascript(1)). Undefined when it was handed over, else why not.
 */
export async function show(
  text: string,
  uid: number,
  how: { readonly root: RootMap; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { root, timeoutMs, signal } = how;
  const shown = [osascript, ...script.flatMap((line) => ['-e', line]), text, title];
  // An agent that is no root shows its own user's alone.
  const isRoot = process.geteuid?.() === 0;
  const own = root.simulated || isRoot;
  const [program, args] = own
    ? [launchctl, ['asuser', String(uid), sudo, '-n', '-u', `#${uid}`, '--', ...shown]]
    : [osascript, shown.slice(1)];
  const answer = await runTool(root.toHost(program), args, {
    timeoutMs,
    mostBytes: maxOutput,
    signal,
    unref: true,
  });
  if (answer.status === 0) return undefined;
  if (answer.status === null) return `${program} gave no answer`;
  const said = answer.stderr.trim().split('\n')[0] ?? '';
  return `${program} ended with ${answer.status}${said === '' ? '' : `: ${said.slice(0, 200)}`}`;
}
