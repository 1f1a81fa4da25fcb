import { messageOf, UserError } from '../base/errors.js';
import { clip } from '../base/escape.js';
import type { Answers } from './answers.js';
import { type Answer, type Need, notAsked, type Question } from './question.js';
import type { ProveSystem } from './system.js';
import type { OpenedSystem } from './this-system.js';

export interface Asked {
  readonly question: Question;
  readonly answer: Answer;
  readonly tookMs: number;
  /** True when an earlier run had asked it. */
  readonly resumed: boolean;
  /** What could not be undone: a person has to do it. */
  readonly left: readonly string[];
}

export interface RunOptions {
  readonly questions: readonly Question[];
  readonly answers: Answers;
  /** Asks them also when an earlier run has. */
  readonly again?: boolean;
  /** Ends everything: what was not asked by then is said to be interrupted. */
  readonly interruption: AbortSignal;
  /** A view of the machine for one question. */
  readonly open: (signal: AbortSignal) => OpenedSystem;
  /** Milliseconds that a question may take. */
  readonly limitMs?: number;
}

const defaultLimitMs = 180_000;
const maxFound = 600;
const maxDetails = 60;
const maxDetail = 2_000;

/** Asks one question after the other; each is undone before the next one is asked. */
export async function* askAll(options: RunOptions): AsyncGenerator<Asked> {
  const { questions, answers, again = false, interruption, open, limitMs = defaultLimitMs } = options;
  for (const question of questions) {
    const known = again ? undefined : answers.get(question.name);
    if (known !== undefined) {
      yield { question, answer: known, tookMs: 0, resumed: true, left: [] };
      continue;
    }
    const limit = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([interruption, limit]);
    const opened = open(signal);
    const begun = opened.system.monotonic();
    let answer: Answer;
    try {
      answer = hindrance(question, opened.system, interruption) ?? (await ended(question, opened.system));
    } catch (error) {
      answer = notAsked(
        interruption.aborted
          ? 'it was interrupted'
          : limit.aborted
            ? `it took longer than ${limitMs / 1000} s`
            : error instanceof UserError && error.hint !== undefined
              ? `${error.message}: ${error.hint}`
              : messageOf(error),
      );
    }
    const tookMs = Math.round(opened.system.monotonic() - begun);
    const left = await opened.undo();
    const bounded = boundedAnswer(answer);
    // What stand-ins say is told and not kept.
    if (!opened.system.simulated) answers.set(question.name, bounded);
    yield { question, answer: bounded, tookMs, resumed: false, left };
  }
}

/** Why the question cannot be asked here; undefined when it can. */
function hindrance(question: Question, system: ProveSystem, interruption: AbortSignal): Answer | undefined {
  if (interruption.aborted) return notAsked('it was interrupted');
  if (system.platform !== 'darwin' && !system.simulated) return notAsked('needs macOS');
  for (const need of question.needs ?? []) {
    const reason = lacks[need](system);
    if (reason !== undefined) return notAsked(reason);
  }
  const missing = (question.programs ?? []).find((program) => !system.has(program));
  return missing === undefined ? undefined : notAsked(`there is no ${missing}`);
}

const lacks: Record<Need, (system: ProveSystem) => string | undefined> = {
  root: ({ uid, simulated }) => (uid === 0 || simulated ? undefined : 'needs root: use sudo'),
  addon: addonMissing,
  'mac-addon': (system) =>
    system.platform === 'darwin' && !system.simulated
      ? addonMissing(system)
      : "needs the addon's macOS half, for which nothing stands in",
};

function addonMissing(system: ProveSystem): string | undefined {
  const addon = system.addon();
  return addon.state === 'loaded' ? undefined : addon.reason;
}

/** The answer; rejects as soon as the question has to end, whatever it waits for. */
function ended(question: Question, system: ProveSystem): Promise<Answer> {
  return new Promise((resolve, reject) => {
    system.signal.addEventListener('abort', () => reject(new Error('it was ended')), { once: true });
    question.ask(system).then(resolve, reject);
  });
}

function boundedAnswer(answer: Answer): Answer {
  if (answer.verdict === 'not-asked') return notAsked(clip(answer.reason, maxFound));
  const { verdict, found, details = [] } = answer;
  const shown = details.slice(0, maxDetails).map((line) => clip(line, maxDetail));
  if (details.length > maxDetails) shown.push(`… and ${details.length - maxDetails} more lines`);
  return { verdict, found: clip(found, maxFound), ...(shown.length === 0 ? {} : { details: shown }) };
}
