import { openMachine } from '../../../agent/respond-machine.js';
import { changedOp, placedOp, saidOp } from '../../../agent/responding.js';
import { applyWatch, type WatchRequest, watchesOf, watchOp } from '../../../agent/response-watch.js';
import { applyTriage, triageOp } from '../../../agent/triage.js';
import { ExitCode, messageOf, UserError } from '../../../base/errors.js';
import type { RootMap } from '../../../base/root.js';
import {
  allResponses,
  canUndo,
  doesText,
  Engine,
  lastingOf,
  lockResponses,
  type Machine,
  noteText,
  type Outcome,
  type Plan,
  type Response,
  rehearse,
  rehearseUndo,
  stageOf,
  type Told,
} from '../../../respond/index.js';
import type { Store } from '../../../store/index.js';
import { authorOf } from '../../author.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { flag, value } from '../../define-command.js';
import { finishFirst } from '../../finish-first.js';
import { commandLine } from '../../given-flags.js';
import { observedRoot } from '../../observed-root.js';
import { safe } from '../../output/output.js';
import { pad } from '../../output/width.js';
import { wholeNumber } from '../../values.js';
import { receivers } from '../alerts/change.js';
import { responseFields, responseSchema, stateStyle, stepSchema } from './document.js';

/** What every verb takes that does something. */
export const actOptions = {
  dryRun: flag('--dry-run', 'print what each step would do, and do nothing'),
  rootScope: value(
    '--root-scope PID',
    'with --root: only processes below this one may be ended',
    wholeNumber('--root-scope', 1, 2 ** 31),
  ),
  json: flag('--json', 'one JSON document a step, and one for the response (NDJSON)'),
} as const;

export const actNeeds = 'root and a Mac, or --root; the native addon';

export interface ActOptions {
  readonly dryRun: boolean;
  readonly rootScope: number | undefined;
  readonly json: boolean;
}

const lockWaitMs = 15_000;

/** What a verb works with. */
export interface Surroundings {
  readonly store: Store;
  readonly machine: Machine;
  readonly root: RootMap;
}

/** Opens the machine for a verb; nothing is done to it yet. */
async function withMachine<T>(
  context: CommandContext,
  { rootScope }: Pick<ActOptions, 'rootScope'>,
  use: (surroundings: Surroundings) => Promise<T>,
): Promise<T> {
  const settings = await context.settings();
  const root = await observedRoot(context);
  return context.withStore((store) =>
    use({
      store,
      root,
      machine: openMachine({
        root,
        clock: context.clock,
        dataDir: settings.dataDir,
        store,
        scopePid: rootScope,
        // Without an agent nobody could mistake it.
        willPlace: async (path, ino) => {
          await context.askDaemon(placedOp, { path, ino }).catch(() => undefined);
        },
      }),
    }),
  );
}

/** Makes a plan and carries it out, or tells what it would do. Exit code 1 when a step was refused or failed. */
export function act(
  context: CommandContext,
  options: ActOptions,
  make: (surroundings: Surroundings) => Plan | Promise<Plan>,
): Promise<ExitCode> {
  return withMachine(context, options, async (surroundings) => {
    const { machine } = surroundings;
    if (options.dryRun) return tellPlan(context, await make(surroundings), { machine, json: options.json });
    requireRights(context, machine);
    finishFirst(context.io);
    return underLock(context, surroundings, options, async (engine) => {
      const plan = await make(surroundings);
      tellRemarks(context, plan, options.json);
      const response = await engine.run(plan, { author: authorOf(context.io) });
      await watch(context, watchesOf(response));
      await changed(context);
      return tellEnd(context, response, options.json);
    });
  });
}

