import { randomBytes } from 'node:crypto';
import { messageOf, UserError } from '../base/errors.js';
import type { JournalFile } from '../base/journal-file.js';
import type { Executor } from './executor.js';
import type { Machine } from './machine.js';
import type { Deed, Outcome, Plan, Step, StepKind } from './plan.js';
import { journalOf, type Line, type Response, readResponse, type StepRecord } from './response.js';
import { executors } from './steps/index.js';

/** What happened to one step, as it happens. */
export interface Told {
  readonly response: Response;
  readonly index: number;
  readonly step: Step;
  /** `undo`: it was undone, or could not be. */
  readonly what: 'step' | 'undo';
  readonly outcome: Outcome;
}

export interface EngineOptions {
  readonly machine: Machine;
  /** Told of each step's end, and waited for. What it throws is not: a response goes on whoever can be told of it. */
  tell(told: Told): Promise<void>;
}

export interface Who {
  readonly author: string;
  readonly automatic?: boolean;
}

function executorOf(step: Step): Executor<StepKind> {
  return executors[step.kind] as unknown as Executor<StepKind>;
}

export function doesText(step: Step): string {
  return executorOf(step).does(step);
}

/** What can never be undone of a step. */
export function lastingOf(step: Step): string | undefined {
  return executorOf(step).lasting;
}

/** What each step would come to now. Changes nothing. */
export async function rehearse(plan: Plan, machine: Machine): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of plan.steps)
    outcomes.push(await safely(machine, () => executorOf(step).check(step, machine)));
  return outcomes;
}

/** What undoing would come to now, the last step first. Changes nothing. */
export async function rehearseUndo(
  response: Response,
  machine: Machine,
): Promise<{ readonly index: number; readonly step: Step; readonly outcome: Outcome }[]> {
  const found: { readonly index: number; readonly step: Step; readonly outcome: Outcome }[] = [];
  for (const [index, record] of [...response.records.entries()].reverse()) {
    const { step, deed } = record;
    if (!isUndoable(record) || deed === undefined) continue;
    const executor = executorOf(step);
    const lasting = executor.lasting;
    const outcome: Outcome =
      lasting === undefined
        ? await safely(machine, () => executor.checkUndo(deed, machine))
        : { state: 'nothing', says: lasting };
    found.push({ index, step, outcome });
  }
  return found;
}

/** Whether anything of a response was done and is not undone yet. */
export function canUndo(response: Response): boolean {
  return response.records.some((record) => isUndoable(record));
}

/**
 * Runs plans, one after the other. Before a step acts its deed is in the journal; after a crash `recover` finishes each
 * response that was under way, and each undoing. Whoever uses it holds the lock (`lock.ts`).
 */
export class Engine {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Throws `respond/no-journal` before anything was done. */
  async run(plan: Plan, who: Who): Promise<Response> {
    const { machine } = this.#options;
    const id = randomBytes(6).toString('hex');
    const journal = journalOf(machine.dataDir, id);
    try {
      const now = () => machine.clock.now();
      const { author, automatic = false } = who;
      write(journal, { plan, time: now(), author, automatic, simulated: machine.root.simulated });
      return await this.#finish(id, journal);
    } finally {
      journal.close();
    }
  }

