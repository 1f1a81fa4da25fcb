import type { Micros } from '../base/time.js';
import type { Candidate, Detection } from '../event/alert.js';
import type { Event } from '../event/event.js';
import { compareLinks } from './candidates.js';
import type { Held } from './flood.js';
import { type FileIdentity, fileIdentity } from './repeats.js';

/** An alert as it was told last; it may be told again with more. */
export interface Told {
  /** Of the alert; undefined when it is known from the store alone. */
  readonly id: string | undefined;
  readonly since: Micros;
  /** Undefined when `max_signals` held it back, or when it is known from the store alone. */
  detection: Detection | undefined;
  /** Its place in the summary when it was held back. */
  readonly held: Held | undefined;
}

// A detection does not grow without bound.
const maxCandidates = 4_000;

/**
 * The detection with the candidates that another process event brought: those that are new, and those that nobody had
 * named. `process` is kept with what it names. The same detection when nothing is new.
 */
export function withCandidates(
  detection: Detection,
  more: readonly Candidate[],
  process: Event | undefined,
): Detection {
  const own = detection.events.at(-1);
  const by = process === undefined || process.id === own?.id ? {} : { process };
  const before = new Map(detection.candidates.map((one) => [one.event.id, one]));
  let grew = false;
  for (const one of more) {
    const known = before.get(one.event.id);
    if (known !== undefined && (known.named || !one.named)) continue;
    before.set(one.event.id, one.named ? { ...one, ...by } : one);
    grew = true;
  }
  if (!grew) return detection;
  return { ...detection, candidates: [...before.values()].sort(compareLinks).slice(0, maxCandidates) };
}

/** Whether one of the candidates is the file, and named: same path, and no other content. */
export function isNamedIn(candidates: readonly Candidate[], event: Event): boolean {
  const file = fileIdentity(event);
  return candidates.some((one) => {
    if (!one.named) return false;
    if (one.event.id === event.id) return true;
    const [type, otherType] = [event.doc.file?.type, one.event.doc.file?.type];
    // A file that took the place of a link is another one.
    if (type !== undefined && otherType !== undefined && type !== otherType) return false;
    const other = fileIdentity(one.event);
    return file !== undefined && other !== undefined && isSameFile(file, other);
  });
}

function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.path === b.path && (a.sha256 === undefined || b.sha256 === undefined || a.sha256 === b.sha256);
}