/** Undoes a response. Exit code 1 when something of it could not be undone. */
export function undo(
  context: CommandContext,
  options: ActOptions,
  find: (dataDir: string) => Response,
): Promise<ExitCode> {
  return withMachine(context, options, async (surroundings) => {
    const { machine } = surroundings;
    if (options.dryRun) return tellUndo(context, find(machine.dataDir), { machine, json: options.json });
    requireRights(context, machine);
    finishFirst(context.io);
    return underLock(context, surroundings, options, async (engine) => {
      const response = find(machine.dataDir);
      if (!canUndo(response)) {
        await watch(context, { disarm: response.id });
        await changed(context);
        if (options.json) context.out.document(responseSchema, responseFields(response));
        else context.out.line(nothingToUndo(response));
        return ExitCode.ok;
      }
      // Nothing of ours that comes back is taken for the attacker's.
      await watch(context, { disarm: response.id });
      const undone = await engine.undo(response, { author: authorOf(context.io) });
      await changed(context);
      if (options.json) context.out.document(responseSchema, responseFields(undone));
      else context.out.line(`response ${undone.id} is ${undone.state}`);
      return undone.records.every(isTakenBack) ? ExitCode.ok : ExitCode.checkFailed;
    });
  });
}

function nothingToUndo({ id, state }: Response): string {
  return state.endsWith('undone')
    ? `response ${id} is ${state} already: nothing was done`
    : `response ${id} has done nothing that could be undone: nothing was done`;
}

async function tellUndo(
  { out }: CommandContext,
  response: Response,
  { machine, json }: { readonly machine: Machine; readonly json: boolean },
): Promise<ExitCode> {
  const found = await rehearseUndo(response, machine);
  const bad = ({ state }: Outcome) => state === 'refused' || state === 'failed';
  if (!json)
    out.line(
      found.length === 0
        ? nothingToUndo(response)
        : `To undo response ${response.id} (${safe(response.about)}), nothing is done:`,
    );
  for (const { index, step, outcome } of found) {
    const { state, says } = outcome;
    if (json)
      out.document(stepSchema, {
        response: response.id,
        step: index + 1,
        of: response.records.length,
        kind: step.kind,
        does: doesText(step),
        undo: true,
        state: state === 'done' ? 'planned' : state,
        says,
        dry_run: true,
      });
    else {
      const word = state === 'done' ? 'would' : lastingOf(step) === undefined ? state : 'lasts';
      out.line(`${index + 1}. ${out.style(stateStyle(state), pad(word, 7))}  ${safe(says)}`);
    }
  }
  return found.some(({ outcome }) => bad(outcome)) ? ExitCode.checkFailed : ExitCode.ok;
}

/** As far as that is possible at all. */
function isTakenBack({ state, step, undo: taken }: Response['records'][number]): boolean {
  return (
    state !== 'done' || taken?.state === 'done' || taken?.state === 'nothing' || lastingOf(step) !== undefined
  );
}

async function underLock(
  context: CommandContext,
  { machine }: Surroundings,
  { json }: Pick<ActOptions, 'json'>,
  use: (engine: Engine) => Promise<ExitCode>,
): Promise<ExitCode> {
  const lock = await lockResponses(machine.dataDir, lockWaitMs);
  try {
    const engine = new Engine({
      machine,
      tell: async (told) => {
        printStep(context, told, json);
        await tellAlert(context, told);
      },
    });
    for (const response of allResponses(machine.dataDir)) {
      if (response.state !== 'running' && response.state !== 'undoing') continue;
      if (!json) context.out.line(`response ${response.id} was cut off: it is finished first`);
      const finished = await engine.recover(response);
      await watch(context, finished.state.endsWith('undone') ? { disarm: finished.id } : watchesOf(finished));
    }
    return await use(engine);
  } finally {
    lock.release();
  }
}

function requireRights({ io }: CommandContext, { root }: Machine): void {
  if (root.simulated) return;
  if (io.platform !== 'darwin')
    throw new UserError('respond/not-a-mac', 'this is not a Mac: there is nothing to respond to here', {
      hint: 'Add --root DIR to work on a folder that stands for a Mac.',
    });
  if (process.geteuid?.() !== 0)
    throw new UserError('respond/needs-root', 'a response is carried out by root', {
      hint: 'Use sudo, or --dry-run to see what would be done.',
    });
}

/** A response that was carried out has been, whoever can be told of it: the next start of the agent makes up for it. */
async function watch(context: CommandContext, request: WatchRequest): Promise<void> {
  if ('arm' in request && request.arm.length === 0) return;
  try {
    await writeThroughDaemon(context, {
      op: watchOp,
      args: request,
      direct: (store) => applyWatch(store, request, context.clock.now()),
    });
  } catch (error) {
    const what = 'arm' in request ? 'armed' : 'ended';
    context.io.stderr.write(`what the response watches for was not ${what}: ${safe(messageOf(error))}\n`);
  }
}

