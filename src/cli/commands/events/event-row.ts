import { formatMicros, type Micros, parseTime } from '../../../base/time.js';
import type { EcsDocument } from '../../../event/document.js';
import type { Output } from '../../output/output.js';
import { at, listAt, textAt } from '../../output/read.js';
import type { Column } from '../../output/table.js';
import { commandLine } from '../alerts/show-events.js';

/** Columns of a table of events, behind what names the event. */
export const eventColumns = ({ times }: Pick<Output, 'times'>): readonly Column[] => [
  { title: 'EVENT', style: () => 'bold' },
  { title: `TIME (${times.zone})` },
  { title: 'WHAT' },
  { title: 'USER' },
  { title: 'PROCESS', flexible: true },
  { title: 'SUBJECT', flexible: true },
];

/** Cells of a table of events: time, what, user, process, subject. Safe to print. */
export function eventCells(doc: EcsDocument, { times }: Pick<Output, 'times'>): string[] {
  const time = parseTime(at(doc, '@timestamp'));
  const category = listAt(doc, 'event.category').join(',');
  const action = textAt(doc, 'event.action') ?? listAt(doc, 'event.type').join(',');
  return [
    time === undefined ? '' : withMillis(times.at(time.time), time.time),
    `${category} ${action}`.trim(),
    textAt(doc, 'user.name') ?? textAt(doc, 'user.id') ?? '',
    processOf(doc),
    subjectOf(doc),
  ];
}

/** Of a time as it is shown, with a zone behind it or not. */
function withMillis(text: string, time: Micros): string {
  const millis = formatMicros(time).slice(19, 23);
  return text.slice(0, 19) + millis + text.slice(19);
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
