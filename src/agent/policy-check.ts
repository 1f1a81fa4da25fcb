import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import { filesIn, type Overlay, readOverlay } from '../config/index.js';
import type { BundleFile } from '../policy/index.js';
import { loadExceptions } from '../rules/index.js';
import { ContentScanner } from '../scan/index.js';
import { selectRules } from './rules.js';
import { switchedOff } from './switched-off.js';

/** Of the check alone; the scans of an agent have the limits of its settings. */
const scanLimits = { maxFileBytes: 1024 * 1024, memoryBytes: 512 * 1024 * 1024, fileMs: 10_000 };

function ruleProblems({ rules }: Overlay): UserError[] {
  if (rules === undefined) return [];
  const { parked } = selectRules({ rules: { builtin: true, folders: [rules], disabled: [], enabled: [] } });
  return parked.map((line) => new UserError('policy/bad-rule', line));
}

function exceptionProblems({ exceptions }: Overlay): UserError[] {
  if (exceptions === undefined) return [];
  return loadExceptions([exceptions], [])
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ code, message, file, line, column }) => {
      return new UserError(code, message, file === undefined ? {} : { at: { file, line, column } });
    });
}

/** A policy may switch off single rules: what leaves too little, or hides whatever anybody makes, is refused whole. */
function blindingProblems({ rules, exceptions, tables }: Overlay): UserError[] {
  const own = (tables as { rules?: { disabled?: readonly string[]; enabled?: readonly string[] } }).rules;
  const selected = selectRules({
    rules: {
      builtin: true,
      folders: rules === undefined ? [] : [rules],
      disabled: [...(own?.disabled ?? [])],
      enabled: [...(own?.enabled ?? [])],
    },
  });
  const loaded = exceptions === undefined ? [] : loadExceptions([exceptions], []).exceptions;
  const { all, reasons } = switchedOff({ selected, exceptions: loaded, now: systemClock.now() });
  return (all === undefined ? reasons : [all]).map(
    (reason) =>
      new UserError('policy/blinds', `a policy may not blind a Mac: ${reason}`, {
        hint: 'Switch off single rules, bind exceptions to a signer, a content or names, or do it in the configuration of the Mac.',
      }),
  );
}

async function scanProblems({ yara, hashes }: Overlay): Promise<UserError[]> {
  const lists = filesIn(hashes);
  if (yara === undefined && lists.length === 0) return [];
  try {
    const scanner = await ContentScanner.open({
      ...scanLimits,
      root: new RootMap(undefined),
      hashes: lists,
      yara: yara === undefined ? [] : [yara],
    });
    await scanner.close();
    return scanner.refused.map(({ file, line, message }) => {
      const at = line === undefined ? { file } : { file, line };
      return new UserError('policy/bad-scan-rule', message, { at });
    });
  } catch (error) {
    // YARA is optional: what it would say is said by an agent that has it.
    if (error instanceof UserError && error.code === 'scan/no-yara') return [];
    return [new UserError('policy/bad-scan-rule', messageOf(error), { cause: error })];
  }
}

/** What was found in the files of a policy. */
export interface PolicyCheck {
  /** What is wrong with them by themselves; empty when they can be used as a whole. */
  readonly problems: readonly UserError[];
  /** What makes a Mac see or tell less, and whoever signs the policy is to know: one sentence each. */
  readonly remarks: readonly string[];
}

function remarksOf({ exceptions, tables }: Overlay): string[] {
  const { rules } = tables as { rules?: { disabled?: readonly string[] } };
  const off = rules?.disabled?.length ?? 0;
  const loose =
    exceptions === undefined
      ? []
      : loadExceptions([exceptions], []).warnings.filter(({ code }) => code === 'exception/unbound');
  return [
    ...(off === 0 ? [] : [`rules that it switches off: ${off}`]),
    ...(loose.length === 0
      ? []
      : [`exceptions bound to no signer and no content, which anybody's item may fit: ${loose.length}`]),
  ];
}

/** Checks the unpacked files of a bundle. */
export async function checkPolicy(folder: string): Promise<PolicyCheck> {
  let overlay: Overlay;
  try {
    overlay = readOverlay(folder);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { problems: Array.isArray(error.cause) ? (error.cause as UserError[]) : [error], remarks: [] };
  }
  const problems = [
    ...ruleProblems(overlay),
    ...exceptionProblems(overlay),
    ...blindingProblems(overlay),
    ...(await scanProblems(overlay)),
  ];
  return { problems, remarks: problems.length > 0 ? [] : remarksOf(overlay) };
}

/** The same of files that lie nowhere yet; places in the result are those within the bundle. */
export async function checkFiles(files: readonly BundleFile[]): Promise<PolicyCheck> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-policy-'));
  try {
    for (const { path: name, bytes } of files) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), bytes, { flag: 'wx' });
    }
    const within = (text: string) => text.replaceAll(`${folder}/`, '');
    const { problems, remarks } = await checkPolicy(folder);
    const placed = problems.map(
      ({ code, message, hint, at }) =>
        new UserError(code, within(message), {
          ...(hint === undefined ? {} : { hint }),
          ...(at?.file === undefined ? {} : { at: { ...at, file: within(at.file) } }),
        }),
    );
    return { problems: placed, remarks };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
