import { messageOf, UserError } from '../base/errors.js';
import { escapeText } from '../base/escape.js';
import type { Destination, Verdict } from './destination.js';
import { processRedactor } from './net/redact.js';

/** Characters of what a receiver says that are kept. */
const maxSaid = 500;

/** Somebody else's words, safe to store and print: escaped, without our secrets, bounded. */
export function cleaned(words: unknown): string {
  const text = typeof words === 'string' ? words : messageOf(words);
  // What is cut off here cannot have been masked in part.
  const most = text.slice(0, maxSaid * 8);
  return processRedactor.redact(escapeText(most)).slice(0, maxSaid);
}

/** A destination whose receiver's words, errors of libraries included, enter the agent here and nowhere else. */
export function redacted(destination: Destination): Destination {
  const clean = (verdict: Verdict): Verdict => {
    if (typeof verdict !== 'object' || verdict === null) return verdict;
    if ('reason' in verdict) return { ...verdict, reason: cleaned(verdict.reason) };
    if ('warning' in verdict && verdict.warning !== undefined)
      return { ...verdict, warning: cleaned(verdict.warning) };
    return verdict;
  };
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      // Made anew: the stack and the cause of the first one hold the same words.
      throw new Error(cleaned(error));
    }
  };
  return {
    name: destination.name,
    type: destination.type,
    network: destination.network,
    get clockSkewMs() {
      return destination.clockSkewMs;
    },
    get limits() {
      return destination.limits;
    },
    stream: destination.stream === undefined ? undefined : (item) => destination.stream?.(item) ?? item.lane,
    send: (items, signal) =>
      guarded(async () => {
        const verdicts = await destination.send(items, signal);
        return Array.isArray(verdicts) ? verdicts.map(clean) : verdicts;
      }),
    probe: (signal) =>
      guarded(async () => {
        const probe = await destination.probe(signal);
        return { ...probe, detail: cleaned(probe.detail) };
      }),
    ...(destination.mayWrite === undefined
      ? {}
      : {
          mayWrite: (signal: AbortSignal) =>
            guarded(async () => {
              const answer = await destination.mayWrite?.(signal);
              return { ok: answer?.ok ?? null, detail: cleaned(answer?.detail ?? '') };
            }),
        }),
    close: () => guarded(() => destination.close()),
  };
}

/** An error of setting up whose message names no secret. */
export function withoutSecrets(error: unknown): unknown {
  const message = messageOf(error);
  const clean = processRedactor.redact(message);
  if (clean === message) return error;
  if (!(error instanceof UserError)) return new Error(clean);
  const { code, hint, at, exitCode } = error;
  return new UserError(code, clean, {
    exitCode,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  });
}
