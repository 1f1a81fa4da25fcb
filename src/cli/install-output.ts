import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UserError } from '../base/errors.js';
import { escapeBlock } from '../base/escape.js';
import { loadSettings, type Settings } from '../config/index.js';
import {
  type Outcome,
  onThisMachine,
  readWritten,
  type StepReport,
  type System,
  thisSystem,
  type Written,
} from '../install/index.js';
import type { CommandContext, CommonFlags } from './context.js';
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

/**
 * The settings that the job has or will have: what the command line names, else what was named when it was installed.
 * `whateverConfig`: one that cannot be read is said and passed over, since nobody should have to mend it to get rid of us.
 */
export async function installSurroundings(
  context: CommandContext,
  { whateverConfig = false }: { readonly whateverConfig?: boolean } = {},
): Promise<InstallSurroundings> {
  try {
    return await surroundingsFrom(context);
  } catch (error) {
    const isConfig = error instanceof UserError && /^config\/(?!bad-root$)/.test(error.code);
    if (!whateverConfig || !isConfig) throw error;
    context.io.stderr.write(
      `launchwarden: the configuration is passed over, and with it what it says of the data folder: ${escapeBlock(error.describe())}\n`,
    );
    const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-'));
    try {
      const empty = path.join(folder, 'config.toml');
      writeFileSync(empty, '');
      return await surroundingsFrom(context, empty);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** `instead`: an empty configuration in place of the one that is named. */
async function surroundingsFrom(context: CommandContext, instead?: string): Promise<InstallSurroundings> {
  const { io } = context;
  const load = (flags: CommonFlags) =>
    loadSettings({
      flags: instead === undefined ? flags : { ...flags, config: instead },
      cwd: io.cwd,
      platform: io.platform,
    });
  const asked = await load(context.flags);
  const { config, dataDir } = context.flags;
  const written: Written = readWritten(asked.root);
  const flags = {
    ...context.flags,
    config: config ?? onThisMachine(written.config, asked.root),
    dataDir: dataDir ?? onThisMachine(written.dataDir, asked.root),
  };
  const settings = await load(flags);
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
