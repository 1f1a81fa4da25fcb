import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type AgentProcess, launchAgentPlist, program, type SimulatedMac, waitFor } from './mac.js';

export interface RespondKillReport {
  readonly rounds: number;
  /** Rounds in which the response was killed while it was under way. */
  readonly cutOff: number;
  /** Of those the ones in which it was being undone. */
  readonly undoCutOff: number;
  readonly quarantined: number;
  readonly restored: number;
  readonly problems: readonly string[];
}

interface Journal {
  readonly id: string;
  readonly time: number;
  readonly state: 'under way' | 'ended';
}

/** As they stand on the disk, the newest first: asking the program each time would take minutes. */
function journals(mac: SimulatedMac): Journal[] {
  const folder = path.join(mac.dataDir, 'respond');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => {
      const lines = readFileSync(path.join(folder, name), 'utf8').split('\n');
      const plan = /"time":(\d+)/.exec(lines[0] ?? '')?.[1];
      if (plan === undefined) return [];
      const last = lines.findLast((line) => /^\{"(?:ended|unended|undoing)":/.test(line)) ?? '';
      const state = /^\{"(?:ended|unended)":/.test(last) ? ('ended' as const) : ('under way' as const);
      return [{ id: name.replace('.ndjson', ''), time: Number(plan), state }];
    })
    .sort((a, b) => b.time - a.time);
}

const macPath = '/Users/alice/Library/LaunchAgents/com.example.kill.plist';
const text = launchAgentPlist('com.example.kill');

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a command and kills it within some milliseconds of its first sign of work, a journal that grows. */
async function killed(mac: SimulatedMac, ...argv: readonly string[]): Promise<void> {
  const folder = path.join(mac.dataDir, 'respond');
  const sizeOf = () =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.ndjson'))
          .reduce((sum, name) => sum + lstatSync(path.join(folder, name)).size, 0)
      : 0;
  const before = sizeOf();
  const child = spawn(process.execPath, [program, ...argv, '--root', mac.root, '--data-dir', mac.dataDir], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  while (isAlive() && sizeOf() === before) await pause(0.2);
  await pause(Math.random() * 12);
  child.kill('SIGKILL');
  await ended;
}

/**
 * Quarantines a file and undoes that, in turns, killed at a random moment of each; the next start of the agent must finish
 * it. The file is always in one place alone, whole.
 */
export async function respondKillRounds(
  mac: SimulatedMac,
  start: () => Promise<AgentProcess>,
  rounds: number,
): Promise<RespondKillReport> {
  const problems: string[] = [];
  const counts = { cutOff: 0, undoCutOff: 0, quarantined: 0, restored: 0 };
  // There is a data folder once an agent has run.
  await (await start()).stop();
  const list = () => journals(mac);
  const isUnderWay = ({ state }: Journal) => state === 'under way';
  mac.write(macPath, text);
  for (let round = 0; round < rounds; round++) {
    const inside = !existsSync(mac.host(macPath));
    const last = list()[0]?.id ?? '';
    await (inside ? killed(mac, 'respond', 'undo', last) : killed(mac, 'respond', 'quarantine', macPath));
    const cutOff = list().some(isUnderWay);
    if (cutOff) counts.cutOff++;
    if (cutOff && inside) counts.undoCutOff++;
    const agent = await start();
    await waitFor('the response to be finished', () => (list().some(isUnderWay) ? undefined : true)).catch(
      () => problems.push(`round ${round}: not finished`),
    );
    await agent.stop('SIGKILL');
    const outside = existsSync(mac.host(macPath));
    const boxes = path.join(mac.dataDir, 'respond', 'quarantine');
    const boxed = (existsSync(boxes) ? readdirSync(boxes) : [])
      .map((box) => path.join(boxes, box, 'object'))
      .filter((one) => existsSync(one));
    if (Number(outside) + boxed.length !== 1)
      problems.push(
        `round ${round}: ${outside ? 'at its place' : 'gone'}, and ${boxed.length} times in the quarantine`,
      );
    for (const one of outside ? [mac.host(macPath)] : boxed)
      if (readFileSync(one, 'utf8') !== text) problems.push(`round ${round}: ${one} is not whole`);
    const beside = readdirSync(path.dirname(mac.host(macPath))).filter((name) =>
      name.startsWith('.launchwarden'),
    );
    if (beside.length > 0) problems.push(`round ${round}: ${beside.join(', ')} is left beside its place`);
    // Once it was journaled it is carried through.
    if (cutOff && outside !== inside) problems.push(`round ${round}: it was begun and not carried through`);
    if (outside) counts.restored++;
    else counts.quarantined++;
    if (Number(outside) + boxed.length === 0) mac.write(macPath, text);
  }
  rmSync(mac.host(macPath), { force: true });
  return { rounds, ...counts, problems };
}