/** Onto the alert, whose destinations hear of it by a revision; of what is about no alert the daemon tells them itself. */
async function tellAlert(context: CommandContext, told: Told): Promise<void> {
  const { response } = told;
  const text = noteText(told);
  const author = response.automatic ? response.author : authorOf(context.io);
  if (response.alert === undefined) {
    await context.askDaemon(saidOp, { author, text });
    return;
  }
  const value = stageOf(told);
  const request = {
    ...{ ids: [response.alert], action: 'response' as const, author, text },
    ...(value === undefined ? {} : { value }),
  };
  const destinations = await receivers(context);
  await writeThroughDaemon(context, {
    op: triageOp,
    args: request,
    direct: (store) => applyTriage(store, request, destinations),
  });
}

/** The agent keeps up what has to be kept up. */
async function changed(context: CommandContext): Promise<void> {
  await context.askDaemon(changedOp, undefined).catch(() => undefined);
}

async function tellPlan(
  { out }: CommandContext,
  plan: Plan,
  { machine, json }: { readonly machine: Machine; readonly json: boolean },
): Promise<ExitCode> {
  const outcomes = await rehearse(plan, machine);
  const bad = (outcome: Outcome) => outcome.state === 'refused' || outcome.state === 'failed';
  if (json) {
    for (const [index, step] of plan.steps.entries())
      out.document(stepSchema, {
        step: index + 1,
        of: plan.steps.length,
        kind: step.kind,
        does: doesText(step),
        state: bad(outcomes[index]!) ? outcomes[index]!.state : 'planned',
        says: outcomes[index]!.says,
        dry_run: true,
      });
    return outcomes.some(bad) ? ExitCode.checkFailed : ExitCode.ok;
  }
  out.line(`Plan for ${safe(plan.about)}, nothing is done:`);
  for (const [index, step] of plan.steps.entries()) {
    const outcome = outcomes[index]!;
    const word = bad(outcome) ? outcome.state : outcome.state === 'nothing' ? 'nothing' : 'would';
    out.line(`${index + 1}. ${out.style(stateStyle(outcome.state), pad(word, 7))}  ${safe(doesText(step))}`);
    out.line(`            ${safe(outcome.says)}`);
  }
  if (plan.steps.length === 0) out.line('There is nothing to do.');
  for (const one of plan.remarks) out.line(`   note     ${safe(one)}`);
  return outcomes.some(bad) ? ExitCode.checkFailed : ExitCode.ok;
}

function tellRemarks({ out }: CommandContext, plan: Plan, json: boolean): void {
  if (json) return;
  for (const one of plan.remarks) out.line(`${pad('note', 7)}  ${safe(one)}`);
}

function printStep({ out }: CommandContext, told: Told, json: boolean): void {
  const { response, index, step, what, outcome } = told;
  if (json) {
    out.document(stepSchema, {
      response: response.id,
      step: index + 1,
      of: response.records.length,
      kind: step.kind,
      does: doesText(step),
      undo: what === 'undo',
      state: outcome.state,
      says: outcome.says,
      dry_run: false,
    });
    return;
  }
  const lasts = what === 'undo' && lastingOf(step) !== undefined;
  const word = lasts ? 'lasts' : what === 'undo' && outcome.state === 'done' ? 'undone' : outcome.state;
  out.line(`${out.style(lasts ? 'dim' : stateStyle(outcome.state), pad(word, 7))}  ${safe(outcome.says)}`);
}

function tellEnd(context: CommandContext, response: Response, json: boolean): ExitCode {
  const { out } = context;
  if (json) out.document(responseSchema, responseFields(response));
  else {
    const undoable = response.records.some(({ state }) => state === 'done');
    if (undoable)
      out.line(
        `response ${response.id}: "${commandLine(context, `respond undo ${response.id}`)}" takes it back`,
      );
    else if (response.records.length === 0) out.line('There was nothing to do.');
  }
  return response.state === 'done' ? ExitCode.ok : ExitCode.checkFailed;
}
