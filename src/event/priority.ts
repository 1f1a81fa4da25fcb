import type { EcsDocument, ProcessFields } from './document.js';
import { findingMeaning, findingWeight } from './findings.js';
import type { Severity } from './rule-meta.js';

/** How soon a person should look at an alert: `launchwarden.alert.priority`. */
export interface Priority {
  /** 0 to 100. */
  readonly score: number;
  readonly level: Severity;
  /** What it is made of besides the severity, the weightiest first. */
  readonly reasons: readonly PriorityReason[];
}

export interface PriorityReason {
  /** A finding, or a fact of `priorityFacts`. */
  readonly word: string;
  /** What it adds; negative when it speaks for the item. */
  readonly weight: number;
}

/** What the severity of the rule alone gives: its own level, and for `low` much room above. */
const base: Readonly<Record<Severity, number>> = { low: 10, medium: 40, high: 60, critical: 80 };

const levels: readonly (readonly [least: number, level: Severity])[] = [
  [80, 'critical'],
  [60, 'high'],
  [40, 'medium'],
  [0, 'low'],
];

/** Facts about an alert that are no findings about its file. */
export const priorityFacts: Readonly<Record<string, { readonly weight: number; readonly says: string }>> = {
  'unsigned-program': { weight: 5, says: 'The program is not signed.' },
  'ad-hoc-program': { weight: 5, says: 'Nobody has signed the program: its signature is ad hoc.' },
  'untrusted-program': { weight: 20, says: 'The signature of the program is not valid, or not trusted.' },
  'known-update': {
    weight: -100,
    says: 'An update of an item that was known before, with nothing odd about it.',
  },
  canary: { weight: -100, says: 'Written by launchwarden itself, to prove that it sees and tells.' },
  'ordinary-item': {
    weight: -15,
    says: 'It could be read in full, and nothing grave speaks against it, its program or its place.',
  },
  'apple-update': { weight: -30, says: 'Written by the part of macOS that installs what Apple signed.' },
  'package-installer': { weight: -10, says: 'Written by the installer of macOS, as a part of a package.' },
};

/** Findings about a name: of another file that is named they say nothing, it may be the name that the file had before. */
const ofName: ReadonlySet<string> = new Set([
  'hidden-name',
  'not-plist-name',
  'label-not-file-name',
  'vanished',
]);

/** More than so many findings of one file are not read. */
const maxFindings = 100;

/** The sentence of a finding or a fact, for people. */
export function meaningOf(word: string): string | undefined {
  return Object.hasOwn(priorityFacts, word) ? priorityFacts[word]?.says : findingMeaning(word);
}

export function levelOf(score: number): Severity {
  return levels.find(([least]) => score >= least)?.[1] ?? 'low';
}

/** The priority that an alert document carries; what the severity alone gives when it is damaged or from before. */
export function priorityIn(doc: EcsDocument, severity: Severity): Priority {
  const { alert } = (doc.launchwarden ?? {}) as { alert?: { priority?: Partial<Priority> | null } | null };
  const { score, reasons } = alert?.priority ?? {};
  if (typeof score !== 'number' || !Number.isFinite(score) || !Array.isArray(reasons))
    return { score: base[severity], level: severity, reasons: [] };
  return { score, level: levelOf(score), reasons };
}

/** What findings add together, by which alerts of one rule are compared. */
export function weightOf(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + findingWeight(word), 0);
}

/**
 * The priority of an alert document, a pure function of it: the severity of its rule, the findings about the file that it
 * is about, about the files that a process names and about events without a file, and who signed the program.
 */
