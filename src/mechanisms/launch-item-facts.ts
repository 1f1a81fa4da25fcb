import path from 'node:path';
import { isPlainText } from '../base/escape.js';
import { launchItemKind } from '../base/launch-paths.js';
import type { PlistResult, PlistValue } from '../base/plist/index.js';
import type { WhatRuns } from '../base/what-runs/index.js';
import { canaryLabelPrefix } from '../event/canary.js';
import type { FileFields, LaunchItemFields } from '../event/document.js';
import type { FileContent } from '../event/event.js';
import { type LaunchItem, launchItem } from './launch-item.js';
import { jobKeysOf, loadingOf } from './launchd/index.js';
import { lookAlike } from './look-alike.js';
import { listOf } from './read.js';

export interface ItemFacts {
  readonly findings: readonly string[];
  readonly plist: LaunchItemFields | undefined;
  readonly runs: readonly WhatRuns[];
}

/**
 * What the name, place, owner and content of a launch item say; undefined for a file that is none. `list`: the content as
 * a property list, where it was read as one already.
 */
export function launchItemFacts(
  file: FileFields,
  content: FileContent | undefined,
  list?: PlistResult,
): ItemFacts | undefined {
  const { path: macPath } = file;
  const kind = macPath === undefined ? undefined : launchItemKind(macPath);
  if (macPath === undefined || kind === undefined || file.type === 'dir') return undefined;
  const findings = placeFindings(macPath, file);
  if (content?.truncated === true) findings.push('oversized');
  const read = content === undefined ? undefined : plistFacts(list ?? listOf(content), file, macPath);
  const label = read?.plist?.label;
  if (label !== undefined) findings.push(...labelFindings(label, macPath));
  if (!isPlainText(label ?? '') || !isPlainText(path.posix.basename(macPath)))
    findings.push('hidden-characters');
  return {
    findings: [...findings, ...(read?.findings ?? [])],
    plist: read?.plist,
    runs: read?.runs ?? [],
  };
}

function placeFindings(macPath: string, file: FileFields): string[] {
  const findings: string[] = [];
  const name = path.posix.basename(macPath);
  if (name.startsWith('.')) findings.push('hidden-name');
  if (!name.toLowerCase().endsWith('.plist')) findings.push('not-plist-name');
  if (!/^launch(?:agents|daemons|angels)$/i.test(path.posix.basename(path.posix.dirname(macPath))))
    findings.push('in-subfolder');
  const users = /^\/(?:Users|private\/var\/root)\//i.test(macPath);
  if (!users && file.uid !== undefined && file.uid !== '0') findings.push('not-owned-by-root');
  if (file.type === 'file' && file.mode !== undefined && (Number.parseInt(file.mode, 8) & 0o022) !== 0)
    findings.push('writable-by-others');
  return findings;
}

function labelFindings(label: string, macPath: string): string[] {
  const findings: string[] = [];
  const own = /^\/(?:System|Library\/Apple)\//i.test(macPath);
  if (/^com\.apple\./i.test(label) && !own) findings.push('apple-label');
  if (label.toLowerCase().startsWith(canaryLabelPrefix)) findings.push('canary-label');
  if (!own && lookAlike(label) !== undefined) findings.push('look-alike-label');
  const name = path.posix.basename(macPath).replace(/\.plist$/i, '');
  if (label.normalize('NFC') !== name.normalize('NFC')) findings.push('label-not-file-name');
  return findings;
}

function plistFacts(result: PlistResult, file: FileFields, macPath: string): ItemFacts {
  if (!result.ok) return { findings: [result.finding], plist: { format: 'unknown' }, runs: [] };
  const { format, value, repeated } = result;
  let item: LaunchItem | undefined;
  try {
    item = launchItem(value, { path: macPath, repeated });
  } catch {
    // A mistake of ours must not cost the event that the file belongs to.
    return { findings: [...result.findings, 'plist-unparsable'], plist: { format }, runs: [] };
  }
  if (item === undefined)
    return { findings: [...result.findings, 'not-a-dictionary'], plist: { format }, runs: [] };
  return {
    findings: [...result.findings, ...item.findings],
    plist: { format, ...item.fields, ...launchdFields(value, file, macPath) },
    runs: item.runs,
  };
}

/** What launchd makes of the list, as far as the file alone tells: no overrides, nothing of its folder and its program. */
function launchdFields(value: PlistValue, file: FileFields, macPath: string): Partial<LaunchItemFields> {
  const daemon = launchItemKind(macPath) === 'daemon';
  const job = jobKeysOf(value, { daemon });
  const mode = Number.parseInt(file.mode ?? '', 8);
  const uid = Number.parseInt(file.uid ?? '', 10);
  const { answer, obstacles } = loadingOf({
    daemon,
    job,
    file: {
      path: macPath,
      type: file.type === 'file' || file.type === 'symlink' ? file.type : 'other',
      uid: Number.isNaN(uid) ? undefined : uid,
      mode: Number.isNaN(mode) ? undefined : mode,
    },
  });
  const triggers = job?.triggers ?? [];
  const conditions = triggers.flatMap(({ key, condition, values: [first = ''] }) =>
    key !== 'KeepAlive' || condition === undefined ? [] : [`${condition}: ${first}`],
  );
  const watched = triggers.filter(({ key }) => key === 'WatchPaths' || key === 'QueueDirectories');
  const interval = triggers.find(({ key }) => key === 'StartInterval')?.values[0];
  const { sessionTypes = [] } = job ?? {};
  return {
    will_load: answer,
    ...(obstacles.length === 0 ? {} : { obstacles: [...new Set(obstacles.map(({ word }) => word))] }),
    ...(conditions.length === 0 ? {} : { keep_alive_if: conditions }),
    ...(sessionTypes.length === 0 ? {} : { session_types: [...sessionTypes] }),
    ...(watched.length === 0 ? {} : { watch_paths: watched.flatMap(({ values }) => values) }),
    ...(interval === undefined ? {} : { start_interval: Number(interval) }),
  };
}
