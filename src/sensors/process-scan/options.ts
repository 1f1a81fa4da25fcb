/** How hard the scanner looks. Defaults: what was measured to catch lives of 5 ms at little cost (README, "Figures"). */
export interface ProcessScanOptions {
  /** Most milliseconds between two looks of the native scanner, 0.2 to 1,000: wake-ups that come late are asked for sooner. */
  readonly periodMs: number;
  /** The same while no process was born for a second and no watched file changed for a minute. */
  readonly quietPeriodMs: number;
  /** Share of one core above which the native scanner stretches its period, 0.001 to 1. */
  readonly cpuShare: number;
  /** Megabytes of records that may wait while JavaScript is busy; the rest is dropped, and counted as a gap. */
  readonly queueMb: number;
  /** Milliseconds between two lists of the fallback, which starts a `ps` each time. */
  readonly fallbackPeriodMs: number;
}

/** XNU logs a process that wakes up more than 150 times a second, averaged over 300 s (task_wakeups_rate). */
const quietPeriodMs = process.platform === 'darwin' ? 7.5 : 6;

export const processScanDefaults: ProcessScanOptions = {
  periodMs: 4.5,
  quietPeriodMs,
  cpuShare: 0.1,
  queueMb: 16,
  fallbackPeriodMs: 1_000,
};
