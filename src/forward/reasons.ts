/** What went wrong with a stream last, and when (milliseconds since 1970). */
export interface Trouble {
  readonly kind: 'failing' | 'unauthorized' | 'misconfigured' | 'rejecting' | 'dead' | 'parked';
  /** What the receiver, or the way to it, said. */
  readonly reason: string;
  readonly at: number;
}

const states: Record<Trouble['kind'], readonly [what: string, advice: string]> = {
  failing: ['cannot be reached or cannot take documents now', 'they wait and are sent by themselves'],
  unauthorized: [
    'refuses our credentials or our rights',
    'check them; "launchwarden forward retry" tries at once',
  ],
  misconfigured: [
    'refuses how or where documents are sent',
    'check its address and settings; "launchwarden forward retry" tries at once',
  ],
  rejecting: [
    'rejects documents',
    'they wait until it takes others of their kind; check what it expects, then run "launchwarden forward retry"',
  ],
  dead: [
    'rejects this document and accepts others',
    'mend its mapping or schema, then run "launchwarden outbox dead retry"',
  ],
  parked: ['cannot be set up', 'mend that; it is tried again by itself'],
};

/** One sentence: which receiver, what it said, what to do. */
export function sentence(kind: Trouble['kind'], reason: string, receiver: string): string {
  const [what, advice] = states[kind];
  return `"${receiver}" ${what}: ${reason.trim().replace(/[.;]$/, '')}; ${advice}`;
}
