import { flat } from '../base/flat.js';
import { type PlistResult, type PlistValue, readPlist } from '../base/plist/index.js';
import { type WhatRuns, whatRuns } from '../base/what-runs/index.js';
import type { FileContent } from '../event/event.js';
import type { MechanismFile } from './mechanism.js';

/** Bytes of a text file that are read, and lines and characters of a line. */
const maxBytes = 1024 * 1024;
const maxLines = 4_096;
const maxLine = 4_096;
/** Items that one file may describe; the rest is counted by the finding `too-many-items`. */
export const maxItems = 256;

/** One line of a text file. */
export interface Line {
  /** 1 for the first. */
  readonly number: number;
  /** Without blanks at both ends. */
  readonly text: string;
}

export interface LineFormat {
  /** A backslash at the end of a line joins the next one to it. Never at the end of a comment, which hides nothing. */
  readonly joins?: boolean;
  readonly isComment?: (text: string) => boolean;
}

/** The lines that are neither empty nor a comment (`#`). Comments, and blanks in front, use up none of the bounds. */
export function linesOf(
  file: MechanismFile,
  { joins = false, isComment = (text) => text.startsWith('#') }: LineFormat = {},
): Line[] {
  const lines: Line[] = [];
  let number = 0;
  let begun = '';
  for (const raw of textOf(file).split(/\r?\n|\r/)) {
    number++;
    const text = begun + (begun === '' ? raw.trimStart() : raw);
    begun = '';
    if (isComment(text)) continue;
    if (joins && text.endsWith('\\')) {
      begun = `${text.slice(0, Math.min(text.length - 1, maxLine))} `;
      continue;
    }
    const line = text.slice(0, maxLine).trim();
    if (line === '') continue;
    lines.push({ number, text: flat(line) });
    if (lines.length >= maxLines) return lines;
  }
  const last = begun.trim();
  return last === '' ? lines : [...lines, { number, text: flat(last) }];
}

/** What was read of a text file, invalid characters replaced; empty when nothing was. */
export function textOf({ content }: MechanismFile): string {
  return content === undefined ? '' : Buffer.from(content.bytes.subarray(0, maxBytes)).toString('utf8');
}

export interface PropertyList {
  /** The outermost dictionary; empty when there is none. */
  readonly value: ReadonlyMap<string, PlistValue>;
  readonly findings: readonly string[];
}

/** A content as a property list. */
export function listOf({ bytes, truncated, size, tail }: FileContent): PlistResult {
  const end = truncated && tail !== undefined ? { tail, tailOffset: size - tail.length } : {};
  return readPlist(bytes, end);
}

/** The file as a property list; undefined when it was not read. */
export function plistOf(file: MechanismFile): PropertyList | undefined {
  const list = plistValueOf(file);
  if (list === undefined) return undefined;
  const { value, findings } = list;
  if (value instanceof Map) return { value, findings };
  return { value: new Map(), findings: value === undefined ? findings : [...findings, 'not-a-dictionary'] };
}

/** The same for a list whose outermost value may be of any kind; undefined where it could not be read. */
export function plistValueOf({
  content,
  list,
}: MechanismFile):
  | { readonly value: PlistValue | undefined; readonly findings: readonly string[] }
  | undefined {
  if (content === undefined) return undefined;
  const result = list ?? listOf(content);
  return result.ok
    ? { value: result.value, findings: result.findings }
    : { value: undefined, findings: [result.finding] };
}

/** A text of a property list, bounded; undefined for a value of another type. */
export function stringAt(value: ReadonlyMap<string, PlistValue>, key: string): string | undefined {
  const found = value.get(key);
  return typeof found === 'string' ? flat(found.slice(0, maxLine)) : undefined;
}

/** What a line that a shell reads runs: `curl x | sh`. */
export function runsOfShell(text: string, itemPath?: string): WhatRuns {
  const shell = whatRuns({ args: ['/bin/sh', '-c', text], itemPath });
  const paths = shell.paths.slice(1);
  return {
    ...shell,
    paths,
    path: shell.path === '/bin/sh' ? paths.at(-1) : shell.path,
    // That a shell reads it is how the mechanism works.
    reasons: shell.reasons.filter((one) => one !== 'interpreter-one-liner'),
  };
}

/** What one program or script runs that is named by its path. */
export function runsOfProgram(program: string, itemPath?: string): WhatRuns {
  return whatRuns({ program, itemPath });
}

/** The program of a bundle, by its Info.plist; a bundle whose list cannot be read is itself what runs. */
export function runsOfBundle(file: MechanismFile): {
  readonly runs: readonly WhatRuns[];
  readonly identifier: string | undefined;
  readonly findings: readonly string[];
} {
  const list = plistOf(file);
  const name = list === undefined ? undefined : stringAt(list.value, 'CFBundleExecutable');
  const program = name === undefined ? file.path : `${file.path}/Contents/MacOS/${name}`;
  return {
    runs: [runsOfProgram(program)],
    identifier: list === undefined ? undefined : stringAt(list.value, 'CFBundleIdentifier'),
    findings: list?.findings ?? [],
  };
}

/** The findings that what it runs gives rise to. */
export function reasonsOf(runs: readonly WhatRuns[]): string[] {
  return [...new Set(runs.flatMap((one) => one.reasons))];
}
