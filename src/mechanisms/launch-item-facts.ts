import path from 'node:path';
import { launchItemKind } from '../base/launch-paths.js';
import { readPlist } from '../base/plist/index.js';
import type { WhatRuns } from '../base/what-runs/index.js';
import type { FileFields, LaunchItemFields } from '../event/document.js';
import type { FileContent } from '../event/event.js';
import { type LaunchItem, launchItem } from './launch-item.js';
import { lookAlike } from './look-alike.js';

export interface ItemFacts {
  readonly findings: readonly string[];
  readonly plist: LaunchItemFields | undefined;
  readonly runs: readonly WhatRuns[];
}

/** What the name, place, owner and content of a launch item say; undefined for a file that is none. */
export function launchItemFacts(file: FileFields, content: FileContent | undefined): ItemFacts | undefined {
  const { path: macPath } = file;
  const kind = macPath === undefined ? undefined : launchItemKind(macPath);
  if (macPath === undefined || kind === undefined || file.type === 'dir') return undefined;
  const findings = placeFindings(macPath, file);
  const read = content === undefined ? undefined : plistFacts(content, macPath);
  const label = read?.plist?.label;
  if (label !== undefined) findings.push(...labelFindings(label, macPath));
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
  if (!own && lookAlike(label) !== undefined) findings.push('look-alike-label');
  const name = path.posix.basename(macPath).replace(/\.plist$/i, '');
  if (label.normalize('NFC') !== name.normalize('NFC')) findings.push('label-not-file-name');
  return findings;
}

function plistFacts({ bytes, truncated, size, tail }: FileContent, macPath: string): ItemFacts {
  const end = truncated && tail !== undefined ? { tail, tailOffset: size - tail.length } : {};
  const result = readPlist(bytes, end);
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
    plist: { format, ...item.fields },
    runs: item.runs,
  };
}
