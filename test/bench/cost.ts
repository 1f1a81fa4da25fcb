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

/** Resolves once the memory of a process stays as it is: V8 gives back what it had for work some seconds after it. */
export async function comeToRest(pid: number): Promise<void> {
  const readings: number[] = [];
  for (let second = 0; second < 60; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    readings.push(residentMegabytes(pid));
    const last = readings.slice(-10);
    if (last.length === 10 && Math.max(...last) - Math.min(...last) < 0.5) return;
  }
}
