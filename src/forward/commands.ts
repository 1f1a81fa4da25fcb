import { messageOf, UserError } from '../base/errors.js';
import { formatMicros } from '../base/time.js';
import type { DeadFilter, DeadLetter, Lane, Outbox, OutboxItem } from '../store/outbox.js';
import type { Verdict } from './destination.js';
import { userPause } from './drain.js';
import { type ElasticAsset, elasticAssets } from './elasticsearch/assets.js';
import { type OpenContext, openDestination } from './open.js';
import type { DestinationOptions } from './options.js';
import { cleaned } from './redacted.js';
import { type DestinationStatus, shownStatus } from './shown-status.js';
import { type StatusContext, testDocument } from './status.js';

/** What `forward test` found. `verdict` is there when a test document was sent. */
export interface TestResult {
  readonly ok: boolean;
  readonly detail: string;
  readonly verdict?: Verdict;
}

/**
 * Asks a destination whether it would take something; with `send` also sends one status document that says it is a test.
 * Throws a UserError when the destination cannot be set up.
 */
export async function testDestination(
  options: DestinationOptions,
  context: OpenContext,
  how: { readonly signal: AbortSignal; readonly send?: StatusContext },
): Promise<TestResult> {
  const destination = await openDestination(options, context);
  try {
    const probe = await destination.probe(how.signal);
    if (!probe.ok || how.send === undefined) return probe;
    const document = testDocument(context.clock.now(), how.send);
    const item: OutboxItem = { seq: 0, lane: 'status', revision: 1, ...document };
    const [verdict] = await destination.send([item], how.signal);
    const taken = verdict?.kind === 'delivered' || verdict?.kind === 'duplicate';
    const said = verdict !== undefined && 'reason' in verdict ? `: ${verdict.reason}` : '';
    const detail = taken
      ? `took test document ${document.id}`
      : `did not take the test document (${verdict?.kind}${said})`;
    return { ok: taken, detail, ...(verdict === undefined ? {} : { verdict }) };
  } catch (error) {
    return { ok: false, detail: messageOf(error) };
  } finally {
    await destination.close();
  }
}

/** The state of every destination that the outbox knows, from the store alone: without the daemon too. */
export function storedStatus(outbox: Outbox): DestinationStatus[] {
  return outbox.states().map((stored) => {
    const depth = (lane: Lane) => outbox.depth(stored.name, lane);
    const depths = { alert: depth('alert'), status: depth('status'), event: depth('event') };
    return shownStatus({ stored, depths });
  });
}

/** Pauses a destination while no daemon runs; the next one finds it paused. */
export function pauseStored(outbox: Outbox, name: string, reason: string): void {
  outbox.patch(name, { pausedUntil: userPause, pauseReason: reason });
}

export function resumeStored(outbox: Outbox, name: string): void {
  outbox.patch(name, { pausedUntil: null, pauseReason: null, fails: 0 });
}

/** A dead letter with its document, as `outbox dead show` and `export` give it. */
export interface DeadDocument extends DeadLetter {
  readonly diedAt: string;
  /** Absent when the document is no longer stored. */
  readonly document?: unknown;
}

export function* deadDocuments(outbox: Outbox, filter: DeadFilter = {}): Generator<DeadDocument> {
  for (const letter of outbox.dead.list(filter)) {
    const body = outbox.dead.body(letter);
    const diedAt = formatMicros(letter.died * 1000);
    yield { ...letter, diedAt, ...(body === undefined ? {} : { document: JSON.parse(body) as unknown }) };
  }
}

export interface AssetResult {
  readonly path: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** `siem elastic-assets --install`: puts templates and pipeline, in the order in which they need each other. */
export async function installElasticAssets(
  options: DestinationOptions,
  context: OpenContext,
  signal: AbortSignal,
): Promise<AssetResult[]> {
  if (options.type !== 'elasticsearch') {
    throw new UserError(
      'forward/not-elasticsearch',
      `a destination of type "${options.type}" has no Elasticsearch assets`,
      {
        hint: 'Name a destination of type "elasticsearch" whose key may manage templates and pipelines.',
      },
    );
  }
  const { ElasticsearchDestination } = await import('./elasticsearch/elasticsearch.js');
  const destination = await ElasticsearchDestination.open(
    options.name ?? options.type,
    options,
    context.clock,
  );
  const put = async ({ path, body }: ElasticAsset): Promise<AssetResult> => {
    try {
      const { status, detail } = await destination.put(path, body, signal);
      return { path, ok: status >= 200 && status < 300, detail: cleaned(detail) };
    } catch (error) {
      return { path, ok: false, detail: cleaned(error) };
    }
  };
  const results: AssetResult[] = [];
  try {
    for (const asset of elasticAssets()) {
      results.push(await put(asset));
      if (results.at(-1)?.ok === false) break;
    }
  } finally {
    await destination.close();
  }
  return results;
}
