export interface EndpointSecurityOptions {
  /** Megabytes of messages that may wait while JavaScript is busy; the rest is dropped, and counted as a gap. */
  readonly queueMb: number;
  /** How often new homes are looked for, milliseconds. */
  readonly homesMs: number;
  /** How far behind the clock an idle sensor says "complete", milliseconds: what a message may take to arrive. */
  readonly lagMs: number;
}

export const endpointSecurityDefaults: EndpointSecurityOptions = { queueMb: 32, homesMs: 1_000, lagMs: 40 };
