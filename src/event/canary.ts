import type { EcsDocument } from './document.js';

/** How the label of the canary's own launch item begins; nothing else has a reason to be called so. */
export const canaryLabelPrefix = 'com.launchwarden.canary.';

/** What an alert about the canary is settled with: `launchwarden.alert.settled.reason`. */
export const canaryReason = 'canary';

/** One item that the agent announced: until then, microseconds, what is seen of exactly this content is the canary. */
export interface AnnouncedCanary {
  readonly label: string;
  /** macOS path. */
  readonly path: string;
  readonly sha256: string;
  readonly from: number;
  readonly until: number;
}

const objects = (value: unknown): EcsDocument[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];

/** Whether a file event is about the announced item as it was announced. Its removal says nothing of a content. */
export function isCanaryFile(doc: EcsDocument, canary: AnnouncedCanary): boolean {
  if (doc.file?.path !== canary.path) return false;
  const types: unknown = doc.event?.type;
  const removed = Array.isArray(types) && types.includes('deletion');
  return removed || doc.file.hash?.sha256 === canary.sha256;
}

/**
 * Whether an alert is about an announced canary and nothing else: every file that it names is that one with that content,
 * every launchctl call names it, and there is at least one of them. Whoever writes or loads anything else within the same
 * minute gets an alert that stays open.
 */
export function isCanaryAlert(
  doc: EcsDocument,
  time: number,
  announced: readonly AnnouncedCanary[],
): AnnouncedCanary | undefined {
  return announced.find((canary) => time >= canary.from && time <= canary.until && isAboutAlone(doc, canary));
}

function isAboutAlone(doc: EcsDocument, canary: AnnouncedCanary): boolean {
  const alert = (doc.launchwarden?.['alert'] ?? {}) as {
    kind?: unknown;
    candidates?: unknown;
    candidate_count?: unknown;
  };
  if (alert.kind !== 'match') return false;
  const candidates = objects(alert.candidates) as { path?: unknown; sha256?: unknown }[];
  if (Number(alert.candidate_count ?? 0) > candidates.length) return false;
  const isOurs = ({ path, sha256 }: { path?: unknown; sha256?: unknown }) =>
    path === canary.path && (sha256 === undefined || sha256 === canary.sha256);
  if (!candidates.every(isOurs)) return false;
  const events = objects(doc['Events']);
  if (events.length === 0) return false;
  return events.every((event) => {
    if (event.file !== undefined) return isCanaryFile(event, canary);
    if (event.process !== undefined) return namesAlone(event, canary);
    return event.launchwarden?.job?.label === canary.label;
  });
}

/** One of the calls by which the canary is loaded and taken away, word by word. */
function namesAlone({ process }: EcsDocument, { path, label }: AnnouncedCanary): boolean {
  const args: unknown = process?.args;
  if (process?.name !== 'launchctl' || !Array.isArray(args)) return false;
  const [verb, ...rest] = args.slice(1) as readonly unknown[];
  const [target, file] = rest;
  switch (verb) {
    case 'load':
      return rest.length === 1 && target === path;
    case 'bootstrap':
      return rest.length === 2 && target === 'system' && file === path;
    case 'bootout':
      return rest.length === 2 ? file === path : rest.length === 1 && String(target).endsWith(`/${label}`);
    default:
      return false;
  }
}
