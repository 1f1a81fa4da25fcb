import { things } from '../../base/count.js';
import { ExitCode } from '../../base/errors.js';
import { formatSize } from '../../base/size.js';
import { type Micros, parseTime } from '../../base/time.js';
import { severities } from '../../event/rule-meta.js';
import { ageText } from '../../policy/index.js';
import { defineCommand, flag } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { counted, type Output, safe } from '../output/output.js';
import { at, listAt, objectsAt, textAt } from '../output/read.js';
import { type Section, Sheet } from '../output/sheet.js';
import { ago } from '../values.js';
import { destinationLine } from './forward/destination-line.js';

export const status = defineCommand({
  description:
    'Asks the running agent. The first line is its verdict, HEALTHY, DEGRADED or BLIND, with all that speaks against it;\n' +
    'exit code 1 when it is not healthy, 3 when none runs on the data directory.',
  options: {
    full: flag('--full', 'with every counter'),
    json: flag('--json', 'what the agent says, as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden status', says: 'whether all is well, and what is not' },
    { line: 'sudo launchwarden status --full', says: 'which sensors run, and what was dropped' },
  ],
  needs: 'root, when the agent runs as a daemon',
  async handler({ context, options }) {
    const { out } = context;
    const reply = await context.askDaemon('status', undefined);
    if (reply === undefined) throw await notRunning(context);
    const { result } = reply;
    const verdict = textAt(result, 'verdict');
    const code = verdict === undefined || verdict === 'healthy' ? ExitCode.ok : ExitCode.checkFailed;
    if (options.json) {
      out.document('status/1', result as object);
      return code;
    }
    printVerdict(result, out);
    printStatus(result, { out, now: context.clock.now(), full: options.full });
    return code;
  },
});

const styles: Record<string, 'green' | 'yellow'> = { healthy: 'green', degraded: 'yellow' };

function printVerdict(result: unknown, out: Output): void {
  const verdict = textAt(result, 'verdict');
  if (verdict === undefined) return;
  const reasons = listAt(result, 'reasons');
  const line = [verdict.toUpperCase(), ...(reasons.length === 0 ? [] : [reasons.join('; ')])].join(': ');
  out.line(out.style(styles[verdict] ?? 'red', line));
  const held = heldText(result);
  if (held !== undefined) out.line(out.style('red', held));
  out.line();
}

function printStatus(
  result: unknown,
  { out, now, full }: { readonly out: Output; readonly now: Micros; readonly full: boolean },
): void {
  const sheet = new Sheet(out);
  sheet.section('Sensors', (section) => {
    section.field('tier', textAt(result, 'tier.running') ?? 'none');
    section.field('because', textAt(result, 'tier.reason'));
    for (const sensor of objectsAt(result, 'sensors'))
      sensorLines(sensor, section, {
        full,
        figures: at(result, `figures.sensors.${at(sensor, 'kind')}`),
        now,
      });
    section.field('addon', textAt(result, 'addon.reason') ?? textAt(result, 'addon.state'));
    section.list('passed over', listAt(result, 'addon.passed_over'));
  });
  sheet.section('Figures', (section) => figureLines(result, section, now));
  sheet.section('Destinations', (section) => {
    const all = objectsAt(result, 'destinations');
    if (all.length === 0 && at(result, 'destinations') !== undefined)
      section.line('none: alerts stay on this machine');
    for (const one of all) section.field(textAt(one, 'name') ?? '?', destinationLine(one, now));
  });
  sheet.section('Disk', (section) => {
    section.field('store', textAt(result, 'store.state'));
    section.field('because', textAt(result, 'store.reason'));
    section.field('since', textAt(result, 'store.since'));
    section.field('free', sizeText(at(result, 'disk.free_bytes')));
    section.field('data', sizeText(at(result, 'disk.data_bytes')));
  });
  sheet.section('Open alerts', (section) => {
    if (Array.isArray(at(result, 'alerts'))) section.line(alertsText(objectsAt(result, 'alerts')));
  });
  sheet.section('Rules', (section) => rulesLines(result, section));
  sheet.section('Configuration', (section) => {
    section.field('policy', policyText(at(result, 'policy')));
    section.list('restart for', listAt(result, 'config.restart'));
  });
  sheet.section('Agent', (section) => {
    section.field('version', textAt(result, 'version'));
    section.field('process', textAt(result, 'pid'));
    section.field('started', textAt(result, 'started'));
    section.field('root', textAt(result, 'root'));
    const off = textAt(result, 'signatures.off');
    section.field('signatures', off === undefined ? undefined : `off: ${off}`);
    if (!full) return;
    section.field('events', counters(at(result, 'pipeline')));
    section.field('detection', counters(at(result, 'detect')));
    section.field('signatures', off === undefined ? counters(at(result, 'signatures')) : undefined);
  });
}

