import { things } from '../../base/count.js';
import type { Micros } from '../../base/time.js';
import type { Alert } from '../../event/alert.js';
import { findingMeaning } from '../../event/findings.js';
import type { InventoryRow } from '../../event/inventory.js';
import { levelOf, weightOf } from '../../event/priority.js';
import { type Child, type Column, code, Html, html, section, table } from './html.js';
import { page, timeTag } from './page.js';

/** One persistent item with what is to be thought of it. */
export interface HostItem {
  readonly row: InventoryRow;
  readonly mechanism: string;
  readonly verdict: string;
  readonly level: string | undefined;
}

/** What a report about a whole Mac is made of. Texts are hostile. */
export interface HostReport {
  readonly host: string;
  readonly simulated: boolean;
  readonly from: 'agent' | 'machine';
  readonly items: readonly HostItem[];
  /** Items of macOS itself that are left out. */
  readonly system: number;
  /** Not closed, the gravest first. */
  readonly alerts: readonly Alert[];
  /** How many there are; undefined where no agent has stored anything: then nobody knows of any. */
  readonly open: number | undefined;
  readonly coverage: {
    /** False: no agent runs, and this is what one could see here. */
    readonly running: boolean;
    readonly tier: string | null;
    readonly sensors: readonly string[];
    readonly rules: readonly {
      readonly name: string;
      readonly coverage: 'full' | 'partial' | 'blind';
      readonly off: string | undefined;
      readonly reasons: readonly string[];
    }[];
    readonly notes: readonly string[];
  };
  readonly version: string;
  readonly now: Micros;
}

const alertColumns: readonly Column[] = [
  ['Priority', 13],
  ['Time (UTC)', 13],
  ['What', 46],
  ['State', 12],
  ['Id', 16],
];
const itemColumns: readonly Column[] = [
  ['Item', 34],
  ['Runs', 28],
  ['Since (UTC)', 12],
  ['From', 15],
  ['Verdict', 11],
];
const ruleColumns: readonly Column[] = [
  ['Rule', 36],
  ['Sees', 14],
  ['Why', 50],
];
const week: Micros = 7 * 86_400e6;
const shownAlerts = 100;
const shownItems = 2_000;

export function hostPage(report: HostReport): string {
  const { host, version, now } = report;
  return page({
    title: `What persists on ${host}`,
    head: head(report),
    body: [
      section('In short', numbers(report)),
      section('Open alerts', openAlerts(report)),
      section('New or changed within a week', recent(report)),
      ...byMechanism(report),
      section('What is watched', coverage(report)),
    ],
    version,
    now,
  });
}

function head({ host, simulated, from, alerts, open, now }: HostReport): Child {
  const none = open === undefined ? 'alerts are not known: no agent has stored any here' : 'no open alerts';
  const worst = alerts[0]?.priority.level ?? 'low';
  return html`<div class="band ${Html.raw(alerts.length > 0 ? worst : open === undefined ? 'unknown' : 'reassuring')}">
<p><span class="badge">${alerts.length === 0 ? none : `worst open alert: ${worst}`}</span></p>
<h1>What persists on ${host}</h1>
<ul class="meta"><li>${timeTag(now)} UTC</li><li>${from === 'agent' ? 'as the running agent keeps it' : 'read from the machine just now'}</li></ul></div>
${simulated ? html`<p class="warning">Simulated: a folder tree that stands for a Mac, not a Mac.</p>` : undefined}`;
}

function numbers({ items, open, coverage: { rules }, system, now }: HostReport): Html {
  const odd = items.filter(({ verdict }) => verdict === 'alert' || verdict === 'odd').length;
  const fresh = items.filter(({ row }) => !row.baseline && row.firstSeen > now - week).length;
  const blind = rules.filter((one) => one.coverage === 'blind' || one.off !== undefined).length;
  const all: readonly (readonly [string, number | string])[] = [
    ['persistent items', items.length],
    ['open alerts', open ?? 'not known'],
    ['odd, or with an alert', odd],
    ['new within a week', fresh],
    ['rules that see nothing', `${blind} of ${rules.length}`],
  ];
  const left =
    system === 0
      ? undefined
      : html`<p class="soft">${things(system, 'item of macOS itself about which nothing is odd is', 'items of macOS itself about which nothing is odd are')} left out.</p>`;
  return html`<dl class="numbers">${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${left}`;
}

