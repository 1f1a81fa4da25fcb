import { things } from '../../../base/count.js';
import { escapeBlock } from '../../../base/escape.js';
import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import { meaningOf } from '../../../event/priority.js';
import type { Story } from '../../../event/story.js';
import { type Output, safe } from '../../output/output.js';
import { at, listAt, objectsAt, textAt } from '../../output/read.js';
import { type Section, Sheet } from '../../output/sheet.js';
import { launchdJobSection } from '../inventory/launchd-job.js';
import { markLooks, showAnswer } from './answers.js';
import { type FirstScreen, printFirstScreen, userText } from './first-screen.js';
import { candidateLines, eventLines, isSummary } from './show-events.js';
import {
  fileSection,
  launchItemSection,
  processSection,
  propertyListSection,
  scanSection,
} from './show-subject.js';

function threatLines(doc: unknown): string[] {
  const pairs = (path: string) => {
    const names = listAt(doc, `threat.${path}.name`);
    return listAt(doc, `threat.${path}.id`).map((id, index) => `${id} ${names[index] ?? ''}`.trim());
  };
  return [...pairs('tactic'), ...pairs('technique'), ...pairs('technique.subtechnique')];
}

function overview(alert: Alert, section: Section, out: Output): void {
  const { doc } = alert;
  section.copy('id', safe(alert.id), 'bold');
  // To the microsecond, and so that it can be searched for.
  section.copy(
    'time',
    out.width === undefined
      ? formatMicros(alert.time)
      : `${out.times.at(alert.time)} ${out.times.zone} (${formatMicros(alert.time)})`,
  );
  section.field('rule says', `${alert.severity}, risk ${alert.riskScore}`);
  section.field('reason', textAt(doc, 'event.reason'));
  section.field('who', userText(doc));
  section.field('host', textAt(doc, 'host.name'));
  section.list('MITRE', threatLines(doc));
  const sensors = listAt(doc, 'launchwarden.alert.sensors');
  section.field('seen with', sensors.length === 0 ? undefined : sensors.join(', '));
  const repeats = Number(at(doc, 'launchwarden.alert.repeats'));
  if (repeats > 0)
    section.field(
      'repeats',
      `${things(repeats, 'more of the same on this file was', 'more of the same on this file were')} counted, not alerted`,
    );
  const suppressed = Number(at(doc, 'launchwarden.alert.suppressed'));
  if (suppressed > 0)
    section.field('held back', `${things(suppressed, 'alert')} over the limit of this rule`);
  const settled = textAt(doc, 'launchwarden.alert.settled.text');
  const why = textAt(doc, 'launchwarden.alert.settled.reason');
  section.field('needs nobody', settled === undefined ? undefined : `${why}: ${settled}`);
  if (alert.revision > 1) section.field('revision', String(alert.revision));
}

function ruleSection(alert: Alert, section: Section): void {
  const { doc } = alert;
  section.field('name', safe(alert.ruleName));
  const version = textAt(doc, 'rule.version');
  section.field('id', `${safe(alert.ruleId)}${version === undefined ? '' : `, version ${version}`}`);
  section.field('file', textAt(doc, 'launchwarden.rule.file'));
  section.list('tags', listAt(doc, 'tags').length === 0 ? [] : [listAt(doc, 'tags').join(', ')]);
}

function textSection(sheet: Sheet, title: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') return;
  sheet.section(title, (section) => section.block(escapeBlock(value.slice(0, 32_768))));
}

/** Each finding with what it adds, and what it means. Documents may hold anything. */
function reasonLines({ doc }: Alert): string[] {
  return objectsAt(doc, 'launchwarden.alert.priority.reasons').map((reason) => {
    const weight = Number(at(reason, 'weight'));
    const word = textAt(reason, 'word') ?? '?';
    return `${weight < 0 ? '' : '+'}${weight}  ${meaningOf(word) ?? word} (${word})`;
  });
}

