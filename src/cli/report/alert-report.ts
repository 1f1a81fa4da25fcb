import { things } from '../../base/count.js';
import { formatDuration, formatMicros, type Micros, parseTime } from '../../base/time.js';
import type { Alert } from '../../event/alert.js';
import type { EcsDocument } from '../../event/document.js';
import { findingMeaning, findingWeight } from '../../event/findings.js';
import type { Investigation } from '../../event/investigation.js';
import { meaningOf } from '../../event/priority.js';
import type { Story } from '../../event/story.js';
import type { LaunchdJob } from '../../inventory/index.js';
import {
  type ListHistory,
  launchdKeys,
  type Nearby,
  type ProcessNode,
  type Subject,
} from '../../respond/investigate/index.js';
import { at, objectsAt } from '../output/read.js';
import { answerHtml } from './answers.js';
import { eventLabel } from './event-label.js';
import { guideHtml } from './guide.js';
import { type Child, code, Html, html, section, table, tableHead } from './html.js';
import { page, timeTag } from './page.js';
import { type Moment, timeList, timeline } from './timeline.js';
import { processTree } from './tree.js';

/** What a report about one alert is made of. Texts are hostile. */
export interface AlertReport {
  readonly alert: Alert;
  readonly about: Subject;
  /** `A launch agent was created and loaded: com.example`. */
  readonly headline: string;
  /** Who did it, in a sentence. */
  readonly who: string;
  readonly story: Story | undefined;
  readonly job: LaunchdJob | undefined;
  readonly investigation: Investigation;
  readonly nearby: readonly Nearby[];
  readonly processes: readonly ProcessNode[];
  readonly list: ListHistory | undefined;
  /** The guide of the rule, filled in. */
  readonly guide: string | undefined;
  readonly next: string;
  readonly version: string;
  readonly now: Micros;
}

export function alertPage(report: AlertReport): string {
  const { alert, version, now } = report;
  return page({
    title: `${alert.priority.level} ${alert.priority.score}: ${alert.ruleName}`,
    head: head(report),
    body: [
      section('In short', brief(report)),
      section('Why it has this priority', reasons(alert)),
      section('Story', storyList(report.story)),
      timeSection(report),
      section('Processes', processTree(report.processes), {
        intro: 'Who started whom, as far as the events tell; what the alert is about is marked.',
      }),
      section('What it does', propertyList(report)),
      section('What changed', changes(report)),
      section('Questions and answers', report.investigation.answers.map(answerHtml), {
        intro: html`Asked ${timeTag(report.investigation.time)} UTC by ${report.investigation.author}.`,
      }),
      section('What was done', log(alert)),
      section('The rule', rule(report)),
      report.guide === undefined ? undefined : section('Guide', guideHtml(report.guide)),
    ],
    version,
    now,
  });
}

function head({ alert, headline }: AlertReport): Child {
  const { doc } = alert;
  const { level, score } = alert.priority;
  const simulated = at(doc, 'labels.launchwarden_simulated') === true;
  return html`<div class="band ${Html.raw(level)}">
<p><span class="badge">${level.toUpperCase()} ${score}</span><span class="badge">${alert.status}${alert.closedAs === undefined ? '' : `: ${alert.closedAs.replace('_', ' ')}`}</span></p>
<h1>${headline}</h1>
<ul class="meta"><li>${timeTag(alert.time)} UTC</li><li>${textOf(doc, 'host.name') ?? 'unknown host'}</li><li>alert ${code(alert.id)}</li></ul></div>
${simulated ? html`<p class="warning">Simulated: observed on a folder tree that stands for a Mac, not on a Mac.</p>` : undefined}`;
}

function brief({ alert, about, who, job, investigation, next }: AlertReport): Html {
  const { doc } = alert;
  const runs = investigation.answers.find(({ step }) => step === 'running');
  const args = textsOf(doc, 'launchwarden.plist.program_arguments');
  const command = args.length > 0 ? args.map(quoted).join(' ') : about.runs.join(', ');
  const file = about.file ?? about.path;
  const late = alert.created - alert.time;
  const rows: readonly (readonly [string, Child])[] = [
    ['What', file === undefined ? textOf(doc, 'event.reason') : html`${code(file)}`],
    ['It runs', command === '' ? undefined : code(command)],
    ['Who', who],
    [
      'When',
      html`${timeTag(alert.time, { fine: true })} UTC${late >= 0 ? `, stored ${formatDuration(late)} later` : ''}`,
    ],
    ['Runs now', job?.live.says ?? runs?.says ?? 'Not asked.'],
    [
      'How bad',
      `${alert.priority.level}, ${alert.priority.score} of 100; the rule by itself says ${alert.severity} (risk ${alert.riskScore})`,
    ],
    ['Found', verdictText(investigation)],
    ['sha256', code(textOf(doc, 'file.hash.sha256'))],
    ['Next', code(next)],
  ];
  return html`<dl class="brief">${rows.map(([name, value]) => (value === undefined || value === '' ? undefined : html`<dt>${name}</dt><dd>${value}</dd>`))}</dl>`;
}

