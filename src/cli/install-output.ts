import { escapeBlock } from '../base/escape.js';
import type { Settings } from '../config/index.js';
import { type StepReport, type System, thisSystem } from '../install/index.js';
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

export async function installSurroundings(context: CommandContext): Promise<InstallSurroundings> {
  const settings = await context.settings();
  const { config, dataDir } = context.flags;
  return {
    settings,
    system: context.io.system ?? thisSystem(),
    program: context.io.program,
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
