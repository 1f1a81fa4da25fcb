import { parseExactJson } from '../../base/exact-json.js';
import { lookupField } from '../../event/fields.js';

/** What a document of a capture turns out to hold. */
export interface Unwrapped {
  /** `eslogger`: a message of Apple's tool; `ecs`: an event as a SIEM has it. */
  readonly form: 'ecs' | 'eslogger';
  readonly doc: Readonly<Record<string, unknown>>;
  /** True when it stood inside of something else. */
  readonly wrapped: boolean;
}

type Tree = Record<string, unknown>;

const maxDepth = 6;

/**
 * Takes events out of what tools put around them: answers and hits of Elasticsearch and Kibana (`_source`, `fields`, EQL's
 * events and sequences), Filebeat's `message` and `json`, Splunk's `result._raw` and HEC's `event`, and our own exports. A
 * document that is none of these is an event itself.
 */
export function unwrap(value: unknown): readonly Unwrapped[] {
  return open(value, { depth: 0, time: undefined });
}

interface Around {
  readonly depth: number;
  /** A time that what stands around gives, for a document without one. */
  readonly time: unknown;
}

function open(value: unknown, around: Around): readonly Unwrapped[] {
  if (!isTree(value) || around.depth > maxDepth) return [];
  const inside = (one: unknown, time: unknown = around.time) => open(one, { depth: around.depth + 1, time });
  const texts = (text: unknown, time: unknown) => {
    const parsed = jsonIn(text);
    return parsed === undefined ? undefined : inside(parsed, time);
  };
  if (isEslogger(value)) return [{ form: 'eslogger', doc: value, wrapped: around.depth > 0 }];
  const list = listIn(value);
  if (list !== undefined) return list.flatMap((one) => inside(one));
  if (isTree(value['_source'])) return inside(value['_source']);
  if (isTree(value['fields']) && ('_index' in value || '_id' in value))
    return inside(scalars(value['fields']));
  if (isTree(value['result']) && '_raw' in value['result']) return inside(value['result']);
  if (typeof value['_raw'] === 'string') return texts(value['_raw'], value['_time']) ?? [];
  const { schema, doc, event } = value;
  if (typeof schema === 'string' && schema.startsWith('launchwarden.') && isTree(doc)) {
    const embedded = schema.startsWith('launchwarden.alert/') ? doc['Events'] : undefined;
    return Array.isArray(embedded) ? embedded.flatMap((one) => inside(one)) : inside(doc);
  }
  if (
    isTree(event) &&
    ('time' in value || 'sourcetype' in value) &&
    ('@timestamp' in event || isTree(event['event']))
  )
    return inside(event, value['time']);
  if (typeof event === 'string' && ('time' in value || 'sourcetype' in value)) {
    const inner = texts(event, value['time']);
    if (inner !== undefined) return inner;
  }
  const { agent, message, json } = value;
  if (isTree(json) && isTree(agent) && agent['type'] === 'filebeat') return inside(json, value['@timestamp']);
  if (!isTree(value['process']) && !isTree(value['file'])) {
    const inner = texts(message, value['@timestamp']);
    if (inner !== undefined && inner.length > 0) return inner;
  }
  const timed =
    value['@timestamp'] === undefined && around.time !== undefined
      ? { '@timestamp': around.time, ...value }
      : value;
  return [{ form: 'ecs', doc: timed, wrapped: around.depth > 0 || timed !== value }];
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message of es_message_t as eslogger prints it. */
function isEslogger(value: Tree): boolean {
  const { event, process } = value;
  if (!('event_type' in value) || !isTree(event)) return false;
  return 'schema_version' in value || (isTree(process) && 'audit_token' in process);
}

/** What an answer lists: `hits.hits`, `hits.events`, `hits.sequences[].events`, of several searches, of Splunk. */
function listIn(value: Tree): readonly unknown[] | undefined {
  const { hits, rawResponse, responses, results } = value;
  if (isTree(rawResponse)) return [rawResponse];
  if (Array.isArray(responses) && responses.every((one) => isTree(one) && 'hits' in one)) return responses;
  if (Array.isArray(results) && results.every((one) => isTree(one) && '_raw' in one)) return results;
  if (!isTree(hits)) return undefined;
  if (Array.isArray(hits['hits'])) return hits['hits'];
  if (Array.isArray(hits['events'])) return hits['events'];
  if (!Array.isArray(hits['sequences'])) return undefined;
  return hits['sequences'].flatMap((one) =>
    isTree(one) && Array.isArray(one['events']) ? one['events'] : [],
  );
}

function jsonIn(text: unknown): unknown {
  if (typeof text !== 'string' || !/^\s*[{[]/.test(text)) return undefined;
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** `fields` lists every value: what is no list in an event becomes a value again. */
function scalars(fields: Tree): Tree {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.isArray(value) && value.length === 1 && lookupField(name)?.array !== true ? value[0] : value,
    ]),
  );
}
