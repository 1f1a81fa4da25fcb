import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { HostFields } from '../event/document.js';

export interface HostFactsOptions {
  /** Stable identity of this machine, kept by the caller. */
  readonly hostId: string;
  /** Events are made from a folder that stands for a Mac. */
  readonly simulated: boolean;
}

/** `host.*` of every event, gathered once. In a simulation the machine's own system is not what the events are about. */
export function hostFacts({ hostId, simulated }: HostFactsOptions): HostFields {
  const name = os.hostname();
  const macos = {
    type: 'macos',
    family: 'macos',
    platform: 'macos',
    name: 'macOS',
    Ext: { variant: 'macOS' },
  };
  const host: HostFields = { id: hostId, name, hostname: name, architecture: architecture() };
  if (simulated || process.platform !== 'darwin') return { ...host, os: macos };
  const version = output('/usr/bin/sw_vers', ['-productVersion']);
  const kernel = os.version();
  return {
    ...host,
    ...addresses(),
    os: { ...macos, ...(version === undefined ? {} : { version, full: `macOS ${version}` }), kernel },
  };
}

function architecture(): string {
  return os.arch() === 'x64' ? 'x86_64' : os.arch();
}

function addresses(): Pick<HostFields, 'ip' | 'mac'> {
  const all = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  const mac = new Set(all.map((one) => one.mac).filter((one) => one !== '00:00:00:00:00:00'));
  return {
    ip: [...new Set(all.map((one) => one.address))].slice(0, 64),
    // As ECS writes them: upper case, hyphens.
    mac: [...mac].slice(0, 64).map((one) => one.toUpperCase().replaceAll(':', '-')),
  };
}

function output(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, [...args], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