function openAlerts({ alerts, open }: HostReport): Html {
  if (open === undefined) return html`<p>Not known: no agent has stored any here.</p>`;
  if (alerts.length === 0) return html`<p>None.</p>`;
  const rows = alerts
    .slice(0, shownAlerts)
    .map((alert) => [
      html`<span class="${Html.raw(alert.priority.level)}">${alert.priority.level} ${alert.priority.score}</span>`,
      timeTag(alert.time),
      html`${alert.ruleName}<br>${code(subject(alert), 300)}`,
      html`${alert.status}${alert.assignee === undefined ? undefined : html`<br><span class="soft">${alert.assignee}</span>`}`,
      code(alert.id.slice(0, 12)),
    ]);
  const more =
    open > rows.length ? html`<p class="soft">${open - rows.length} more are not shown.</p>` : undefined;
  return html`${table(alertColumns, rows)}${more}`;
}

function subject({ doc }: Alert): string {
  for (const value of [doc.file?.path, doc.process?.command_line, doc.event?.['reason']])
    if (typeof value === 'string' && value !== '') return value;
  return '';
}

function recent({ items, now }: HostReport): Html {
  const rows = items
    .filter(({ row }) => (!row.baseline && row.firstSeen > now - week) || row.changed > now - week)
    .filter(({ row }) => !row.baseline || row.changed > row.firstSeen)
    .sort((a, b) => b.row.changed - a.row.changed)
    .slice(0, shownAlerts);
  if (rows.length === 0) return html`<p>Nothing.</p>`;
  return itemTable(rows);
}

/** One section for each mechanism, in the order given. */
function byMechanism({ items }: HostReport): (Html | undefined)[] {
  const groups = new Map<string, HostItem[]>();
  for (const item of items.slice(0, shownItems))
    groups.set(item.mechanism, [...(groups.get(item.mechanism) ?? []), item]);
  const more = items.length - shownItems;
  return [
    ...[...groups].map(([name, group]) =>
      section(`${name.charAt(0).toUpperCase()}${name.slice(1)}: ${group.length}`, itemTable(group)),
    ),
    more > 0
      ? html`<p class="soft">${things(more, 'more item is', 'more items are')} not shown.</p>`
      : undefined,
  ];
}

function itemTable(items: readonly HostItem[]): Html {
  const rows = items.map(({ row, verdict, level }) => {
    const { entry, by, firstSeen, baseline, gone } = row;
    const look = verdict === 'alert' ? (level ?? 'medium') : verdict === 'odd' ? 'notable' : 'neutral';
    const weight = weightOf(entry.findings);
    const findings = entry.findings
      .slice(0, 6)
      .map(
        (word) =>
          html`<br><span class="${Html.raw(levelOf(weight) === 'low' ? 'soft' : 'notable')}">${findingMeaning(word) ?? word}</span>`,
      );
    const runs = entry.program ?? entry.runs[0];
    return [
      html`<b>${entry.label ?? entry.key}</b><br>${code(entry.path, 300)}`,
      html`${code(runs, 300)}${findings}`,
      html`${baseline ? html`<span class="soft">it was there before</span>` : timeTag(firstSeen)}${gone === undefined ? undefined : html`<br>gone ${timeTag(gone)}`}`,
      html`${signer(row)}${by === undefined ? undefined : html`<br><span class="soft">brought by ${by.executable ?? 'a process'}${by.user === undefined ? '' : ` (${by.user})`}</span>`}`,
      html`<span class="${Html.raw(look)}">${verdict}${level === undefined ? '' : ` ${level}`}</span>`,
    ];
  });
  return table(itemColumns, rows) ?? html`<p>Nothing.</p>`;
}

function signer({ entry: { signer: signed } }: InventoryRow): string {
  if (signed === undefined) return 'signature not asked';
  if (signed.exists === false) return 'not signed';
  const who = signed.subject_name ?? signed.team_id ?? signed.signing_id ?? '';
  return signed.trusted === true
    ? who
    : `${who === '' ? 'signature' : who}: ${signed.status ?? 'not trusted'}`;
}

function coverage({ coverage: { running, tier, sensors, rules, notes } }: HostReport): Html {
  const with_ = running ? 'Tier' : 'No agent runs: nothing is watched now. It could run with tier';
  const weak = rules.filter((one) => one.coverage !== 'full' || one.off !== undefined);
  const full = rules.length - weak.length;
  const rows = weak.map(({ name, coverage: sight, off, reasons }) => [
    name,
    html`<span class="${Html.raw(sight === 'blind' ? 'worrying' : 'notable')}">${off === undefined ? sight : `off: ${off}`}</span>`,
    [...new Set(reasons)]
      .slice(0, 4)
      .map((one, index) => html`${index === 0 ? undefined : Html.raw('<br>')}${one}`),
  ]);
  const said = notes.slice(0, 30).map((note) => html`<li class="unknown">${note}</li>`);
  return html`<p>${with_} ${tier ?? 'none'}: ${sensors.join(', ') || 'no sensor'}. ${full} of ${rules.length} rules see all that they were written to see.</p>
${said.length === 0 ? undefined : html`<ul class="points">${said}</ul>`}${table(ruleColumns, rows)}`;
}
