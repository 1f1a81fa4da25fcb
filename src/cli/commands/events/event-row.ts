import { formatMicros, parseTime } from '../../../base/time.js';
import type { EcsDocument } from '../../../event/document.js';
import { at, listAt, textAt } from '../../output/read.js';
import { commandLine } from '../alerts/show-events.js';

/** Cells of a table of events: time (UTC), what, user, process, subject. Safe to print. */
export function eventCells(doc: EcsDocument): string[] {
  const time = parseTime(at(doc, '@timestamp'));
  const category = listAt(doc, 'event.category').join(',');
  const action = textAt(doc, 'event.action') ?? listAt(doc, 'event.type').join(',');
  return [
    time === undefined ? '' : formatMicros(time.time).slice(0, 23).replace('T', ' '),
    `${category} ${action}`.trim(),
    textAt(doc, 'user.name') ?? textAt(doc, 'user.id') ?? '',
    processOf(doc),
    subjectOf(doc),
  ];
}

function processOf(doc: EcsDocument): string {
  const name = textAt(doc, 'process.name') ?? textAt(doc, 'process.executable');
  const pid = textAt(doc, 'process.pid');
  return [name, pid === undefined ? undefined : `(${pid})`].filter((one) => one !== undefined).join(' ');
}

function subjectOf(doc: EcsDocument): string {
  const path = textAt(doc, 'file.path');
  if (path !== undefined) return path;
  const job = textAt(doc, 'launchwarden.job.label');
  if (job !== undefined) return `${textAt(doc, 'launchwarden.job.domain') ?? '?'}/${job}`;
  return commandLine(at(doc, 'process')) ?? textAt(doc, 'Persistence.path') ?? textAt(doc, 'message') ?? '';
}
