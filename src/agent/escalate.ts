import { UserError } from '../base/errors.js';
import { isPlainText, quote } from '../base/escape.js';
import { didYouMean } from '../base/nearest.js';
import { escalationDocument } from '../forward/index.js';
import { escalationBundle } from '../respond/collect/index.js';
import type { Store } from '../store/index.js';

/** Name of the request on the control socket. */
export const escalateOp = 'alerts.escalate';

export interface EscalateRequest {
  /** Whole id of an alert. */
  readonly id: string;
  /** Name of a destination. */
  readonly to: string;
  readonly author: string;
  readonly ticket?: string;
  readonly note?: string;
}

export interface EscalateParts {
  readonly store: Store;
  readonly version: string;
  readonly agentId: string;
  /** Microseconds. */
  now(): number;
  /** Destinations of the configuration that take documents of this machine, simulated or not as it is. */
  readonly destinations: readonly string[];
  /** All of the configuration that take documents at all. */
  readonly known: readonly string[];
  /** Bytes that a destination takes at once; undefined when that is not known. */
  limitOf?(destination: string): number | undefined;
  /** Something was put into the outbox. */
  added?(): void;
}

const maxText = 4_000;
/** A document is a message: what is larger belongs into an archive (`collect`). */
const mostBytes = 512 * 1024;
/** Of the document beside the bundle. */
const reserve = 96 * 1024;

function isRequest(args: unknown): args is EscalateRequest {
  const { id, to, author, ticket = '', note = '' } = (args ?? {}) as Record<string, unknown>;
  if (typeof ticket !== 'string' || !isPlainText(ticket)) return false;
  return [id, to, author, ticket, note].every((one) => typeof one === 'string' && one.length <= maxText);
}

/**
 * Puts an alert with its bundle into the queue of one destination, and notes that on the alert. The daemon's answer on its
 * socket, and the command line's own way when no daemon runs. Throws a UserError.
 */
export function applyEscalation(parts: EscalateParts, args: unknown): { readonly document: string } {
  if (!isRequest(args)) throw new UserError('alerts/bad-request', 'not a request to escalate');
  const { store, version, agentId, limitOf, added } = parts;
  const { id, to, author, ticket, note } = args;
  const alert = store.alerts.get(id);
  if (alert === undefined) throw new UserError('alerts/unknown', `there is no alert ${quote(id, 100)}`);
  requireDestination(parts, to);
  const maxBytes = Math.min(mostBytes, limitOf?.(to) ?? mostBytes);
  const document = escalationDocument(
    {
      alert: alert.doc,
      alertId: alert.id,
      author,
      ...(ticket === undefined ? {} : { ticket }),
      ...(note === undefined ? {} : { note }),
      bundle: escalationBundle(store, alert, { maxBytes: Math.max(16_384, maxBytes - reserve) }),
    },
    parts.now(),
    {
      version,
      agentId,
      simulated: alert.doc.labels?.['launchwarden_simulated'] === true,
      ...(alert.doc.host === undefined ? {} : { host: alert.doc.host }),
    },
  );
  store.outbox.add(document, [to]);
  const why = [ticket === undefined ? undefined : `ticket ${ticket}`, note].filter(
    (one) => one !== undefined,
  );
  store.alerts.addNote(alert.id, {
    author,
    text: `Escalated to ${to}${why.length === 0 ? '' : `: ${why.join('; ')}`} (document ${document.id}).`,
  });
  added?.();
  return { document: document.id };
}

function requireDestination({ destinations, known }: EscalateParts, to: string): void {
  if (known.includes(to) && destinations.includes(to)) return;
  if (known.includes(to))
    throw new UserError('alerts/held-destination', `destination "${to}" takes nothing of a --root tree`, {
      hint: 'Set "simulated = true" on it to let simulated documents out, or escalate to a file.',
    });
  throw new UserError('alerts/unknown-destination', `there is no destination ${quote(to, 100)}`, {
    hint:
      didYouMean(to, known) ??
      (known.length === 0
        ? 'The configuration has none: add a [[destination]].'
        : `The configuration has: ${known.join(', ')}.`),
  });
}