function verdictText({ answers }: Investigation): string {
  const count = (mark: string) => answers.filter((one) => one.mark === mark).length;
  const words = {
    worrying: 'worrying',
    notable: 'notable',
    reassuring: 'reassuring',
    unknown: 'not known',
  } as const;
  const parts = Object.entries(words).flatMap(([mark, word]) =>
    count(mark) === 0 ? [] : [`${count(mark)} ${word}`],
  );
  return `${parts.join(', ') || 'nothing telling'}, of ${things(answers.length, 'question')}`;
}

/** The findings with what each adds, as bars. */
function reasons({ doc }: Alert): Html | undefined {
  const rows = objectsAt(doc, 'launchwarden.alert.priority.reasons')
    .slice(0, 30)
    .map((reason) => {
      const weight = Number(at(reason, 'weight'));
      const word = String(at(reason, 'word') ?? '?');
      const width = Math.min(100, Math.abs(Number.isFinite(weight) ? weight : 0) * 2);
      const bar = `<svg viewBox="0 0 100 16" preserveAspectRatio="none" role="img" aria-label="${weight > 0 ? '+' : ''}${weight}"><rect class="track" x="0" y="4" width="100" height="8" rx="4"/><rect class="${weight < 0 ? 'barbad' : 'bar'}" x="0" y="4" width="${width}" height="8" rx="4"/></svg>`;
      return html`<span>${meaningOf(word) ?? word} <span class="soft">(${word}, ${weight > 0 ? '+' : ''}${weight})</span></span>${Html.raw(bar)}`;
    });
  return rows.length === 0 ? undefined : html`<div class="bars">${rows}</div>`;
}

function storyList(story: Story | undefined): Html | undefined {
  if (story === undefined || story.steps.length === 0) return undefined;
  const moments = story.steps.map(
    ({ time, stage, says }): Moment => ({
      ...{ time, lane: 'file', look: 'plain', title: stage },
      says: html`<b>${stageWords[stage] ?? stage}</b>${says === undefined ? undefined : html` ${says}`}`,
    }),
  );
  const updates =
    story.updates === 0
      ? undefined
      : html`<p class="soft">${story.updates} changes were updates of what was known.</p>`;
  return html`${timeList(moments)}${updates}`;
}

const stageWords: Readonly<Record<string, string>> = {
  found: 'Found.',
  written: 'Created.',
  changed: 'Changed.',
  loaded: 'Loaded.',
  running: 'Running.',
  removed: 'Removed.',
  back: 'Back again.',
  quarantined: 'Quarantined.',
};

function timeSection({ alert, nearby, story }: AlertReport): Html | undefined {
  const matched = objectsAt(alert.doc, 'Events')
    .slice(0, 100)
    .flatMap((event): Moment[] => {
      const time = parseTime(at(event, '@timestamp'))?.time;
      if (time === undefined) return [];
      const { lane, text } = eventLabel(event as EcsDocument);
      return [
        {
          time,
          lane,
          says: html`${code(text, 600)}<span class="why">the alert is about this</span>`,
          title: text,
          look: 'match',
        },
      ];
    });
  const around = nearby.slice(0, 120).map(
    (one): Moment => ({
      time: one.time,
      lane: one.kind,
      says: html`${code(one.what, 400)}<span class="why">${one.why}</span>`,
      title: one.what,
      look: one.worrying ? 'bad' : 'plain',
    }),
  );
  const seen = new Set([...matched, ...around].map(({ time }) => time));
  const steps = (story?.steps ?? [])
    .filter(({ time, stage }) => !seen.has(time) && (stage === 'loaded' || stage === 'running'))
    .map(
      ({ time, stage, says }): Moment => ({
        time,
        lane: 'launchd',
        says: `${stageWords[stage] ?? stage} ${says ?? ''}`,
        title: stage,
        look: 'plain',
      }),
    );
  const people = alert.notes.slice(0, 100).map(
    ({ time, author, kind, value }): Moment => ({
      time,
      lane: 'people',
      says: html`${author}: ${kind} ${value}`,
      title: `${author}: ${kind}`,
      look: 'plain',
    }),
  );
  const all = [...matched, ...around, ...steps, ...people];
  const rest = nearby.length - around.length;
  const more =
    rest > 0
      ? html`<p class="soft">${things(rest, 'more event of these minutes is', 'more events of these minutes are')} not shown.</p>`
      : undefined;
  return section('Timeline', html`${timeline(all, alert.time)}${timeList(all)}${more}`, {
    intro:
      'Telling events of the 10 minutes before and after. Distances are drawn smaller the further away they are.',
  });
}

