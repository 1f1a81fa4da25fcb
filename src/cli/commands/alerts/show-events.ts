import { formatMicros, type Micros, parseTime } from '../../../base/time.js';
import type { Candidate } from '../../../event/alert.js';
import type { Output } from '../../output/output.js';
import { at, listAt, objectsAt, quoted, textAt } from '../../output/read.js';
import type { IndentedLine } from '../../output/sheet.js';

const maxArguments = 40;
const shownCandidates = 10;
const shownHeldBack = 50;

/**
 * `05:40:13.290123Z`, or the stretch of time in which a look-by-look sensor knows it to lie. `dated`: with its day, for
 * events of which no other line tells it.
 */
export function timeOf(doc: unknown, dated = false): string {
  const end = parseTime(at(doc, '@timestamp'));
  if (end === undefined) return textAt(doc, '@timestamp') ?? 'at an unknown time';
  const clockTime = (time: Micros, nanos = 0) => formatMicros(time, nanos).split('T')[1] ?? '';
  const day = dated ? `${formatMicros(end.time).split('T')[0]} ` : '';
  if (at(doc, 'launchwarden.sensor.precision') !== 'interval') return day + clockTime(end.time, end.nanos);
  const start = parseTime(at(doc, 'launchwarden.sensor.not_before'));
  return start === undefined
    ? `${day}by ${clockTime(end.time)}`
    : `${day}between ${clockTime(start.time)} and ${clockTime(end.time)}`;
}

/** The arguments as one would type them, bounded. */
export function commandLine(process: unknown): string | undefined {
  const args = listAt(process, 'args');
  if (args.length === 0) return textAt(process, 'command_line');
  const shown = args.slice(0, maxArguments).map(quoted);
  if (args.length > maxArguments) shown.push(`… (${args.length - maxArguments} more)`);
  return shown.join(' ');
}

function subject(doc: unknown): string {
  const file = textAt(doc, 'file.path');
  if (file !== undefined) return file;
  const job = textAt(doc, 'launchwarden.job.label');
  if (job !== undefined) return `${textAt(doc, 'launchwarden.job.domain') ?? '?'}/${job}`;
  return commandLine(at(doc, 'process')) ?? textAt(doc, 'Persistence.path') ?? '';
}

/** The events in the order of the match: when, which sensor, what. */
export function eventLines(events: readonly object[], out: Output, dated = false): IndentedLine[] {
  return events.flatMap((doc, index) => {
    const sensor = textAt(doc, 'launchwarden.sensor.kind');
    const category = listAt(doc, 'event.category').join(',');
    const action = textAt(doc, 'event.action') ?? listAt(doc, 'event.type').join(',');
    const head = [
      timeOf(doc, dated),
      `${category} ${action}`.trim(),
      ...(sensor === undefined ? [] : [`seen by ${sensor}`]),
    ];
    const text = `${index + 1}  ${head.join(out.style('dim', ' · '))}`;
    return [
      { text, indent: 2 },
      { text: subject(doc), indent: 5, whole: true },
    ];
  });
}

const reasons: Record<Candidate['link'], string> = {
  path: 'the process names this path',
  directory: 'the process names the folder it is in',
  label: 'the process names its label',
  matched: 'the rule matched this one',
  possible: 'the process may name it in what was not seen',
  window: 'changed inside the window',
};

/** The process event that a candidate was judged with, where it is not the alert's own. */
function judgedWith(process: unknown): IndentedLine[] {
  const command = textAt(process, 'command_line');
  return command === undefined ? [] : [{ text: `${timeOf(process)}, process ${command}`, indent: 5 }];
}

/** True of an alert that stands for others which `max_signals` held back. */
export function isSummary(doc: unknown): boolean {
  return at(doc, 'launchwarden.alert.kind') === 'summary';
}

/**
 * Which files the sequence could be about, of a summary what the alerts are about that were held back, and why they rank
 * so; nothing when there was no choice.
 */
export function candidateLines(doc: unknown): IndentedLine[] {
  const candidates = objectsAt(doc, 'launchwarden.alert.candidates');
  const count = Number(at(doc, 'launchwarden.alert.candidate_count') ?? candidates.length);
  const summary = isSummary(doc);
  if (candidates.length === 0) return [];
  if (!summary && count < 2 && at(candidates[0], 'link') === 'matched') return [];
  const shown = candidates.slice(0, summary ? shownHeldBack : shownCandidates);
  const lines = shown.flatMap((candidate, index) => {
    const link = at(candidate, 'link');
    const reason =
      typeof link === 'string' && Object.hasOwn(reasons, link) ? reasons[link as Candidate['link']] : '';
    const facts = [timeOf(candidate), textAt(candidate, 'action'), reason].filter(
      (one) => one !== undefined && one !== '',
    );
    const label = textAt(candidate, 'label');
    if (label !== undefined) facts.push(`label ${label}`);
    return [
      { lead: `${index + 1}  `, text: textAt(candidate, 'path') ?? '(no file)', indent: 2, whole: true },
      { text: facts.join(', '), indent: 5 },
      ...judgedWith(at(candidate, 'process')),
    ];
  });
  if (count > shown.length) {
    const kept = candidates.length > shown.length ? `; --json has the first ${candidates.length}` : '';
    lines.push({ text: `… and ${count - shown.length} more${kept}`, indent: 2 });
  }
  return lines;
}
