import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FleetServer, type PolicyFiles } from './fleet.js';
import { AgentProcess, control, SimulatedMac, waitFor } from './mac.js';

export interface PolicyKillReport {
  readonly rounds: number;
  /** Rounds after which the newer version was in force. */
  readonly newer: number;
  readonly problems: readonly string[];
}

interface State {
  readonly current: { readonly version: number; readonly digest: string } | null;
}

/** A policy whose parts all say its version; every third is large. */
function filesOf(version: number): PolicyFiles {
  const size = version % 3 === 0 ? 20_000 : 20;
  const hashes = Array.from(
    { length: size },
    (_, n) => `${(version * 100_000 + n).toString(16).padStart(64, '0')}\n`,
  );
  return {
    'config.toml': `[retention]\nclosed_alerts = "${version + 10}d"\n`,
    'files/version.txt': `${version}\n`,
    'hashes/fleet.txt': hashes.join(''),
  };
}

/** What is in force on the disk after a kill: 0 for no policy. Throws for anything but one whole version. */
function wholeVersion(mac: SimulatedMac): number {
  const folder = path.join(mac.dataDir, 'policy');
  const file = path.join(folder, 'state.json');
  if (!existsSync(file)) return 0;
  const { current } = JSON.parse(readFileSync(file, 'utf8')) as State;
  if (current === null) return 0;
  const place = path.join(folder, `v${current.version}-${current.digest.slice(0, 12)}`);
  for (const [name, text] of Object.entries(filesOf(current.version)))
    if (readFileSync(path.join(place, name), 'utf8') !== text)
      throw new Error(`${name} is not that of version ${current.version}`);
  return current.version;
}

/**
 * Kills an agent at a random moment in which it puts a newer policy in force, `rounds` times. After each there must be one
 * whole version, and an agent that starts with it; at the end the newest one is taken up.
 */
export async function policyKillRounds(
  rounds: number,
  random: () => number = Math.random,
): Promise<PolicyKillReport> {
  const mac = new SimulatedMac();
  const fleet = await FleetServer.start(mac.base);
  const problems: string[] = [];
  let newer = 0;
  const asked = async (run: () => void) => {
    const before = fleet.requests;
    run();
    await waitFor('the agent to ask for the policy', () => (fleet.requests > before ? true : undefined));
  };
  const reload = () => void control(mac.dataDir, 'reload').catch(() => undefined);
  try {
    // How long it takes from the question to the policy in force, on this machine now.
    fleet.publish(1, filesOf(1));
    const first = await AgentProcess.start({ mac, config: fleet.config });
    await asked(reload);
    const begun = performance.now();
    await waitFor('the first version', () => (wholeVersion(mac) === 1 ? true : undefined));
    const usualMs = performance.now() - begun;
    await first.stop('SIGKILL');
    for (let round = 2; round <= rounds + 1; round++) {
      fleet.publish(round, filesOf(round));
      const agent = await AgentProcess.start({ mac, config: fleet.config });
      const { policy, config } = (await agent.status()) as unknown as {
        policy: { version: number | null };
        config: { refused: string | null };
      };
      const before = wholeVersion(mac);
      if ((policy.version ?? 0) !== before || config.refused !== null)
        problems.push(`round ${round}: the agent started with ${policy.version}, on the disk is ${before}`);
      await asked(reload);
      await new Promise((resolve) => setTimeout(resolve, random() * 2 * usualMs));
      await agent.stop('SIGKILL');
      try {
        const after = wholeVersion(mac);
        if (after === round) newer++;
        else if (after > round) problems.push(`round ${round}: version ${after} was never given out`);
      } catch (error) {
        problems.push(`round ${round}: ${String(error)}`);
      }
    }
    const last = rounds + 2;
    fleet.publish(last, filesOf(last));
    const agent = await AgentProcess.start({ mac, config: fleet.config });
    try {
      await control(mac.dataDir, 'reload');
      await waitFor('the last version', () => (wholeVersion(mac) === last ? true : undefined));
    } catch (error) {
      problems.push(String(error));
    } finally {
      await agent.stop('SIGKILL');
    }
    return { rounds, newer, problems };
  } finally {
    fleet.stop();
    mac.remove();
  }
}
