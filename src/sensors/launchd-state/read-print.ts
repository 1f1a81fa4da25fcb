import { flat } from '../../base/flat.js';
import { saysNoDomain, saysNoService } from '../../base/launchctl-status.js';
import type { ToolAnswer } from '../../base/tool.js';

/**
 * Readers of `launchctl print`. Its output is documented as no interface (launchctl(1)); what is relied on stands in
 * reference/macos.md 6.2 and in public reports of macOS 12 to 26, and none of it was seen on a Mac by its authors:
 * UNPROVEN. Whatever is not understood is `unknown`, never "not loaded". Labels and arguments are attacker-written: they
 * may hold line breaks and look like any other line.
 */
export type ServiceAnswer =
  | { readonly state: 'loaded'; readonly facts: JobFacts }
  | { readonly state: 'not-loaded' }
  /** The domain itself is not there: nobody is logged in, or not at the screen. */
  | { readonly state: 'no-domain' }
  | { readonly state: 'unknown' };

/** Texts as launchd prints them, bounded. */
export interface JobFacts {
  readonly path?: string;
  readonly program?: string;
  readonly state?: string;
  readonly pid?: number;
  /** How often launchd has started it since it was loaded. */
  readonly runs?: number;
  /** `0`, `78: EX_CONFIG`, `(never exited)`. */
  readonly last_exit?: string;
  /** `LaunchAgent`, `LaunchDaemon`, `Submitted`, ... */
  readonly type?: string;
}

const maxText = 4_096;
const maxLines = 200_000;
const maxLabels = 20_000;
/** Characters of a label that are kept to ask about it. */
const maxLabel = 64 * 1024;
const maxUsers = 16;

/** Top-level keys are indented by exactly one tab: nested blocks repeat `state` and `path`. */
const topLevel = /^\t(\w[\w ]{0,60}) = (.*)$/;