/** `version 12, confirmed 3 h ago`; undefined when no policy is fetched. */
function policyText(policy: unknown): string | undefined {
  if (at(policy, 'wanted') !== true) return undefined;
  const version = textAt(policy, 'version');
  const seconds = at(policy, 'age_seconds');
  return [
    version === undefined ? 'none in force yet' : `version ${version}`,
    ...(at(policy, 'on_trial') === true ? ['on trial'] : []),
    ...(at(policy, 'expired') === true ? ['expired'] : []),
    typeof seconds === 'number' ? `confirmed ${ageText(seconds * 1000)} ago` : 'never confirmed',
  ].join(', ');
}

function sensorLines(
  sensor: unknown,
  section: Section,
  { full, figures, now }: { readonly full: boolean; readonly figures: unknown; readonly now: Micros },
): void {
  const kind = textAt(sensor, 'kind') ?? '?';
  const blind = objectsAt(sensor, 'blind').map(
    (one) => `blind in ${textAt(one, 'place')}: ${textAt(one, 'reason')}`,
  );
  const lines = [
    at(sensor, 'running') === true ? runsText(figures, now) : 'does not run',
    ...blind,
    ...listAt(sensor, 'notes'),
  ];
  const counts = full ? counters(at(sensor, 'counters')) : undefined;
  section.list(kind, [...lines, ...(counts === undefined ? [] : [counts])]);
}

/** `runs since 3h, 12 events a second`. */
function runsText(figures: unknown, now: Micros): string {
  const since = parseTime(at(figures, 'since'))?.time;
  const rate = at(figures, 'per_second');
  return [
    since === undefined ? 'runs' : `runs, started ${ago(since, now)}`,
    ...(typeof rate === 'number' ? [`${rate} events a second`] : []),
  ].join(', ');
}

/** What was dropped or given up by sensors and detection, by its counter's name; nothing when nothing was. */
function dropsText(result: unknown): string {
  const counts = [
    ...objectsAt(result, 'sensors').map(
      (sensor) => [textAt(sensor, 'kind') ?? '?', at(sensor, 'counters')] as const,
    ),
    ['events', at(result, 'pipeline')] as const,
    ['detection', at(result, 'detect')] as const,
  ];
  const drops = counts.flatMap(([whose, counters]) =>
    Object.entries((counters ?? {}) as Record<string, unknown>)
      .filter(([name, count]) => /^(?:dropped|lost|evicted|overflow)/.test(name) && Number(count) > 0)
      .map(([name, count]) => `${whose} ${safe(name)} ${counted(Number(count))}`),
  );
  return drops.length === 0 ? 'nothing' : drops.join(', ');
}