  /** Finishes what a crash has cut off: steps that were begun or not reached, and undoing that was begun. */
  async recover(response: Response): Promise<Response> {
    if (response.state !== 'running' && response.state !== 'undoing') return response;
    const journal = journalOf(this.#options.machine.dataDir, response.id);
    try {
      return response.state === 'running'
        ? await this.#finish(response.id, journal)
        : await this.#undoAll(response.id, journal);
    } finally {
      journal.close();
    }
  }

  /**
   * Undoes the steps that can be, the last first. What cannot be is said, and the rest done. A response of which nothing is
   * to be undone (`canUndo`) is given back as it is.
   */
  async undo(response: Response, who: Who): Promise<Response> {
    if (response.state === 'running')
      throw new UserError('respond/running', `response ${response.id} is under way`, {
        hint: 'It is finished by the next "launchwarden respond" command, or by the agent.',
      });
    if (!canUndo(response)) return response;
    const { machine } = this.#options;
    const journal = journalOf(machine.dataDir, response.id);
    try {
      write(journal, { undoing: who.author, time: machine.clock.now() });
      return await this.#undoAll(response.id, journal);
    } finally {
      journal.close();
    }
  }

  /** What has to be undone of a step is another thing by now. */
  amend(id: string, index: number, outcome: Outcome): void {
    const journal = journalOf(this.#options.machine.dataDir, id);
    try {
      write(journal, { end: index, time: this.#options.machine.clock.now(), ...outcome });
    } finally {
      journal.close();
    }
  }

  /** Tells what nobody could be told of when it happened. */
  async tellRest(id: string): Promise<void> {
    const response = this.#read(id);
    const results = resultsOf(response);
    if (response.told >= results.length) return;
    const journal = journalOf(this.#options.machine.dataDir, id);
    try {
      for (const { index, what, outcome } of results.slice(response.told))
        await this.#tell(journal, { id, index, what, outcome });
    } finally {
      journal.close();
    }
  }

  async #finish(id: string, journal: JournalFile): Promise<Response> {
    const { machine } = this.#options;
    const now = () => machine.clock.now();
    let stopped = false;
    let failed = false;
    const { about, records } = this.#read(id);
    // Programs that an item names are refused one by one.
    const stops = (step: Step) => step.kind !== 'quarantine' || step.path === about;
    for (const [index, record] of records.entries()) {
      const { step, open, deed } = record;
      if (!open && record.state !== 'planned') {
        stopped ||= record.state === 'refused' && stops(step);
        failed ||= record.state === 'failed' || record.state === 'refused';
        continue;
      }
      const doing = {
        machine,
        box: `${id}-${index}`,
        will: (what: Deed) => write(journal, { begin: index, deed: what, time: now() }),
      };
      const executor = executorOf(step);
      const outcome: Outcome = stopped
        ? { state: 'nothing', says: 'not done, since a step before it was refused' }
        : await safely(machine, () =>
            open && deed !== undefined ? executor.resume(deed, step, doing) : executor.run(step, doing),
          );
      stopped ||= outcome.state === 'refused' && stops(step);
      failed ||= outcome.state === 'failed' || outcome.state === 'refused';
      write(journal, { end: index, time: now(), ...outcome });
      await this.#tell(journal, { id, index, what: 'step', outcome });
    }
    write(journal, { ended: failed ? 'failed' : 'done', time: now() });
    return this.#read(id);
  }

  async #undoAll(id: string, journal: JournalFile): Promise<Response> {
    const { machine } = this.#options;
    const now = () => machine.clock.now();
    const records = [...this.#read(id).records.entries()].reverse();
    for (const [index, record] of records) {
      if (!isUndoable(record)) continue;
      const { step, deed } = record;
      if (deed !== undefined) write(journal, { unbegin: index, deed, time: now() });
      const outcome = await safely(machine, async () =>
        deed === undefined
          ? { state: 'nothing', says: 'nothing was done' }
          : executorOf(step).undo(deed, machine),
      );
      const { deed: _, ...rest } = outcome;
      write(journal, { unend: index, time: now(), ...rest });
      await this.#tell(journal, { id, index, what: 'undo', outcome });
    }
    const left = this.#read(id).records.filter(
      ({ state, step, undo }) =>
        state === 'done' && (undo?.state !== 'done' || lastingOf(step) !== undefined),
    );
    write(journal, { unended: left.length === 0 ? 'undone' : 'partly undone', time: now() });
    return this.#read(id);
  }

  async #tell(
    journal: JournalFile,
    told: Omit<Told, 'response' | 'step'> & { readonly id: string },
  ): Promise<void> {
    const { id, index, what, outcome } = told;
    const response = this.#read(id);
    const step = response.records[index]?.step;
    if (step === undefined) return;
    try {
      await this.#options.tell({ response, index, step, what, outcome });
      write(journal, { told: response.told + 1 });
    } catch {
      // Told by the agent's next start.
    }
  }

  #read(id: string): Response {
    const response = readResponse(this.#options.machine.dataDir, id);
    if (response === undefined) throw new UserError('respond/unknown', `there is no response ${id}`);
    return response;
  }
}

/** The ends of its steps in order, then of their undoing. */
function resultsOf({ records }: Response): Pick<Told, 'index' | 'what' | 'outcome'>[] {
  const done = [...records.entries()].flatMap(([index, { state, says = '' }]) =>
    state === 'planned' ? [] : [{ index, what: 'step' as const, outcome: { state, says } }],
  );
  const undone = [...records.entries()]
    .reverse()
    .flatMap(([index, { undo }]) =>
      undo === undefined || undo.state === 'open'
        ? []
        : [{ index, what: 'undo' as const, outcome: { state: undo.state, says: undo.says ?? '' } }],
    );
  return [...done, ...undone];
}

/** Done and not yet undone; also where undoing failed before, which may go better now. */
function isUndoable({ state, undo }: StepRecord): boolean {
  return state === 'done' && undo?.state !== 'done' && undo?.state !== 'nothing';
}

function write(journal: JournalFile, line: Line): void {
  journal.append(line);
}

/** What is said names macOS paths, whatever the system calls them here. */
async function safely({ root }: Machine, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    const outcome = await run();
    return { ...outcome, says: root.inText(outcome.says) };
  } catch (error) {
    // Without a journal nothing more may be done.
    if (error instanceof UserError && error.code.endsWith('-journal')) throw error;
    return { state: 'failed', says: root.inText(messageOf(error)) };
  }
}

/** The line that an alert keeps of a step, and the SIEM gets. */
export function noteText({ response, index, step, what, outcome }: Told): string {
  const { id, records, verb, simulated } = response;
  const place = records.length === 1 ? '' : `, step ${index + 1} of ${records.length}`;
  const done = what === 'undo' ? 'undo' : step.kind;
  return `response ${id} (${verb}${place}), ${done}: ${outcome.state}: ${outcome.says}${simulated ? ' (simulated)' : ''}`;
}
