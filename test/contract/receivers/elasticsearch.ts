import type { Answer, Received } from './http.js';

/** What one document gets instead of being stored. */
export interface Refusal {
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason: string };
  readonly failureStore?: boolean;
}

/** As much of Elasticsearch as a shipper sees: `_bulk` on data streams, authentication, assets. */
export class FakeElasticsearch {
  /** Documents by stream and id. */
  readonly streams = new Map<string, Map<string, Record<string, unknown>>>();
  readonly assets = new Map<string, unknown>();
  /** Decides per document; undefined stores it. */
  refuse: (id: string, doc: Record<string, unknown>) => Refusal | undefined = () => undefined;

  readonly handler = ({ method, url, headers, body }: Received): Answer => {
    const product = { 'x-elastic-product': 'Elasticsearch' };
    const json = (status: number, value: unknown) => ({
      status,
      headers: product,
      body: JSON.stringify(value),
    });
    const authorized = /^(?:ApiKey|Basic) [A-Za-z0-9+/=]+$/.test(headers.authorization ?? '');
    if (!authorized)
      return json(401, { error: { type: 'security_exception', reason: 'missing authentication' } });
    const path = url.split('?')[0] ?? '';
    if (method === 'GET') return json(200, { username: 'launchwarden', version: { number: '9.4.3' } });
    if (method === 'PUT') {
      this.assets.set(path, JSON.parse(body));
      return json(200, { acknowledged: true });
    }
    if (method !== 'POST' || !path.endsWith('/_bulk'))
      return json(404, { error: { type: 'no_handler', reason: url } });
    if (!body.endsWith('\n'))
      return json(400, { error: { type: 'illegal_argument_exception', reason: 'no newline at the end' } });
    const lines = body.split('\n').slice(0, -1);
    const items: unknown[] = [];
    for (let n = 0; n < lines.length; n += 2) items.push(this.#create(lines[n] ?? '', lines[n + 1] ?? ''));
    const errors = items.some((item) => (item as { create: { status: number } }).create.status >= 300);
    return json(200, { errors, took: 1, items });
  };

  stored(): string[] {
    return [...this.streams.values()].flatMap((docs) => [...docs.keys()]);
  }

  #create(action: string, source: string): object {
    const { create } = JSON.parse(action) as { create?: { _index: string; _id: string } };
    if (create === undefined)
      return { index: { status: 400, error: { type: 'illegal_argument_exception', reason: 'only create' } } };
    const { _index, _id } = create;
    const fail = (status: number, type: string, reason: string) => ({
      create: { _index, _id, status, error: { type, reason } },
    });
    const doc = JSON.parse(source) as Record<string, unknown> & { data_stream?: Record<string, string> };
    const refusal = this.refuse(_id, doc);
    if (refusal?.failureStore) return { create: { _index, _id, status: 201, failure_store: 'used' } };
    if (refusal !== undefined)
      return { create: { _index, _id, status: refusal.status, error: refusal.error } };
    if (typeof doc['@timestamp'] !== 'string')
      return fail(400, 'document_parsing_exception', 'data stream timestamp field [@timestamp] is missing');
    // data_stream.* are constant keywords: they must name the stream.
    const stream = doc.data_stream;
    const named =
      stream === undefined ? _index : `${stream['type']}-${stream['dataset']}-${stream['namespace']}`;
    if (named !== _index) return fail(400, 'document_parsing_exception', `[data_stream] says ${named}`);
    const docs = this.streams.get(_index) ?? new Map<string, Record<string, unknown>>();
    this.streams.set(_index, docs);
    if (docs.has(_id)) return fail(409, 'version_conflict_engine_exception', 'document already exists');
    docs.set(_id, doc);
    return { create: { _index, _id, status: 201, result: 'created' } };
  }
}
