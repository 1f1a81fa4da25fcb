import { UserError } from '../base/errors.js';
import { type Forwarder, pauseStored, resumeStored, storedStatus } from '../forward/index.js';
import type { DeadFilter, Outbox } from '../store/index.js';
import type { ControlHandlers } from './control.js';

export interface ForwardControlParts {
  readonly outbox: Outbox;
  /** Absent when no daemon runs and the command line acts on the store itself. */
  readonly forwarder?: Pick<Forwarder, 'pause' | 'resume' | 'status' | 'wake'>;
}

function bad(what: string): UserError {
  return new UserError('forward/bad-request', `not a forwarding request: ${what}`);
}

function textOf(args: unknown, key: string, limit: number): string | undefined {
  const value = (args as Record<string, unknown> | null | undefined)?.[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > limit) throw bad(key);
  return value;
}

function nameOf(args: unknown): string {
  const name = textOf(args, 'name', 200);
  if (name === undefined) throw bad('name');
  return name;
}

/** Which dead letters; `all` must be said when nothing else narrows it. */
function filterOf(args: unknown): DeadFilter & { diedBefore?: number } {
  const destination = textOf(args, 'destination', 200);
  const id = textOf(args, 'id', 200);
  const fields = (args ?? {}) as { readonly all?: unknown; readonly diedBefore?: unknown };
  const diedBefore = Number.isSafeInteger(fields.diedBefore) ? (fields.diedBefore as number) : undefined;
  if (destination === undefined && id === undefined && diedBefore === undefined && fields.all !== true)
    throw bad('which');
  return {
    ...(destination === undefined ? {} : { destination }),
    ...(id === undefined ? {} : { id }),
    ...(diedBefore === undefined ? {} : { diedBefore }),
  };
}

/** The requests about forwarding: the daemon's answers on its socket, and the command line's own way without one. */
export function forwardHandlers(parts: ForwardControlParts): ControlHandlers {
  const { outbox } = parts;
  return {
    'forward.status': () => parts.forwarder?.status() ?? storedStatus(outbox),
    'forward.pause': (args) => {
      const name = nameOf(args);
      const reason = textOf(args, 'reason', 500) ?? 'paused by hand';
      // One that is not configured is known to the outbox alone.
      if (parts.forwarder?.pause(name, reason) !== true) pauseStored(outbox, name, reason);
      return { name };
    },
    'forward.resume': (args) => {
      const name = nameOf(args);
      if (parts.forwarder?.resume(name) !== true) resumeStored(outbox, name);
      return { name };
    },
    'outbox.retry': (args) => {
      const count = outbox.dead.retry(filterOf(args));
      parts.forwarder?.wake();
      return { count };
    },
    'outbox.purge': (args) => ({ count: outbox.dead.purge(filterOf(args)) }),
  };
}
