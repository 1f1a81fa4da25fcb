import { setImmediate as turn } from 'node:timers/promises';
import { ExitCode, UserError } from '../base/errors.js';
import type { Change } from './place.js';

/** One thing that installing or uninstalling does. */
export interface Step {
  /** In the infinitive, as a dry run says it: `write /Library/...`. */
  readonly does: string;
  /** What exactly: the text of a file. */
  readonly detail?: string;
  /** Why it is not done here; it runs otherwise. */
  readonly skipped?: string | undefined;
  /** From here on the running agent is affected: whatever fails is taken back. */
  readonly touches?: boolean;
  /** A text says why it left it out. */
  run(): Promise<Change | { readonly skipped: string }> | Change | { readonly skipped: string };
}

export interface StepReport {
  readonly step: string;
  /** `planned` in a dry run. `unchanged` means that it was so already. */
  readonly state: Change | 'planned' | 'skipped';
  /** Of a skipped step. */
  readonly reason?: string;
  readonly detail?: string;
}

export interface RunOptions {
  readonly dryRun: boolean;
  readonly report: (report: StepReport) => void;
  /** Called before the first step that touches the running agent. */
  readonly touch?: () => void;
  /** Ends it before the next step, with `install/interrupted`. */
  readonly signal?: AbortSignal;
}

/** Throws `install/interrupted` once the signal was given. */
export function goOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new UserError('install/interrupted', 'it was interrupted', {
    hint: 'What had begun was taken back. Run it again when you like.',
    exitCode: ExitCode.interrupted,
  });
}

/** Does the steps in order and reports each. A step that fails ends it with a UserError. */
export async function runSteps(steps: readonly Step[], how: RunOptions): Promise<void> {
  let touched = false;
  for (const step of steps) {
    const { does, detail, skipped, touches = false } = step;
    const report = { step: does, ...(detail === undefined || !how.dryRun ? {} : { detail }) };
    if (skipped !== undefined) how.report({ ...report, state: 'skipped', reason: skipped });
    else if (how.dryRun) how.report({ ...report, state: 'planned' });
    else {
      // Steps hardly ever wait: signals come in between.
      await turn();
      goOn(how.signal);
      if (touches && !touched) how.touch?.();
      touched ||= touches;
      const done = await step.run();
      how.report(
        typeof done === 'string'
          ? { ...report, state: done }
          : { ...report, state: 'skipped', reason: done.skipped },
      );
    }
  }
}