/** What happened to the item so far, oldest first. */
function storyLines(story: Story | undefined, out: Output): string[] {
  if (story === undefined) return [];
  const steps = story.steps.map(({ time, stage, says }) => {
    return `${out.times.at(time)} ${out.times.zone}  ${stage}${says === undefined ? '' : `  ${safe(says)}`}`;
  });
  const updates = story.updates === 0 ? [] : [`${story.updates} changes were updates of what was known.`];
  return [...steps, ...updates];
}

/** Everything that is shown about an alert. */
export interface ShownAlert extends FirstScreen {
  /** The guide of its rule, filled in. Safe. */
  readonly guide: string | undefined;
}

/** Prints an alert: the first screen, and below it what there is besides. */
export function showAlert(
  shown: ShownAlert,
  { out, part }: { readonly out: Output; readonly part: 'usual' | 'full' | 'guide' },
): void {
  if (part === 'guide') {
    new Sheet(out).section('Investigation guide', (section) => section.block(shown.guide ?? ''));
    return;
  }
  printFirstScreen(out, shown);
  out.line();
  const sheet = new Sheet(out);
  usualSections(shown, sheet, out);
  if (part === 'full') fullSections(shown, sheet, out);
  else {
    out.line();
    const guide = shown.guide === undefined ? '' : '; --guide: what to look at and what to do';
    out.line(out.style('dim', `--full: file, process, rule and every answer${guide}.`));
  }
}

function usualSections({ alert, story, job, investigation }: ShownAlert, sheet: Sheet, out: Output): void {
  const { doc } = alert;
  sheet.section('Alert', (section) => overview(alert, section, out));
  sheet.section('Why this priority', (section) => {
    for (const line of reasonLines(alert)) section.line(line);
  });
  sheet.section("The item's story", (section) => {
    for (const line of storyLines(story, out)) section.line(line);
  });
  sheet.section('Events of the match', (section) => {
    for (const line of eventLines(objectsAt(doc, 'Events'), out)) section.indented(line);
  });
  const what = isSummary(doc) ? 'Held back by max_signals' : 'Files of the window';
  sheet.section(`${what}, best first`, (section) => {
    for (const line of candidateLines(doc)) section.indented(line);
  });
  sheet.section(
    textAt(doc, 'launchwarden.plist.label') === undefined ? 'What it does' : 'Launch item',
    (section) => launchItemSection(doc, section),
  );
  sheet.section('Scan', (section) => scanSection(doc, section));
  sheet.section('Property list', (section) => propertyListSection(doc, section));
  launchdJobSection(sheet, job);
  if (investigation !== undefined)
    sheet.section('Answers', (section) => {
      for (const { step, mark, says } of investigation.answers) {
        const { sign, style } = markLooks[mark];
        section.line(`${out.style(style, sign)}  ${out.style('dim', safe(step) ?? '')}: ${safe(says) ?? ''}`);
      }
    });
  sheet.section('Notes', (section) => {
    for (const { time, author, kind, text, value } of alert.notes) {
      const done = kind === 'note' ? '' : kind;
      const head = `${out.times.at(time)}  ${safe(author) ?? 'nobody'}  ${safe(`${done} ${value}`.trim()) ?? ''}`;
      section.line(head.trimEnd());
      if (text !== '') for (const line of text.split('\n')) section.line(safe(line) ?? '', 4);
    }
  });
}

function fullSections({ alert, investigation, guide }: ShownAlert, sheet: Sheet, out: Output): void {
  const { doc } = alert;
  sheet.section('File', (section) => fileSection(doc, section));
  sheet.section('Process', (section) => processSection(doc, section));
  for (const answer of investigation?.answers ?? []) showAnswer(sheet, out, answer);
  sheet.section('Rule', (section) => ruleSection(alert, section));
  textSection(sheet, 'What the rule is about', at(doc, 'rule.description'));
  sheet.section('False positives', (section) => {
    for (const item of listAt(doc, 'launchwarden.rule.false_positives')) section.line(`- ${item}`);
  });
  if (guide !== undefined) sheet.section('Investigation guide', (section) => section.block(guide));
  sheet.section('References', (section) => {
    const all = [
      ...listAt(doc, 'launchwarden.rule.references'),
      ...listAt(doc, 'threat.technique.reference'),
    ];
    for (const item of new Set(all)) section.verbatim(item);
  });
}
