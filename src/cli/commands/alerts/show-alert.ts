import { escapeBlock } from '../../../base/escape.js';
import { formatDuration, formatMicros, type Micros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import { meaningOf } from '../../../event/priority.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import { type Output, safe } from '../../output/output.js';
import { at, listAt, objectsAt, textAt } from '../../output/read.js';
import { type Section, Sheet } from '../../output/sheet.js';
import { ago } from '../../values.js';
import { launchdJobSection } from '../inventory/launchd-job.js';
import { severityStyle } from './alert-line.js';
import { candidateLines, eventLines, isSummary } from './show-events.js';
import { fileSection, launchItemSection, processSection } from './show-subject.js';

const day = (time: Micros): string => formatMicros(time).replace('T', ' ');

function threatLines(doc: unknown): string[] {
  const pairs = (path: string) => {
    const names = listAt(doc, `threat.${path}.name`);
    return listAt(doc, `threat.${path}.id`).map((id, index) => `${id} ${names[index] ?? ''}`.trim());
  };
  return [...pairs('tactic'), ...pairs('technique'), ...pairs('technique.subtechnique')];
}

/** Who moved it to its state, and when. */
function statusText(alert: Alert, now: Micros): string {
  const last = alert.notes.findLast((note) => note.kind !== 'note');
  if (last === undefined) return alert.status;
  return `${alert.status} by ${safe(last.author) ?? 'nobody'}, ${ago(last.time, now)}`;
}

function userText(doc: unknown): string | undefined {
  const name = textAt(doc, 'user.name');
  const id = textAt(doc, 'user.id');
  const real = textAt(doc, 'user.Ext.real.name');
  const whole = name !== undefined && id !== undefined ? `${name} (uid ${id})` : (name ?? id);
  return real === undefined || real === name ? whole : `${whole}, really ${real}`;
}

function overview(alert: Alert, section: Section, now: Micros): void {
  const { doc } = alert;
  section.field('alert', safe(alert.id), 'bold');
  section.field('status', statusText(alert, now));
  section.field('when', `${day(alert.time)} (${ago(alert.time, now)})`);
  const late = alert.created - alert.time;
  if (late >= 0) section.field('stored', `${formatDuration(late)} after it happened`);
  section.field('what', textAt(doc, 'event.reason'));
  section.field('who', userText(doc));
  section.field('host', textAt(doc, 'host.name'));
  section.list('MITRE', threatLines(doc));
  const sensors = listAt(doc, 'launchwarden.alert.sensors');
  section.field('seen with', sensors.length === 0 ? undefined : sensors.join(', '));
  const repeats = Number(at(doc, 'launchwarden.alert.repeats'));
  if (repeats > 0)
    section.field('repeats', `${repeats} more of the same on this file were counted, not alerted`);
  const suppressed = Number(at(doc, 'launchwarden.alert.suppressed'));
  if (suppressed > 0) section.field('held back', `${suppressed} alerts over the limit of this rule`);
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
function storyLines(story: Story | undefined): string[] {
  if (story === undefined) return [];
  const steps = story.steps.map(({ time, stage, says }) => {
    return `${day(time).slice(0, 19)}Z  ${stage}${says === undefined ? '' : `  ${safe(says)}`}`;
  });
  const updates = story.updates === 0 ? [] : [`${story.updates} changes were updates of what was known.`];
  return [...steps, ...updates];
}

/** Prints everything that a person needs at first sight; `now` is for "3m ago". */
export function showAlert(
  alert: Alert,
  how: {
    readonly out: Output;
    readonly now: Micros;
    readonly story?: Story | undefined;
    readonly job?: LaunchdJob | undefined;
  },
): void {
  const { out, now } = how;
  const { doc } = alert;
  const sheet = new Sheet(out);
  const severity = out.style(['bold', severityStyle[alert.severity]] as never, alert.severity.toUpperCase());
  const { level, score } = alert.priority;
  const priority = out.style(severityStyle[level], `priority ${level} (${score})`);
  sheet.title(
    `${severity} (risk ${alert.riskScore}), ${priority}  ${out.style('bold', safe(alert.ruleName) ?? '')}`,
  );
  const simulated = at(doc, 'labels.launchwarden_simulated') === true;
  if (simulated)
    sheet.title(out.style('yellow', 'SIMULATED: observed on a folder tree (--root), not on a Mac'));
  sheet.section('Overview', (section) => overview(alert, section, now));
  sheet.section('Why this priority', (section) => {
    for (const line of reasonLines(alert)) section.line(line);
  });
  sheet.section("The item's story", (section) => {
    for (const line of storyLines(how.story)) section.line(line);
  });
  sheet.section('Events of the match', (section) => {
    for (const line of eventLines(objectsAt(doc, 'Events'), out)) section.line(line.text, line.indent);
  });
  const what = isSummary(doc) ? 'Held back by max_signals' : 'Files of the window';
  sheet.section(`${what}, best first`, (section) => {
    for (const line of candidateLines(doc)) section.line(line.text, line.indent);
  });
  sheet.section('Launch item', (section) => launchItemSection(doc, section));
  launchdJobSection(sheet, how.job);
  sheet.section('File', (section) => fileSection(doc, section));
  sheet.section('Process', (section) => processSection(doc, section));
  sheet.section('Notes', (section) => {
    for (const { time, author, kind, text } of alert.notes) {
      const head = `${day(time)}  ${safe(author) ?? 'nobody'}  ${kind === 'note' ? '' : `set to ${safe(kind)}`}`;
      section.line(head.trimEnd());
      if (text !== '') for (const line of text.split('\n')) section.line(safe(line) ?? '', 4);
    }
  });
  sheet.section('Rule', (section) => ruleSection(alert, section));
  textSection(sheet, 'What the rule is about', at(doc, 'rule.description'));
  sheet.section('False positives', (section) => {
    for (const item of listAt(doc, 'launchwarden.rule.false_positives')) section.line(`- ${item}`);
  });
  textSection(sheet, 'Investigation guide', at(doc, 'launchwarden.rule.note'));
  sheet.section('References', (section) => {
    const all = [
      ...listAt(doc, 'launchwarden.rule.references'),
      ...listAt(doc, 'threat.technique.reference'),
    ];
    for (const item of new Set(all)) section.verbatim(item);
  });
}