export function priorityOf(severity: Severity, doc: EcsDocument): Priority {
  const words = new Set(findingsOf(doc.launchwarden?.findings));
  for (const event of objects(doc['Events']))
    if (event.file === undefined)
      for (const word of findingsOf(event.launchwarden?.findings)) words.add(word);
  const alert = doc.launchwarden?.['alert'] as { kind?: unknown; candidates?: unknown } | undefined;
  const candidates = objects(alert?.candidates) as { named?: unknown; findings?: unknown }[];
  if (alert?.kind === 'summary') for (const word of worstOf(candidates)) words.add(word);
  else
    for (const { named, findings } of candidates)
      if (named === true) for (const word of findingsOf(findings)) if (!ofName.has(word)) words.add(word);
  const reasons = [...words].map((word): PriorityReason => ({ word, weight: findingWeight(word) }));
  for (const word of factsOf(doc)) reasons.push({ word, weight: priorityFacts[word]?.weight ?? 0 });
  if (isOrdinary(severity, doc) && reasons.every(({ weight }) => weight <= mildWeight))
    reasons.push({ word: 'ordinary-item', weight: priorityFacts['ordinary-item']?.weight ?? 0 });
  const telling = reasons
    .filter(({ weight }) => weight !== 0)
    .sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1));
  const sum = telling.reduce((total, { weight }) => total + weight, base[severity]);
  const score = Math.min(100, Math.max(0, sum));
  return { score, level: levelOf(score), reasons: telling };
}

/** Careless vendors' habits. */
const mildWeight = 5;

/**
 * Whether an alert is about a launch item that was read, by a rule whose author finds such a thing no worse than medium: what
 * a package installs and loads looks the same whoever made it.
 */
function isOrdinary(severity: Severity, { launchwarden }: EcsDocument): boolean {
  const { kind } = (launchwarden?.['alert'] ?? {}) as { kind?: unknown };
  return severity === 'medium' && kind !== 'summary' && typeof launchwarden?.plist?.json === 'string';
}

/** The findings of what weighs most among what a summary stands for. */
function worstOf(candidates: readonly { findings?: unknown }[]): readonly string[] {
  let worst: readonly string[] = [];
  for (const { findings } of candidates) {
    const words = findingsOf(findings);
    if (weightOf(words) > weightOf(worst)) worst = words;
  }
  return worst;
}

function factsOf(doc: EcsDocument): string[] {
  const facts: string[] = [];
  const signature = doc.launchwarden?.plist?.code_signature;
  if (signature?.exists === false) facts.push('unsigned-program');
  else if (signature?.trusted === false)
    facts.push(signature.status === 'ad hoc' ? 'ad-hoc-program' : 'untrusted-program');
  const { settled } = (doc.launchwarden?.['alert'] ?? {}) as { settled?: { reason?: unknown } };
  if (settled?.reason === 'known update') facts.push('known-update');
  if (settled?.reason === 'canary') facts.push('canary');
  const installer = installerOf(writerOf(doc));
  return installer === undefined ? facts : [...facts, installer];
}

/** Signing ids of the programs by which macOS installs and updates itself, and of the one that installs packages. */
const installers: Readonly<Record<string, string>> = {
  'com.apple.shove': 'apple-update',
  'com.apple.system_installd': 'apple-update',
  'com.apple.softwareupdated': 'apple-update',
  'com.apple.installd': 'package-installer',
};

/**
 * Of a program of the system: a signature that the kernel vouched for (no sensor but EndpointSecurity and eslogger tells
 * one of a running process), without a team, in a folder that System Integrity Protection keeps.
 */
export function installerOf(process: ProcessFields | undefined): string | undefined {
  const { trusted, team_id, signing_id } = process?.code_signature ?? {};
  const isSystem = /^\/(?:System|usr\/libexec|usr\/sbin)\//.test(process?.executable ?? '');
  if (trusted !== true || team_id !== undefined || signing_id === undefined || !isSystem) return undefined;
  return Object.hasOwn(installers, signing_id) ? installers[signing_id] : undefined;
}

/** Who wrote the file, when a sensor saw it: the process of the file event. */
function writerOf(doc: EcsDocument): ProcessFields | undefined {
  const id = (doc.launchwarden?.['alert'] as { file_event_id?: unknown } | undefined)?.file_event_id;
  const event = objects(doc['Events']).find((one) => one.event?.id === id && one.file !== undefined);
  return event?.process;
}

function findingsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxFindings).filter((one): one is string => typeof one === 'string');
}

/** Stored documents may be damaged: anything may stand anywhere. */
function objects(value: unknown): EcsDocument[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}
