import { flat } from '../base/flat.js';
import { type PlistResult, type PlistValue, readPlist } from '../base/plist/index.js';
import { type WhatRuns, whatRuns } from '../base/what-runs/index.js';
import type { FileContent } from '../event/event.js';
import type { MechanismFile } from './mechanism.js';

/** Lines of a text file that are read, and characters of a line: the first and the last ones of a longer one. */
const maxLines = 16_384;
const maxLine = 16_384;
const maxLineEnd = 4_096;
/** Characters of a text in a property list. */
const maxString = 4_096;
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
  /** What ends a line, where that is not any of the usual three. */
  readonly newline?: RegExp;
}

/** The lines that are neither empty nor a comment (`#`). Comments, and blanks in front, use up none of the bounds. */
export function linesOf(
  file: MechanismFile,
  { joins = false, isComment = isHashComment, newline }: LineFormat = {},
): Line[] {
  const lines: Line[] = [];
  for (const { number, text } of wholeLines(textOf(file), {
    joins,
    isComment,
    ...(newline === undefined ? {} : { newline }),
  })) {
    lines.push({ number, text: flat(withoutMiddle(text)) });
    if (lines.length >= maxLines) break;
  }
  return lines;
}

/** Whether a line, or what follows the last line that is read, is not read. */
export function hasUnreadLines(file: MechanismFile, format: LineFormat = {}): boolean {
  let count = 0;
  for (const { text } of wholeLines(textOf(file), format))
    if (++count > maxLines || text.length > maxLine) return true;
  return false;
}

const isHashComment = (text: string) => text.startsWith('#');

function* wholeLines(
  whole: string,
  { joins = false, isComment = isHashComment, newline = /\r?\n|\r/ }: LineFormat,
): Generator<Line> {
  let number = 0;
  let begun: string[] = [];
  for (const raw of whole.split(newline)) {
    number++;
    const text = begun.length === 0 ? raw.trimStart() : raw;
    if (begun.length === 0 && isComment(text)) continue;
    if (joins && text.endsWith('\\')) {
      begun.push(text.slice(0, -1));
      continue;
    }
    const line = squeezed(begun.length === 0 ? text : [...begun, text].join(' '));
    begun = [];
    if (line !== '') yield { number, text: line };
  }
  const last = squeezed(begun.join(' '));
  if (last !== '') yield { number, text: last };
}

/** Blanks take no room of a line that is too long. */
function squeezed(line: string): string {
  const text = line.trim();
  return text.length <= maxLine ? text : text.replace(/\s{2,}/g, ' ');
}

function withoutMiddle(text: string): string {
  return text.length <= maxLine
    ? text
    : `${text.slice(0, maxLine - maxLineEnd)} ${text.slice(text.length - maxLineEnd)}`;
}

/** What was read of a text file, its beginning and its end, invalid characters replaced; empty when nothing was. */
export function textOf({ content }: MechanismFile): string {
  if (content === undefined) return '';
  const { bytes, tail } = content;
  const text = Buffer.from(bytes).toString('utf8');
  return tail === undefined ? text : `${text}\n${Buffer.from(tail).toString('utf8')}`;
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
  return typeof found === 'string' ? flat(found.slice(0, maxString)) : undefined;
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
