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
 * The newest announced canary that an alert is about, when it is about such canaries and nothing else: every file that it
 * names is one of them with its content, every launchctl call names one, and there is at least one of them. Whoever writes or
 * loads anything else within the same minute gets an alert that stays open.
 */
export function isCanaryAlert(
  doc: EcsDocument,
  time: number,
  announced: readonly AnnouncedCanary[],
): AnnouncedCanary | undefined {
  const current = announced.filter(({ from, until }) => time >= from && time <= until);
  if (current.length === 0 || !isAboutAlone(doc, current)) return undefined;
  return current.findLast((one) => objects(doc['Events']).some((event) => isAbout(event, one)));
}

function isAboutAlone(doc: EcsDocument, canaries: readonly AnnouncedCanary[]): boolean {
  const alert = (doc.launchwarden?.['alert'] ?? {}) as {
    kind?: unknown;
    candidates?: unknown;
    candidate_count?: unknown;
  };
  if (alert.kind !== 'match') return false;
  const candidates = objects(alert.candidates) as { path?: unknown; sha256?: unknown }[];
  if (Number(alert.candidate_count ?? 0) > candidates.length) return false;
  const isOurs = ({ path, sha256 }: { path?: unknown; sha256?: unknown }) =>
    canaries.some((one) => path === one.path && (sha256 === undefined || sha256 === one.sha256));
  if (!candidates.every(isOurs)) return false;
  return objects(doc['Events']).every((event) => canaries.some((one) => isAbout(event, one)));
}

function isAbout(event: EcsDocument, canary: AnnouncedCanary): boolean {
  if (event.file !== undefined) return isCanaryFile(event, canary);
  if (event.process !== undefined) return namesAlone(event, canary);
  return event.launchwarden?.job?.label === canary.label;
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
