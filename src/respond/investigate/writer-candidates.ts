import { formatDuration, type Micros, parseTime } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import type { Store } from '../../store/index.js';

/** A process that may have written a file, and why it is offered. */
export interface WriterCandidate {
  readonly doc: EcsDocument;
  /** A part of a sentence: `its arguments name the file`. */
  readonly reason: string;
  /** Its arguments name the file; otherwise only its time speaks for it. */
  readonly named: boolean;
}

/** A process that names the file may have started so long before the change, and one that merely started then so long. */
const namedBefore = 10_000_000;
const startedBefore = 1_000_000;
/** A scanner may see a process only after what it did. */
const after = 500_000;
const maxEvents = 2_000;
const maxCandidates = 3;

/**
 * Processes that were seen around the change of a file: first those whose arguments name it, else those that started just
 * before. None of them is known to have written it.
 */
export function writerCandidates(store: Pick<Store, 'events'>, file: EcsDocument): WriterCandidate[] {
  const path = file.file?.path;
  const time = parseTime(file['@timestamp'])?.time;
  if (path === undefined || time === undefined) return [];
  const named: WriterCandidate[] = [];
  const started: (WriterCandidate & { readonly apart: Micros })[] = [];
  let left = maxEvents;
  for (const event of store.events.between(time - namedBefore, time + after)) {
    if (left-- <= 0) break;
    const { doc } = event;
    if (doc.event?.category?.includes('process') !== true || doc.event.type?.includes('end') === true)
      continue;
    const says = namesFile(doc, path);
    const apart = time - event.time;
    if (says !== undefined) named.push({ doc, reason: says, named: true });
    else if (apart >= 0 && apart <= startedBefore)
      started.push({ doc, reason: `it started ${formatDuration(apart)} before`, named: false, apart });
  }
  if (named.length > 0) return named.slice(-maxCandidates).reverse();
  return started.sort((a, b) => a.apart - b.apart).slice(0, maxCandidates);
}

/** How the arguments of a process name a file; undefined when they do not. */
function namesFile({ process }: EcsDocument, path: string): string | undefined {
  const args = (process?.args ?? []).slice(1).filter((one): one is string => typeof one === 'string');
  const folder = process?.working_directory;
  const spellings = (one: string) => [
    one,
    one.replace(/^\/(tmp|var|etc)\//, '/private/$1/'),
    `${folder ?? ''}/${one}`,
  ];
  const values = args.flatMap((one) => [one, one.slice(one.indexOf('=') + 1)]);
  if (values.some((one) => spellings(one).includes(path))) return 'its arguments name the file';
  const slash = path.lastIndexOf('/');
  const [parent, name] = [path.slice(0, slash), path.slice(slash + 1)];
  const inFolder = values.some((one) => spellings(one.replace(/\/+$/, '')).includes(parent));
  const sameName = values.some((one) => one === name || one.endsWith(`/${name}`));
  return inFolder && sameName ? 'its arguments name the folder and a file of this name' : undefined;
}
