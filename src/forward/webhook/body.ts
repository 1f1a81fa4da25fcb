import { escapeText } from '../../base/escape.js';
import type { EcsDocument } from '../../event/document.js';
import type { OutboxItem } from '../destination.js';

/** Formats of services that take a message of their own instead of a document. */
export const messageFormats = ['slack', 'teams', 'pagerduty'] as const;
export type MessageFormat = (typeof messageFormats)[number];

export function isMessageFormat(format: string): format is MessageFormat {
  return (messageFormats as readonly string[]).includes(format);
}

/** What a message tells of one document, each text in one line and bounded. */
interface Facts {
  readonly title: string;
  readonly severity: string;
  readonly lines: readonly (readonly [label: string, value: string])[];
  readonly host: string;
  readonly time: string;
}

const maxValue = 500;

function text(value: unknown): string {
  const whole = Array.isArray(value) ? value.join(', ') : value;
  const said = typeof whole === 'string' || typeof whole === 'number' ? String(whole) : '';
  const short = said.length > maxValue ? `${said.slice(0, maxValue - 1)}…` : said;
  // Half a character is none.
  return escapeText(short.replaceAll(/\p{Surrogate}/gu, '\ufffd'));
}

/** Our own harmless launch item (`launchwarden canary`). */
function isCanary({ lane, body }: OutboxItem): boolean {
  return lane === 'alert' && (JSON.parse(body) as EcsDocument).labels?.['launchwarden_canary'] === true;
}

function factsOf(item: OutboxItem): Facts {
  const doc = JSON.parse(item.body) as EcsDocument;
  const rule = doc['rule'] as { id?: unknown; name?: unknown } | undefined;
  const alert = doc.launchwarden?.['alert'] as
    | { severity?: unknown; priority?: { score?: unknown; level?: unknown } }
    | undefined;
  const host = text(doc.host?.name) || 'unknown host';
  const title = text(rule?.name ?? doc.message) || text(doc.event?.action) || item.lane;
  const escalation = (doc.launchwarden?.['escalation'] ?? {}) as Readonly<Record<string, unknown>>;
  const told: [string, unknown][] = [
    ['Escalated by', escalation['author']],
    ['Ticket', escalation['ticket']],
    ['Note', escalation['note']],
    ['Alert', escalation['alert']],
    ['Host', host],
    ['Rule', rule?.id],
    ['Priority', alert?.priority && `${text(alert.priority.level)} (${text(alert.priority.score)})`],
    ['File', doc.file?.path],
    ['Process', doc.process?.executable],
    ['User', doc.user?.name],
    ['Time', doc['@timestamp']],
    ['Id', item.id],
  ];
  return {
    title: item.update === true ? `${title} (revision ${item.revision})` : title,
    severity: isCanary(item) ? 'canary' : text(alert?.severity) || 'none',
    lines: told.map(([label, value]) => [label, text(value)] as const).filter(([, value]) => value !== ''),
    host,
    time: text(doc['@timestamp']),
  };
}

/** PagerDuty's four severities. */
const severities: Readonly<Record<string, string>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
};

/** Slack reads `<...>` as links and mentions; these three characters are all that it asks to escape. */
function slackText(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function heading({ severity, title }: Facts): string {
  return severity === 'none' ? title : `[${severity}] ${title}`;
}

/**
 * The body of one request: Slack's incoming webhooks (`text`), Microsoft Teams' workflows (an adaptive card, in text runs
 * since text blocks read Markdown), PagerDuty's Events API v2.
 */
export function messageBody(item: OutboxItem, format: MessageFormat, routingKey: string): string {
  const facts = factsOf(item);
  const lines = facts.lines.map(([label, value]) => `${label}: ${value}`);
  switch (format) {
    case 'slack':
      return JSON.stringify({ text: slackText([heading(facts), ...lines].join('\n')) });
    case 'teams': {
      const run = (said: string, more: object = {}) => ({
        type: 'RichTextBlock',
        inlines: [{ type: 'TextRun', text: said, ...more }],
      });
      const content = {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [run(heading(facts), { weight: 'bolder' }), ...lines.map((line) => run(line))],
      };
      const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', content };
      return JSON.stringify({ type: 'message', attachments: [attachment] });
    }
    case 'pagerduty':
      return JSON.stringify({
        routing_key: routingKey,
        // The canary proves the way there, and wakes nobody.
        event_action: facts.severity === 'canary' ? 'resolve' : 'trigger',
        // Revisions of an alert are the same incident.
        dedup_key: item.id.slice(0, 255),
        payload: {
          summary: `${heading(facts)} on ${facts.host}`.slice(0, 1024),
          source: facts.host,
          severity: severities[facts.severity] ?? 'info',
          ...(facts.time === '' ? {} : { timestamp: facts.time }),
          custom_details: Object.fromEntries(facts.lines),
        },
      });
  }
}

/** Whether a service of people wants the document: no raw events, no heartbeats; a pager is for alerts (and for tests). */
export function isForPeople(item: OutboxItem, format: MessageFormat): boolean {
  if (item.lane !== 'status') return item.lane === 'alert';
  const { action } = (JSON.parse(item.body) as EcsDocument).event ?? {};
  if (format !== 'pagerduty') return action !== 'heartbeat';
  return action === 'test' || action === 'escalated';
}
