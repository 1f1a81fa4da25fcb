import { lstatSync, readFileSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { clip, escapeText } from '../base/escape.js';
import { readJob } from './launchctl.js';
import type { Surroundings } from './parts.js';
import { jobProgram, onThisMachine, placed, places } from './places.js';
import type { Written } from './state.js';
import { goOn } from './steps.js';
import type { CommandResult } from './system.js';

const pauseMs = 500;
/** An agent with a large store and a busy machine takes some seconds to be ready. */
const readyMs = 120_000;
/** So many polls that show an ended job, or so many starts, and it is not waited for any more. */
const mostDown = 4;
const mostRuns = 3;
const startMs = 60_000;
/** How long its chain may take, and the whole command: a Mac that was just set up is busy for a while. */
const chain = '120s';
const canaryMs = 240_000;

/** Waits until the agent that launchd runs answers with this version. Throws `install/not-ready` with the reason, `install/interrupted`. */
export async function waitReady(
  at: Surroundings,
  version: string,
  { dataDir, signal }: { readonly dataDir: string; readonly signal?: AbortSignal | undefined },
): Promise<'done'> {
  const { system, launchctl, parts } = at;
  if (launchctl === undefined) return 'done';
  let down = 0;
  let seen: string | undefined;
  for (let waited = 0; waited < readyMs; waited += pauseMs) {
    goOn(signal);
    const agent = await parts.agent(dataDir).catch(() => undefined);
    const job = readJob(system, launchctl);
    if (agent?.version === version && (job.pid === undefined || job.pid === agent.pid)) return 'done';
    seen = agent?.version;
    const ended = job.loaded === true && job.pid === undefined && job.lastExit !== undefined;
    down = ended ? down + 1 : 0;
    const again = job.lastExit !== undefined && (job.runs ?? 0) >= mostRuns;
    if (down >= mostDown || again) throw notReady(`it ended with ${job.lastExit}`, at);
    if (job.loaded === false) throw notReady('launchd has unloaded its job', at);
    await system.wait(pauseMs);
  }
  throw notReady(
    seen === undefined
      ? `it did not say so within ${readyMs / 1_000} s`
      : `version ${seen} answers, not ${version}`,
    at,
  );
}

function notReady(reason: string, { root }: Surroundings): UserError {
  const said = lastLine(placed(places.crashLog, root));
  return new UserError(
    'install/not-ready',
    `the agent did not become ready: ${reason}${said === undefined ? '' : `; its last words: ${said}`}`,
    { hint: `Its logs: ${placed(places.log, root)} and ${placed(places.crashLog, root)}.` },
  );
}

function lastLine(file: string): string | undefined {
  const most = 1024 * 1024;
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts?.isFile() !== true || facts.size > most) return undefined;
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  // Of a crash the line after it says what happened.
  const at = lines.findLastIndex((line) => line.includes('launchwarden:'));
  const last = at === -1 ? lines.at(-1) : lines.slice(at, at + 2).join(' ');
  return last === undefined ? undefined : escapeText(clip(last, 300));
}

/** What a program that is about to be installed says of itself. */
export interface Said {
  readonly version: string;
  /** Schemas of the databases that it knows. */
  readonly schemas: { readonly main: number; readonly events: number } | undefined;
}

/** Starts a placed version without touching anything: it loads its native parts. Throws `install/broken-version`. */
export function tryVersion({ system }: Surroundings, folder: string, version: string): Said {
  const result = system.run(
    `${folder}/node`,
    [`${folder}/app/bin/launchwarden.js`, 'version', '--check', '--json'],
    startMs,
  );
  const said = documentOf(result.stdout);
  if (result.status !== 0 || said === undefined)
    throw broken(version, `it does not start${reasonOf(result)}`);
  if (said['version'] !== version) throw broken(version, `it says that it is ${String(said['version'])}`);
  const { main, events } = (said['schemas'] ?? {}) as Record<string, unknown>;
  return {
    version,
    schemas: typeof main === 'number' && typeof events === 'number' ? { main, events } : undefined,
  };
}

function broken(version: string, reason: string): UserError {
  return new UserError('install/broken-version', `${version} cannot be installed: ${escapeText(reason)}`, {
    hint: 'Nothing was changed. Fetch it again, or one for this Mac and its processor.',
  });
}

function reasonOf({ status, stderr }: CommandResult): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line =
    documentOf(lines.at(-1) ?? '')?.['message'] ?? lines.find((one) => /error|cannot/i.test(one)) ?? lines[0];
  const end = status === null ? ' (it did not end)' : '';
  return line === undefined ? `${end}: it said nothing` : `${end}: ${clip(String(line), 300)}`;
}

function documentOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, unknown> | null;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Links of the canary's chain that are the agent's; the others are this Mac's and the destinations'. */
const agentLinks = new Set(['seen', 'judged', 'stored']);

/**
 * Has the installed agent prove itself by its canary. A destination that does not answer, or a launchd that takes no job, says
 * nothing against the agent and is no failure. Throws `install/canary-failed`.
 */
export function proveByCanary(at: Surroundings, written: Written): 'done' | { readonly skipped: string } {
  const { system, root } = at;
  const result = system.run(
    placed(jobProgram.node, root),
    [
      placed(jobProgram.script, root),
      'canary',
      '--json',
      ...['--timeout', chain],
      ...(written.config === undefined ? [] : ['--config', onThisMachine(written.config, root)]),
      ...(written.dataDir === undefined ? [] : ['--data-dir', onThisMachine(written.dataDir, root)]),
      ...(root === undefined ? [] : ['--root', root]),
    ],
    canaryMs,
  );
  if (result.status === 0) return 'done';
  if (result.stderr.includes('cli/unknown-command')) return { skipped: 'this version has no canary' };
  const steps = documentOf(result.stdout)?.['steps'];
  const broken = (Array.isArray(steps) ? (steps as unknown[]) : [])
    .map((one) => (one ?? {}) as Record<string, unknown>)
    .filter((one) => one['ok'] === false);
  const isAgents = broken.length === 0 || broken.some(({ link }) => agentLinks.has(String(link)));
  const reason = broken
    .map(({ link, detail }) => `it was not ${String(link)}: ${escapeText(clip(String(detail ?? ''), 200))}`)
    .join('; ');
  if (!isAgents) return { skipped: `the agent saw it, but ${reason}` };
  throw new UserError(
    'install/canary-failed',
    `the agent did not prove itself by its canary${reason === '' ? reasonOf(result) : `: ${reason}`}`,
    {
      hint: '"launchwarden status" and "launchwarden coverage" say what an agent does not see; --skip-canary does without it.',
    },
  );
}