/** The answer to `launchctl print <domain>/<label>`; `target` is what was asked for. */
export function readService(answer: ToolAnswer, target: string): ServiceAnswer {
  if (saysNoDomain(answer.status)) return { state: 'no-domain' };
  if (saysNoService(answer.status))
    return {
      state: /could not find (?:specified )?domain/i.test(answer.stderr) ? 'no-domain' : 'not-loaded',
    };
  const body = answer.status === 0 ? bodyOf(answer.stdout, target) : undefined;
  if (body === undefined) return { state: 'unknown' };
  const lines = linesOf(body);
  const block = lines.findIndex((line) => /^\t[^\t].* = \{\s*$/.test(line));
  const head = block === -1 ? lines : lines.slice(0, block);
  // A domain in the place of a service.
  if (lines[block] === '\tservices = {') return { state: 'unknown' };
  // What an argument can forge stands behind the first block: only what all of these lines agree about counts there.
  const path = firstValue(head, 'path');
  const program = firstValue(head, 'program') ?? firstArgument(lines);
  const state = firstValue(head, 'state') ?? onlyValue(lines, 'state');
  const pid = numberOf(onlyValue(lines, 'pid'));
  const runs = numberOf(onlyValue(lines, 'runs'));
  const lastExit = onlyValue(lines, 'last exit code');
  const type = firstValue(head, 'type');
  return {
    state: 'loaded',
    facts: {
      ...(path === undefined ? {} : { path }),
      ...(program === undefined ? {} : { program }),
      ...(state === undefined ? {} : { state }),
      ...(pid === undefined ? {} : { pid }),
      ...(runs === undefined ? {} : { runs }),
      ...(lastExit === undefined ? {} : { last_exit: lastExit }),
      ...(type === undefined ? {} : { type }),
    },
  };
}

/** What stands behind the header: `gui/501/com.x = {`, or `com.x = {` as it was before macOS 13. */
function bodyOf(text: string, target: string): string | undefined {
  const label = target.replace(/^(?:system|(?:gui|user|login|pid)\/\d+)\//, '');
  for (const name of [target, label]) {
    const rest = text.startsWith(name) ? text.slice(name.length, name.length + 64) : '';
    const end = /^(?: \[\d{1,12}\])? = \{[ \t\r]*\n/.exec(rest)?.[0].length;
    if (end !== undefined) return text.slice(name.length + end);
  }
  return undefined;
}

function firstValue(lines: readonly string[], wanted: string): string | undefined {
  for (const line of lines) {
    const [, key, value = ''] = topLevel.exec(line) ?? [];
    if (key === wanted && value !== '{') return flat(value.slice(0, maxText));
  }
  return undefined;
}

/** The value of a top-level key when it has only one. */
function onlyValue(lines: readonly string[], wanted: string): string | undefined {
  let found: string | undefined;
  for (const line of lines) {
    const [, key, value = ''] = topLevel.exec(line) ?? [];
    if (key !== wanted || value === '{') continue;
    if (found !== undefined && found !== value) return undefined;
    found = value;
  }
  return found === undefined ? undefined : flat(found.slice(0, maxText));
}

function firstArgument(lines: readonly string[]): string | undefined {
  const at = lines.indexOf('\targuments = {');
  const first = at === -1 ? undefined : /^\t\t(.*)$/.exec(lines[at + 1] ?? '')?.[1];
  return first === undefined ? undefined : flat(first.slice(0, maxText));
}

function numberOf(text: string | undefined): number | undefined {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : undefined;
}

export interface DomainAnswer {
  readonly exists: boolean;
  /** Process id by label, 0 for a job that does not run. */
  readonly labels: ReadonlyMap<string, number>;
  /** User ids of the `gui/` and `user/` domains that the output names. */
  readonly users: readonly number[];
  /** False when there are more labels than were read. */
  readonly complete: boolean;
  /** True when a label holds line breaks: then any of the lines may be forged. */
  readonly odd: boolean;
}

const none: DomainAnswer = { exists: false, labels: new Map(), users: [], complete: true, odd: false };

/** Process id, last exit status (a number, `-`, `(pe)`), and the label behind a tab, or behind blanks. */
const row = /^\t{1,2} *(-|\d{1,9}) +\S{1,20} *\t(.*)$/;
const blankRow = /^\t{1,2} *(-|\d{1,9}) +\S{1,20} +(\S.*)$/;

/** The answer to `launchctl print <domain>`: no labels for a domain that does not exist, undefined if not understood. */
export function readDomain(answer: ToolAnswer): DomainAnswer | undefined {
  if (saysNoDomain(answer.status) || saysNoService(answer.status)) return none;
  // One that printed too much was killed: what it printed until then counts.
  if (answer.status !== 0 && (answer.status !== null || answer.stdout === '')) return undefined;
  const [header = '', ...lines] = linesOf(answer.stdout);
  if (answer.status === null) lines.pop();
  const begin = lines.indexOf('\tservices = {');
  if (!/^\S.{0,300} = \{\s*$/.test(header) || begin === -1) return undefined;
  const services = readServices(lines.slice(begin + 1));
  return {
    exists: true,
    users: usersOf(lines.slice(0, begin)),
    ...services,
    complete: services.complete && answer.status === 0,
  };
}

function readServices(lines: readonly string[]): Pick<DomainAnswer, 'labels' | 'complete' | 'odd'> {
  const labels = new Map<string, number>();
  let last: { readonly label: string; readonly pid: number } | undefined;
  let odd = false;
  let ended = false;
  let behind = false;
  for (const line of lines) {
    if (labels.size >= maxLabels) return { labels, complete: false, odd };
    // A label may hold an end of the block and the beginning of another one: rows do not stand anywhere else.
    if (behind && !row.test(line)) continue;
    if (line === '\t}') {
      ended = true;
      continue;
    }
    const [, pid = '', label = ''] = row.exec(line) ?? blankRow.exec(line) ?? [];
    if (label !== '') {
      // Behind the end of the block: the end was part of a label.
      odd ||= ended;
      last = { label, pid: pid === '-' ? 0 : Number(pid) };
      labels.set(flat(label.slice(0, maxLabel)), last.pid);
    } else if (!ended && last !== undefined) {
      odd = true;
      last = { ...last, label: `${last.label}\n${line}`.slice(0, maxLabel) };
      labels.set(flat(last.label), last.pid);
    } else if (ended && /^\t\w[\w -]{0,60} = \{$/.test(line)) behind = true;
  }
  return { labels, complete: true, odd };
}

/** Sessions stand in a block of their own; a label that looks like one is none. */
function usersOf(lines: readonly string[]): number[] {
  const begin = lines.indexOf('\tsubdomains = {');
  const users = new Set<number>();
  for (const line of begin === -1 ? [] : lines.slice(begin + 1)) {
    if (line === '\t}' || users.size >= maxUsers) break;
    const uid = /^\t\t(?:gui|user)\/(\d{1,10})(?:\s.*)?$/.exec(line)?.[1];
    if (uid !== undefined) users.add(Number(uid));
  }
  return [...users];
}

function linesOf(text: string): string[] {
  return text.split('\n', maxLines).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}