function figureLines(result: unknown, section: Section, now: Micros): void {
  const figures = at(result, 'figures');
  if (figures === undefined) return;
  const share = at(figures, 'cpu_share');
  section.field('memory', sizeText(at(figures, 'memory_bytes')));
  if (typeof share === 'number')
    section.field('processor', `${(share * 100).toFixed(1)} % of one, over ${textAt(figures, 'seconds')} s`);
  section.field(
    'waiting',
    [
      `${things(Number(textAt(result, 'queues.events') ?? 0), 'event')} to be judged`,
      `${things(Number(textAt(result, 'queues.alerts') ?? 0), 'alert')} to be stored`,
      `${things(
        objectsAt(result, 'destinations').reduce((sum, one) => sum + rowsOf(one), 0),
        'document',
      )} to be sent`,
    ].join(', '),
  );
  section.field('dropped', dropsText(result));
  const gap = at(figures, 'gaps.last');
  const gapAt = parseTime(at(gap, 'at'))?.time;
  section.field(
    'gaps',
    `${textAt(figures, 'gaps.since_start') ?? '0'} since the start${gapAt === undefined ? '' : `, the last ${ago(gapAt, now)}: ${textAt(gap, 'sensor')}, ${textAt(gap, 'reason')}`}`,
  );
  const alertAt = parseTime(at(result, 'last_alert.at'))?.time;
  section.field(
    'last alert',
    alertAt === undefined
      ? 'none'
      : `${ago(alertAt, now)}: ${textAt(result, 'last_alert.rule')} (${textAt(result, 'last_alert.severity')})`,
  );
  const sent = objectsAt(result, 'destinations').flatMap((one) => parseTime(at(one, 'last_ok'))?.time ?? []);
  section.field('last delivery', sent.length === 0 ? 'none' : ago(Math.max(...sent), now));
}

function rowsOf(destination: unknown): number {
  return ['alert', 'status', 'event'].reduce(
    (sum, lane) => sum + Number(at(destination, `lanes.${lane}.rows`) ?? 0),
    0,
  );
}

function rulesLines(result: unknown, section: Section): void {
  const count = (name: string) => Number(at(result, `rule_counts.${name}`) ?? 0);
  const total = textAt(result, 'rules');
  if (at(result, 'rule_counts') === undefined) {
    section.field('loaded', total);
    return;
  }
  section.field('on', counted(count('on')));
  section.field('off', counted(count('off')));
  const degraded = count('degraded');
  section.field(
    'degraded',
    degraded === 0
      ? '0'
      : `${counted(degraded)}: the running sensors cannot serve them ("launchwarden coverage --degraded")`,
  );
  section.list('parked', listAt(result, 'parked_rules'));
}

function alertsText(rows: readonly Record<string, unknown>[]): string {
  const sum = (of: (row: Record<string, unknown>) => boolean) =>
    rows.filter(of).reduce((total, row) => total + Number(row['alerts'] ?? 0), 0);
  const open = sum(({ status: word }) => word === 'open');
  const acknowledged = sum(({ status: word }) => word === 'acknowledged');
  const levels = [...severities]
    .reverse()
    .map((level) => [level, sum((row) => row['level'] === level)] as const)
    .filter(([, count]) => count > 0)
    .map(([level, count]) => `${counted(count)} ${level}`);
  return `${counted(open)} open, ${counted(acknowledged)} acknowledged${levels.length === 0 ? '' : `: ${levels.join(', ')}`}`;
}

function sizeText(bytes: unknown): string | undefined {
  return typeof bytes === 'number' ? formatSize(bytes) : undefined;
}

const troubles: Readonly<Record<string, string>> = { full: 'Disk full', busy: 'Database in use' };

/** What the store holds in memory alone: a line of its own, since a crash loses it. */
function heldText(result: unknown): string | undefined {
  const alerts = Number(at(result, 'store.held_alerts') ?? 0);
  const events = Number(at(result, 'store.held_events') ?? 0);
  if (alerts + events === 0) return undefined;
  const held = [
    ...(alerts === 0 ? [] : [things(alerts, 'alert')]),
    ...(events === 0 ? [] : [things(events, 'event')]),
  ];
  const state = textAt(result, 'store.state') ?? '';
  return `${troubles[state] ?? `Store ${state}`}: ${held.join(' and ')} held in memory`;
}

/** `observed 12, cpu_share 0.0059`: counts as they are, measured figures with the digits that say something. */
function counters(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const shown = (name: string) => {
    const one = at(value, name);
    if (typeof one === 'number' && !Number.isInteger(one))
      return String(Math.abs(one) >= 100 ? Math.round(one) : Number(one.toPrecision(2)));
    return textAt(value, name) ?? '0';
  };
  return Object.keys(value)
    .map((name) => `${safe(name)} ${shown(name)}`)
    .join(', ');
}
