import { formatDuration, type Micros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { EcsDocument } from '../../../event/document.js';
import type { Investigation } from '../../../event/investigation.js';
import { meaningOf } from '../../../event/priority.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import { foreignLetters } from '../../../mechanisms/look-alike.js';
import { fileEventOf, type Subject, subjectOf } from '../../../respond/investigate/index.js';
import { type Output, safe } from '../../output/output.js';
import { at, listAt, objectsAt, quoted, textAt } from '../../output/read.js';
import { unbroken } from '../../output/sheet.js';
import type { StyleName } from '../../output/style.js';
import { pad, shorten, textWidth, truncate, wrap } from '../../output/width.js';
import { ago } from '../../values.js';
import { severityStyle } from './alert-line.js';
import { summaryOf } from './answers.js';
import { commandLine } from './show-events.js';
import { headline } from './words.js';

/** What the first screen is made of. */
export interface FirstScreen {
  readonly alert: Alert;
  readonly story?: Story | undefined;
  readonly job?: LaunchdJob | undefined;
  readonly investigation?: Investigation | undefined;
  /** Other alerts about the same item. */
  readonly others: number;
  /** The one command that comes next. Safe. */
  readonly next: string;
  readonly now: Micros;
}

interface Line {
  readonly label: string;
  readonly text: string;
  /** Rows of the terminal that it may take. */
  readonly most: number;
  /** Not broken: it may be copied. */
  readonly whole?: boolean;
  readonly look?: StyleName;
}

/** A terminal of 80 cells and 24 lines, the last one for the prompt. */
const rows = 23;
const usualWidth = 100;
const labelWidth = 9;

/** What happened, who did it, does it run, how bad, what next: within one screen, whatever the texts are. */
export function printFirstScreen(out: Output, screen: FirstScreen): void {
  const width = Math.min(out.width ?? usualWidth, 120);
  const lines = [title(out, screen, width)];
  const { doc } = screen.alert;
  if (at(doc, 'labels.launchwarden_simulated') === true)
    lines.push(out.style('yellow', 'SIMULATED: observed on a folder tree (--root), not on a Mac'));
  const about = subjectOf(doc);
  const fixed = [...whatLines(out, screen, about), ...whoLines(screen, about), runsLine(screen)];
  const last = [
    ...stateLines(screen),
    { label: 'Next', text: screen.next, most: 3, whole: true, look: 'green' as const },
  ];
  const shown = [...fixed, ...last].flatMap((line) => printed(out, line, width));
  const room = rows - lines.length - rowsOf(shown, width);
  const bad = howBad(screen, Math.max(0, room - 1)).flatMap((line) => printed(out, line, width));
  for (const line of lines) out.line(line);
  for (const line of fixed) for (const one of printed(out, line, width)) out.line(one);
  for (const line of bad.slice(0, Math.max(1, room))) out.line(line);
  for (const line of last) for (const one of printed(out, line, width)) out.line(one);
}

function title(out: Output, { alert }: FirstScreen, width: number): string {
  const { level, score } = alert.priority;
  const head = `${level.toUpperCase()} ${score}`;
  const status = `[${alert.status}]`;
  const name = shorten(safe(alert.ruleName) ?? '', Math.max(10, width - head.length - status.length - 4));
  return `${out.style(['bold', severityStyle[level]], head)}  ${out.style('bold', name)}  ${status}`;
}

function whatLines(out: Output, { alert, story, now }: FirstScreen, about: Subject): Line[] {
  const { doc } = alert;
  const path = safe(about.file ?? about.path);
  const runs = commandOf(doc, about);
  const letters = foreignLetters([about.path, ...about.labels].join(' '));
  return [
    { label: 'What', text: headline(alert, about, story), most: 3 },
    ...(path === undefined ? [] : [{ label: '', text: path, most: 2, whole: true, look: 'bold' as const }]),
    ...(letters.length === 0
      ? []
      : [
          {
            label: '',
            text: `Look-alike letters: ${letters
              .slice(0, 6)
              .map(({ letter, like, code }) => `${letter} (${code}) for ${like}`)
              .join(', ')}`,
            most: 2,
            look: 'red' as const,
          },
        ]),
    ...(runs === undefined ? [] : [{ label: 'Runs', text: runs, most: 2, whole: true }]),
    {
      label: 'When',
      text: `${out.times.at(alert.time)} ${out.times.zone} (${ago(alert.time, now)})${stored(alert)}`,
      most: 1,
    },
  ];
}

function stored({ created, time }: Alert): string {
  const late = created - time;
  return late >= 0 ? `, stored ${formatDuration(late)} later` : '';
}

/** What the item executes, as one would type it. */
function commandOf(doc: unknown, { runs }: Subject): string | undefined {
  const args = listAt(doc, 'launchwarden.plist.program_arguments').map(quoted);
  const program = textAt(doc, 'launchwarden.plist.program');
  if (args.length > 0) return program === undefined ? args.join(' ') : `${program} (as ${args.join(' ')})`;
  return program ?? (runs.length === 0 ? undefined : safe(runs.slice(0, 4).join(', ')));
}

/** Who did it, in one sentence. Safe. */
export function whoDidIt({ doc }: Pick<Alert, 'doc'>, about: Subject): string {
  const writer = fileEventOf(doc)?.process;
  const user = userText(doc);
  const parts: string[] = [];
  const call = textAt(doc, 'process.name');
  if (call !== undefined) {
    const parent = textAt(doc, 'process.parent.executable') ?? textAt(doc, 'process.parent.name');
    parts.push(`${user ?? 'somebody'} ran ${call}${parent === undefined ? '' : `, started by ${parent}`}`);
  }
  if (writer !== undefined)
    parts.push(`${textAt(writer, 'executable') ?? textAt(writer, 'name') ?? 'a process'} wrote it`);
  else if (about.file !== undefined) parts.push(writerText(doc));
  if (parts.length === 0) parts.push(user ?? 'not seen');
  const sentence = parts.join('; ');
  // A user's or program's name stays as it is.
  return `${call === undefined && writer === undefined && about.file !== undefined ? capital(sentence) : sentence}.`;
}

/** A sentence as it begins. */
function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Of a file whose writer no sensor saw for certain. */
function writerText(doc: EcsDocument): string {
  const [likely] = objectsAt(fileEventOf(doc), 'launchwarden.likely_writers');
  const name =
    likely &&
    (textAt(likely, 'executable') ?? textAt(likely, 'process.executable') ?? textAt(likely, 'name'));
  if (name !== undefined) return `likely written by ${name}`;
  const owner = textAt(doc, 'file.owner') ?? textAt(doc, 'file.uid');
  return `who wrote it was not seen${owner === undefined ? '' : `; the file belongs to ${owner}`}`;
}

function whoLines({ alert }: FirstScreen, about: Subject): Line[] {
  const command = commandLine(at(alert.doc, 'process'));
  return [
    { label: 'Who', text: whoDidIt(alert, about), most: 2 },
    ...(command === undefined
      ? []
      : [{ label: '', text: command, most: 2, whole: true, look: 'dim' as const }]),
  ];
}

function runsLine({ job, investigation, alert }: FirstScreen): Line {
  const answer = investigation?.answers.find(({ step }) => step === 'running');
  const asked = job?.live.says ?? answer?.says;
  const stage = textAt(alert.doc, 'launchwarden.story.stage');
  const text =
    asked === undefined
      ? `Not known; investigate it${stage === undefined ? '.' : ` (last heard of it: ${stage}).`}`
      : `${safe(asked) ?? ''}${stuckText(job)}`;
  const running = job?.live.running === true || (job === undefined && answer?.mark === 'worrying');
  return { label: 'Now', text, most: 3, ...(running ? { look: 'red' as const } : {}) };
}

/** Of a job that is not seen to run: what keeps launchd from starting it. */
function stuckText(job: LaunchdJob | undefined): string {
  const stuck = job?.loading.obstacles.find(({ effect }) => effect === 'cannot-start');
  if (stuck === undefined || job?.live.running === true) return '';
  return ` launchd cannot start it: ${safe(stuck.because) ?? ''}.`;
}

function howBad({ alert }: FirstScreen, room: number): Line[] {
  const { level, score } = alert.priority;
  const reasons = objectsAt(alert.doc, 'launchwarden.alert.priority.reasons').map((reason): Line => {
    const weight = Number(at(reason, 'weight'));
    const word = textAt(reason, 'word') ?? '?';
    return { label: '', text: `${weight < 0 ? '' : '+'}${weight}  ${meaningOf(word) ?? word}`, most: 1 };
  });
  const shown = reasons.slice(0, reasons.length <= room ? reasons.length : Math.max(0, room - 1));
  const rest = reasons.length - shown.length;
  return [
    {
      label: 'How bad',
      text: `${level}, ${score} of 100; the rule by itself says ${alert.severity} (risk ${alert.riskScore})`,
      most: 1,
      look: severityStyle[level],
    },
    ...shown,
    ...(rest === 0 || room === 0 ? [] : [{ label: '', text: `and ${rest} more, below`, most: 1 }]),
  ];
}

function stateLines({ alert, others, investigation, now }: FirstScreen): Line[] {
  const last = alert.notes.findLast(({ kind }) => kind === alert.status);
  const by = last === undefined ? '' : ` by ${safe(last.author) ?? 'nobody'}, ${ago(last.time, now)}`;
  const more = others === 0 ? '' : `; ${others} other alert${others === 1 ? '' : 's'} about the same item`;
  const settled = textAt(alert.doc, 'launchwarden.alert.settled.text');
  const found =
    investigation === undefined
      ? 'Nobody has investigated it yet.'
      : `${summaryOf(investigation.answers)} (${safe(investigation.author) ?? 'somebody'}, ${ago(investigation.time, now)})`;
  return [
    {
      label: 'State',
      text:
        settled === undefined
          ? `${last !== undefined && alert.status === 'open' ? 'opened again' : alert.status}${by}${more}`
          : `needs nobody: ${settled}`,
      most: 2,
    },
    { label: 'Found', text: found, most: 2 },
  ];
}

export function userText(doc: unknown): string | undefined {
  const name = textAt(doc, 'user.name');
  const id = textAt(doc, 'user.id');
  const real = textAt(doc, 'user.Ext.real.name');
  const whole = name !== undefined && id !== undefined ? `${name} (uid ${id})` : (name ?? id);
  return real === undefined || real === name ? whole : `${whole}, really ${real}`;
}

function printed(out: Output, { label, text, most, whole = false, look }: Line, width: number): string[] {
  const room = width - labelWidth - 1;
  const style = (line: string) => (look === undefined ? line : out.style(look, line));
  const head = (index: number) => `${out.style('dim', pad(index === 0 ? label : '', labelWidth))} `;
  if (whole) {
    // It goes on in the first column of the next rows, without a line break, so that it can be copied.
    const fits = out.width === undefined || textWidth(text) + labelWidth + 1 <= width * most;
    return [head(0) + style(unbroken(fits ? text : shorten(text, room)))];
  }
  const lines = wrap(text, room);
  const shown = lines.slice(0, most);
  // A sentence is cut at its end: with a hole in its middle it would need to be read twice.
  if (lines.length > most) shown[most - 1] = truncate(`${shown[most - 1]} ${lines[most]}`, room);
  return shown.map((line, index) => head(index) + style(line));
}

function rowsOf(lines: readonly string[], width: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / width)), 0);
}
