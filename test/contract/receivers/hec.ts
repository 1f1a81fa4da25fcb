import type { Answer, Received } from './http.js';

const reply = (status: number, code: number, text: string, more: object = {}): Answer => ({
  status,
  body: JSON.stringify({ text, code, ...more }),
});

interface HecEvent {
  readonly event?: unknown;
  readonly fields?: Record<string, string>;
}

/** Reads JSON objects that stand one after the other. */
export function concatenated(body: string): unknown[] {
  const values: unknown[] = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let n = 0; n < body.length; n++) {
    const char = body[n];
    if (quoted) {
      if (char === '\\') n++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') {
      if (depth++ === 0) start = n;
    } else if (char === '}' && --depth === 0) values.push(JSON.parse(body.slice(start, n + 1)));
  }
  return values;
}

/** As much of Splunk's HTTP Event Collector as a shipper sees. */
export class FakeHec {
  readonly token = 'a-hec-token-of-the-test';
  readonly events: HecEvent[] = [];
  /** Whether the token has indexer acknowledgement. */
  acks: boolean;
  /** How many times an acknowledgement is asked for before it says true; Infinity never. */
  pendingPolls = 1;
  readonly #polls = new Map<number, number>();
  #nextAck = 0;

  constructor(acks: boolean) {
    this.acks = acks;
  }

  readonly handler = ({ method, url, headers, body }: Received): Answer => {
    if (headers.authorization === undefined) return reply(401, 2, 'Token is required');
    if (headers.authorization !== `Splunk ${this.token}`) return reply(403, 4, 'Invalid token');
    const channel = headers['x-splunk-request-channel'];
    if (method === 'GET' && url.startsWith('/services/collector/health'))
      return reply(200, 17, 'HEC is healthy');
    if (url.startsWith('/services/collector/ack')) return this.#ack(channel, body);
    if (!url.startsWith('/services/collector'))
      return { status: 404, body: '{"text":"The requested URL was not found","code":404}' };
    if (this.acks && channel === undefined) return reply(400, 10, 'Data channel is missing');
    const events = concatenated(body) as HecEvent[];
    if (events.length === 0) return reply(400, 5, 'No data');
    const bad = events.findIndex(({ event }) => event === undefined);
    if (bad !== -1) return reply(400, 12, 'Event field is required', { 'invalid-event-number': bad });
    this.events.push(...events);
    if (!this.acks) return reply(200, 0, 'Success');
    const ackId = this.#nextAck++;
    this.#polls.set(ackId, 0);
    return reply(200, 0, 'Success', { ackId });
  };

  stored(): string[] {
    return [...new Set(this.events.map(({ fields }) => fields?.['event_id'] ?? ''))];
  }

  #ack(channel: unknown, body: string): Answer {
    if (!this.acks) return reply(400, 14, 'ACK is disabled');
    if (channel === undefined) return reply(400, 10, 'Data channel is missing');
    const { acks } = JSON.parse(body) as { acks: number[] };
    const known = acks.map((id) => {
      const polls = (this.#polls.get(id) ?? 0) + 1;
      this.#polls.set(id, polls);
      return [id, polls > this.pendingPolls];
    });
    return { status: 200, body: JSON.stringify({ acks: Object.fromEntries(known) }) };
  }
}
