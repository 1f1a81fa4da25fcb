export interface EsloggerOptions {
  readonly program: string;
  /** How long it may take to fail after its start, milliseconds; later it counts as running. */
  readonly startMs: number;
  /** Pause before it is started again, milliseconds: doubled each time up to the largest. */
  readonly firstPauseMs: number;
  readonly largestPauseMs: number;
  /** Runs shorter than this are failures, milliseconds; so many of them one after the other end the sensor. */
  readonly healthyMs: number;
  readonly mostFailures: number;
  /** How far behind the clock an idle sensor says "complete", milliseconds: what a line may take to arrive. */
  readonly lagMs: number;
  /**
   * Silence after which it is taken for stopped and replaced, milliseconds: on a Mac some process starts every few seconds.
   * Doubled each time that the next one is silent too, up to the largest.
   */
  readonly silentMs: number;
  readonly largestSilentMs: number;
  /** Silence after which it is looked whether somebody stopped it, milliseconds; then after twice as long, and so on. */
  readonly stoppedMs: number;
  /** Between two turns of the agent that lie further apart the machine slept, or the agent stood still: no silence. */
  readonly stallMs: number;
}

export const esloggerDefaults: EsloggerOptions = {
  program: '/usr/bin/eslogger',
  startMs: 500,
  firstPauseMs: 1_000,
  largestPauseMs: 60_000,
  healthyMs: 10_000,
  mostFailures: 5,
  lagMs: 100,
  silentMs: 120_000,
  largestSilentMs: 3_600_000,
  stoppedMs: 5_000,
  stallMs: 5_000,
};
