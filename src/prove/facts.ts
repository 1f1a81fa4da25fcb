import os from 'node:os';
import type { RunProgram } from './undo.js';

/** `macOS 26.1 (25B78) arm64`; elsewhere the kernel's name and release. */
export async function systemName(run: RunProgram, platform: NodeJS.Platform): Promise<string> {
  if (platform !== 'darwin') return `${os.type()} ${os.release()} ${os.arch()}`;
  const said = (await run('/usr/bin/sw_vers', [])).stdout;
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S{1,40})`, 'm').exec(said)?.[1] ?? 'unknown';
  return `macOS ${field('ProductVersion')} (${field('BuildVersion')}) ${os.arch()}`;
}