/** Every key of the list with what it means, marked where it is suspicious. */
function propertyList({ alert, about }: AlertReport): Html | undefined {
  const json = at(alert.doc, 'launchwarden.plist.json');
  const words = textsOf(alert.doc, 'launchwarden.findings').filter((word) => findingWeight(word) !== 0);
  const findings = words.map(
    (word) =>
      html`<li class="${Html.raw(findingWeight(word) >= 20 ? 'worrying' : 'notable')}">${findingMeaning(word) ?? word}</li>`,
  );
  const keys = typeof json === 'string' ? keysOf(json) : [];
  const rows = keys.map(([key, value]) => {
    const known = Object.hasOwn(launchdKeys, key) ? launchdKeys[key] : undefined;
    const mark = known?.suspicious?.(value);
    const meaning = known?.says ?? 'No key that launchd describes.';
    const odd =
      mark === undefined || known?.because === undefined
        ? undefined
        : html` <span class="${Html.raw(mark)}">Suspicious: ${known.because}.</span>`;
    return [
      html`<b>${key}</b>`,
      code(typeof value === 'string' ? value : JSON.stringify(value)),
      html`${meaning}${odd}`,
    ];
  });
  const runs =
    about.runs.length === 0
      ? undefined
      : html`<p>It executes ${about.runs.slice(0, 20).map((one, index) => html`${index === 0 ? '' : ', '}${code(one)}`)}.</p>`;
  return html`${runs}${findings.length === 0 ? undefined : html`<ul class="points">${findings}</ul>`}${table(
    [
      ['Key', 22],
      ['Value', 38],
      ['Meaning', 40],
    ],
    rows,
  )}`;
}

function keysOf(json: string): [string, unknown][] {
  try {
    const list: unknown = JSON.parse(json);
    return typeof list === 'object' && list !== null && !Array.isArray(list)
      ? Object.entries(list).slice(0, 100)
      : [];
  } catch {
    return [];
  }
}

function changes({ list }: AlertReport): Html | undefined {
  if (list === undefined) return undefined;
  const { at: version, before, changes: changed, why } = list;
  if (before === undefined)
    return html`<p>No earlier version of it is known: all of it is new (version #${version.id}).</p>`;
  const intro = html`<p>Version #${version.id} of ${timeTag(version.time)} against #${before.id} of ${timeTag(before.time)}.</p>`;
  if (changed === undefined)
    return html`${intro}<p class="soft">What changed is not known${why === undefined ? '' : `: ${why}`}.</p>`;
  if (changed.length === 0) return html`${intro}<p>Every key has the value that it had.</p>`;
  const rows = changed
    .slice(0, 60)
    .flatMap(({ key, before: old, after }) => [
      ...(old === undefined
        ? []
        : [
            html`<tr class="removed"><td data-label="Key"><b>${key}</b></td><td data-label="Before">\u2212 ${code(old)}</td></tr>`,
          ]),
      ...(after === undefined
        ? []
        : [
            html`<tr class="added"><td data-label="Key"><b>${key}</b></td><td data-label="After">+ ${code(after)}</td></tr>`,
          ]),
    ]);
  return html`${intro}${tableHead([
    ['Key', 25],
    ['Value', 75],
  ])}<tbody>${rows}</tbody></table>`;
}

/** Everything that people and responses did to the alert. */
function log({ notes }: Alert): Html {
  if (notes.length === 0) return html`<p>Nothing yet.</p>`;
  const rows = notes.slice(-200).map(({ time, author, kind, value, text }) => [
    timeTag(time),
    author,
    html`<b>${kind === 'note' ? 'note' : `${kind} ${value}`.trim()}</b>`,
    text
      .split('\n')
      .slice(0, 60)
      .map((line) => html`${line}<br>`),
  ]);
  return table(
    [
      ['Time (UTC)', 16],
      ['Who', 14],
      ['What', 20],
      ['Text', 50],
    ],
    rows,
  ) as Html;
}

function rule({ alert }: AlertReport): Html {
  const { doc } = alert;
  const threat = ['tactic', 'technique', 'technique.subtechnique'].flatMap((path) => {
    const names = textsOf(doc, `threat.${path}.name`);
    return textsOf(doc, `threat.${path}.id`).map((id, index) => `${id} ${names[index] ?? ''}`.trim());
  });
  const paragraphs = (textOf(doc, 'rule.description') ?? '')
    .split(/\n{2,}/)
    .map((one) => html`<p>${one.replace(/\s+/g, ' ')}</p>`);
  const positives = textsOf(doc, 'launchwarden.rule.false_positives').map((one) => html`<li>${one}</li>`);
  const facts: readonly (readonly [string, Child])[] = [
    ['rule', alert.ruleName],
    ['id', code(alert.ruleId)],
    ['version', textOf(doc, 'rule.version')],
    ['MITRE ATT&CK', threat.length === 0 ? undefined : threat.join(', ')],
    ['seen with', textsOf(doc, 'launchwarden.alert.sensors').join(', ')],
    ['time', formatMicros(alert.time)],
  ];
  return html`${paragraphs}<dl class="facts">${facts.map(([name, value]) => (value === undefined || value === '' ? undefined : html`<dt>${name}</dt><dd>${value}</dd>`))}</dl>
${positives.length === 0 ? undefined : html`<h3>It may be harmless when</h3><ul>${positives}</ul>`}`;
}

function textOf(doc: unknown, path: string): string | undefined {
  const value = at(doc, path);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(doc: unknown, path: string): string[] {
  const value = at(doc, path);
  return (Array.isArray(value) ? value : [value])
    .filter((one): one is string => typeof one === 'string')
    .slice(0, 100);
}

function quoted(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
