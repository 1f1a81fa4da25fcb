import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether what another process costs can be read on this system. */
export const costsKnown = existsSync('/proc/self/schedstat');

/** Seconds of processor time that a process has used, all threads that it has now; exact to the nanosecond (proc(5)). */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return nanoseconds / 1e9;
}

export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}

/**
 * Until an agent that had work is idle: after a watched file changed it is attentive for a minute, and V8 gives back the
 * memory that it had for work some seconds after it.
 */
export async function comeToRest(): Promise<void> {
  // Both follow the clock, and nothing outside tells when they are over.
  await new Promise((resolve) => setTimeout(resolve, 75_000));
}
