import { escapeBlock } from '../base/escape.js';
import { loadSettings, type Settings } from '../config/index.js';
import {
  type Outcome,
  onThisMachine,
  readState,
  type StepReport,
  type System,
  thisSystem,
  type Written,
} from '../install/index.js';
import type { CommandContext } from './context.js';
import { type Output, safe } from './output/output.js';
import { pad } from './output/width.js';

export interface InstallSurroundings {
  readonly settings: Settings;
  readonly system: System;
  /** This very program. */
  readonly program: { readonly node: string; readonly script: string };
  /** What the command line named, to be written into the job. */
  readonly written: { readonly config?: string; readonly dataDir?: string };
}

/** The settings that the job has or will have: what the command line names, else what was named when it was installed. */
export async function installSurroundings(context: CommandContext): Promise<InstallSurroundings> {
  const { io } = context;
  const asked = await context.settings();
  const { config, dataDir } = context.flags;
  const written: Written = readState(asked.root)?.written ?? {};
  const flags = {
    ...context.flags,
    config: config ?? onThisMachine(written.config, asked.root),
    dataDir: dataDir ?? onThisMachine(written.dataDir, asked.root),
  };
  const settings = await loadSettings({ flags, cwd: io.cwd, platform: io.platform });
  return {
    settings,
    system: io.system ?? thisSystem(),
    program: io.program,
    written: {
      ...(config === undefined || settings.configFile === undefined ? {} : { config: settings.configFile }),
      ...(dataDir === undefined ? {} : { dataDir: settings.dataDir }),
    },
  };
}

/** Files of ours are indented with tabs, which are harmless. */
const safeText = (text: string): string => text.split('\t').map(escapeBlock).join('\t');

export function printStep(out: Output, report: StepReport, json: boolean): void {
  if (json) {
    out.document('step/1', report);
    return;
  }
  const { step, state, reason, detail } = report;
  const looks = { done: 'green', unchanged: 'dim', planned: 'cyan', skipped: 'yellow' } as const;
  const why = reason === undefined ? '' : `: ${safe(reason)}`;
  out.line(`${out.style(looks[state], pad(state, 9))}  ${safe(step)}${why}`);
  if (detail === undefined) return;
  for (const line of safeText(detail).trimEnd().split('\n')) out.line(`           | ${line}`);
}

/** How an installation or upgrade ended. */
export function printOutcome(out: Output, { action, version, before }: Outcome, json: boolean): void {
  if (json) {
    out.document('install/1', { action, version, previous: before ?? null });
    return;
  }
  const was = before === undefined ? '' : `; before: ${before}`;
  const said = {
    none: `Nothing to do: ${version} is installed.`,
    installed: `Installed ${version}${was}.`,
    upgraded: `Upgraded to ${version}${was}.`,
    repaired: `Put right what was wrong with ${version}.`,
  } as const;
  out.line(said[action]);
}
