import type { ToolAnswer } from '../../base/tool.js';

/**
 * Readers of `launchctl print`. Its output is documented as no interface (launchctl(1)); what is relied on stands in
 * reference/macos.md 6.2, and none of it was seen on a Mac by its authors: UNPROVEN. Whatever is not understood is
 * `unknown`, never "not loaded".
 */
export type ServiceAnswer =
  | { readonly state: 'loaded'; readonly facts: JobFacts }
  | { readonly state: 'not-loaded' }
  | { readonly state: 'unknown' };

/** Texts as launchd prints them, bounded. */
export interface JobFacts {
  readonly path?: string;
  readonly program?: string;
  readonly state?: string;
  readonly pid?: number;
}

/** Exit status for a service or a domain that does not exist. */
const notFound = 113;
const maxText = 4_096;
const maxLines = 20_000;
const maxLabels = 20_000;
const maxUsers = 16;

/** Top-level keys are indented by exactly one tab: nested blocks repeat `state` and `path`. */
const topLevel = /^\t(\w[\w ]{0,60}) = (.*)$/;

/** The answer to `launchctl print <domain>/<label>`; `target` is what was asked for. */
export function readService(answer: ToolAnswer, target: string): ServiceAnswer {
  if (answer.status === notFound) return { state: 'not-loaded' };
  const [header = '', ...lines] = linesOf(answer.stdout);
  if (answer.status !== 0 || header.trimEnd() !== `${target} = {`) return { state: 'unknown' };
  const found = new Map<string, string>();
  let firstArgument: string | undefined;
  for (const [index, line] of lines.entries()) {
    if (line === '\targuments = {') firstArgument = /^\t\t(.*)$/.exec(lines[index + 1] ?? '')?.[1];
    const [, key = '', value = ''] = topLevel.exec(line) ?? [];
    if (key !== '' && value !== '{' && !found.has(key)) found.set(key, value.slice(0, maxText));
  }
  const path = found.get('path');
  const program = found.get('program') ?? firstArgument?.slice(0, maxText);
  const state = found.get('state');
  const pid = /^\d{1,9}$/.test(found.get('pid') ?? '') ? Number(found.get('pid')) : undefined;
  return {
    state: 'loaded',
    facts: {
      ...(path === undefined ? {} : { path }),
      ...(program === undefined ? {} : { program }),
      ...(state === undefined ? {} : { state }),
      ...(pid === undefined ? {} : { pid }),
    },
  };
}

export interface DomainAnswer {
  readonly exists: boolean;
  readonly labels: ReadonlySet<string>;
  /** User ids of the `gui/` domains that the output names. */
  readonly users: readonly number[];
}

/** The answer to `launchctl print <domain>`: no labels for a domain that does not exist, undefined if not understood. */
export function readDomain(answer: ToolAnswer): DomainAnswer | undefined {
  if (answer.status === notFound) return { exists: false, labels: new Set(), users: [] };
  const [header = '', ...lines] = linesOf(answer.stdout);
  const begin = lines.indexOf('\tservices = {');
  if (answer.status !== 0 || !/^\S+ = \{\s*$/.test(header) || begin === -1) return undefined;
  const labels = new Set<string>();
  for (const line of lines.slice(begin + 1)) {
    if (line === '\t}' || labels.size >= maxLabels) break;
    // Process id, last exit status, and the label behind a tab or blanks.
    const label = /^\t\t\s*(?:-|\d+)\s+\S+\s+(\S.*)$/.exec(line)?.[1];
    if (label !== undefined) labels.add(label.slice(0, maxText));
  }
  const users = new Set<number>();
  for (const [, uid] of answer.stdout.matchAll(/\bgui\/(\d{1,10})\b/g)) {
    if (users.size >= maxUsers) break;
    users.add(Number(uid));
  }
  return { exists: true, labels, users: [...users] };
}

function linesOf(text: string): string[] {
  return text.split('\n', maxLines).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}
