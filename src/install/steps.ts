import type { Change } from './place.js';

/** One thing that installing or uninstalling does. */
export interface Step {
  /** In the infinitive, as a dry run says it: `write /Library/...`. */
  readonly does: string;
  /** What exactly: the text of a file. */
  readonly detail?: string;
  /** Why it is not done here; it runs otherwise. */
  readonly skipped?: string | undefined;
  run(): Promise<Change> | Change;
}

export interface StepReport {
  readonly step: string;
  /** `planned` in a dry run. `unchanged` means that it was so already. */
  readonly state: Change | 'planned' | 'skipped';
  /** Of a skipped step. */
  readonly reason?: string;
  readonly detail?: string;
}

/** Does the steps in order and reports each. A step that fails ends it with a UserError. */
export async function runSteps(
  steps: readonly Step[],
  how: { readonly dryRun: boolean; readonly report: (report: StepReport) => void },
): Promise<void> {
  for (const step of steps) {
    const { does, detail, skipped } = step;
    const report = { step: does, ...(detail === undefined || !how.dryRun ? {} : { detail }) };
    if (skipped !== undefined) how.report({ ...report, state: 'skipped', reason: skipped });
    else if (how.dryRun) how.report({ ...report, state: 'planned' });
    else how.report({ ...report, state: await step.run() });
  }
}
