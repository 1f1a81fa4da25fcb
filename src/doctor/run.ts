import { messageOf } from '../base/errors.js';
import { clip, escapeText } from '../base/escape.js';
import { type Probe, unknown, type Verdict } from './probe.js';
import type { DoctorSystem } from './system.js';

export interface Examined {
  readonly probe: Probe;
  readonly verdict: Verdict;
  readonly tookMs: number;
  /** Cures that `--fix` did; the verdict is that of afterwards. */
  readonly fixed: readonly { readonly does: string; readonly error?: string }[];
}

export interface RunOptions {
  readonly probes: readonly Probe[];
  readonly system: DoctorSystem;
  readonly fix: boolean;
  /** Milliseconds for one probe; what takes longer is `unknown`. */
  readonly limitMs?: number;
}

const defaultLimitMs = 30_000;
const maxText = 1_000;
const maxDetails = 20;

/** Asks one probe after the other; one that fails or hangs does not keep the others from being asked. */
export async function* examine({
  probes,
  system,
  fix,
  limitMs = defaultLimitMs,
}: RunOptions): AsyncGenerator<Examined> {
  for (const probe of probes) {
    const started = system.clock.monotonic();
    let { verdict, facts } = await ask(probe, system, limitMs);
    const fixed: { does: string; error?: string }[] = [];
    if (fix && facts !== undefined && verdict.mark !== 'ok' && verdict.mark !== 'not-here') {
      for (const one of fixesOf(probe, facts.read, system)) {
        try {
          await one.run();
          fixed.push({ does: one.does });
        } catch (error) {
          fixed.push({ does: one.does, error: messageOf(error) });
        }
      }
      if (fixed.length > 0) ({ verdict } = await ask(probe, system, limitMs));
    }
    yield { probe, verdict, tookMs: Math.round(system.clock.monotonic() - started), fixed };
  }
}

function fixesOf(probe: Probe, facts: unknown, system: DoctorSystem) {
  try {
    return probe.fix?.(facts, system) ?? [];
  } catch {
    return [];
  }
}

async function ask(
  probe: Probe,
  system: DoctorSystem,
  limitMs: number,
): Promise<{ verdict: Verdict; facts?: { readonly read: unknown } }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  try {
    const read = Promise.resolve()
      .then(() => probe.read(system))
      .then((facts) => ({ facts }));
    // It may fail when nobody waits for it any more.
    read.catch(() => {});
    const answer = await Promise.race([read, late]);
    if (answer === 'late') return { verdict: unknown(`no answer within ${limitMs / 1000} s`) };
    const verdict = bounded(probe.judge(answer.facts, system.clock.now()));
    return { verdict, facts: { read: answer.facts } };
  } catch (error) {
    return { verdict: bounded(unknown(messageOf(error).split('\n')[0] ?? '', hintOf(error))) };
  } finally {
    clearTimeout(timer);
  }
}

function hintOf(error: unknown): string | undefined {
  const { hint } = error as { hint?: unknown };
  return typeof hint === 'string' ? hint : undefined;
}

function bounded({ mark, found, cure, details = [] }: Verdict): Verdict {
  const line = (text: string) => escapeText(clip(text, maxText));
  const shown = details.slice(0, maxDetails).map(line);
  if (details.length > maxDetails) shown.push(`… and ${details.length - maxDetails} more`);
  return {
    mark,
    found: line(found),
    ...(cure === undefined ? {} : { cure: line(cure) }),
    ...(shown.length === 0 ? {} : { details: shown }),
  };
}
