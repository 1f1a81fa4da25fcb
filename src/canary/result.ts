import { parseTime } from '../base/time.js';

/** The links of the chain, in the order in which they are passed. */
export const canaryLinks = ['written', 'loaded', 'seen', 'judged', 'stored', 'delivered', 'removed'] as const;
export type CanaryLink = (typeof canaryLinks)[number];

/** One link, or one destination of the link `delivered`. */
export interface CanaryStep {
  readonly link: CanaryLink;
  /** Of `delivered` alone; absent where no destination gets alerts. */
  readonly destination?: string;
  readonly ok: boolean;
  /** ISO 8601; absent when it did not happen. */
  readonly at?: string;
  /** Milliseconds since the item was written. */
  readonly after_ms?: number;
  /** What is wrong, or what is to be known. */
  readonly detail?: string;
  /** What to do about it. */
  readonly cure?: string;
}

/** The step with its time counted from when the item was written; that time, ISO 8601. */
export function countedFrom(written: string | undefined, step: CanaryStep): CanaryStep {
  const from = written === undefined ? undefined : parseTime(written)?.time;
  const at = step.at === undefined ? undefined : parseTime(step.at)?.time;
  if (from === undefined || at === undefined) return step;
  return { ...step, after_ms: Math.max(0, Math.round((at - from) / 1000)) };
}

/** How a run ended, as it is kept and shown. */
export interface CanaryResult {
  readonly label: string;
  /** macOS path. */
  readonly path: string;
  readonly trigger: 'command' | 'schedule';
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  readonly ok: boolean;
  readonly steps: readonly CanaryStep[];
  /** Id of the alert about it. */
  readonly alert?: string;
  /** ISO 8601: the last run before that went through. */
  readonly last_ok?: string;
}

/** Key of the newest result in the store's `meta`. */
export const lastCanaryKey = 'canary.last';

/** The newest result of a data folder; undefined before the first run, and of one that cannot be read. */
export function lastCanary(store: {
  readonly meta: { get(key: string): string | undefined };
}): CanaryResult | undefined {
  const text = store.meta.get(lastCanaryKey);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<CanaryResult> | null;
    return typeof value?.ok === 'boolean' && Array.isArray(value.steps) ? (value as CanaryResult) : undefined;
  } catch {
    return undefined;
  }
}

/** The first link that broke. */
export function brokenStep({ steps }: Pick<CanaryResult, 'steps'>): CanaryStep | undefined {
  return steps.find(({ ok }) => !ok);
}

/** `delivered to "siem": refused`: why it failed, in one line; undefined when it did not. */
export function brokenText(result: Pick<CanaryResult, 'steps'>): string | undefined {
  const step = brokenStep(result);
  if (step === undefined) return undefined;
  const to = step.destination === undefined ? '' : ` to "${step.destination}"`;
  return `it was not ${step.link}${to}${step.detail === undefined ? '' : `: ${step.detail}`}`;
}
