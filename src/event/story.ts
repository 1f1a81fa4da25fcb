import type { Micros } from '../base/time.js';
import type { CodeSignatureFields, EcsDocument } from './document.js';
import { type Event, wallTime } from './event.js';
import { findingWeight } from './findings.js';

/** Where a persistent item is in its life. */
export type StoryStage =
  | 'found'
  | 'written'
  | 'changed'
  | 'loaded'
  | 'running'
  | 'removed'
  | 'back'
  | 'quarantined';

export interface StoryStep {
  readonly time: Micros;
  readonly stage: StoryStage;
  /** Of the event that showed it. */
  readonly event: string;
  /** One sentence for people; absent where the stage says it all. */
  readonly says?: string;
}

/** A program or script that an item runs, as it was when it was last compared. */
export interface ProgramFacts {
  readonly sha256: string;
  readonly uid: number;
}

/** What an item was at some moment, as far as an update of it is told from another item in its place. */
export interface ItemFacts {
  /** Of each file of the item, by its name below the item (`` for the item itself): content, owner and mode. */
  readonly contents: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly program?: string;
  readonly runs?: readonly string[];
  /** As JSON; compared where they are the program. */
  readonly args?: string;
  /** Findings that weigh something. */
  readonly findings?: readonly string[];
  /** `TEAM/signing-id` of a trusted signature, `none` where there is none that counts; absent while it is not known. */
  readonly signer?: string;
  /** Owner of the item's file. */
  readonly uid?: string;
  /** By canonical path; absent while they have not been read. */
  readonly programs?: Readonly<Record<string, ProgramFacts>>;
}

/** Everything about one persistent item. */
export interface Story {
  /** `launchwarden.persistence.item_id`. */
  readonly item: string;
  readonly mechanism: string;
  readonly path: string;
  readonly label: string;
  readonly stage: StoryStage;
  readonly first: Micros;
  readonly last: Micros;
  /** Its file was gone before it could be read. */
  readonly gone?: boolean;
  /** The item that its file became by a rename. */
  readonly movedTo?: string;
  /** Changes that were updates of what was known. */
  readonly updates: number;
  /**
   * Since when it is known, event time: 0 when it was there before the agent, else when somebody was told of it. Absent of
   * an item that nobody knows. Only what has been known for a while can be updated.
   */
  readonly known?: Micros;
  readonly facts: ItemFacts;
  /** What a known item was before each of the newest events that changed it, by the id of the event. */
  readonly before: Readonly<Record<string, ItemFacts>>;
  /** Oldest first. */
  readonly steps: readonly StoryStep[];
}

const maxSteps = 40;
const maxBefore = 8;
const maxContents = 64;
const maxRuns = 32;
const maxText = 1_024;
/** Items of one event. */
const maxItems = 16;
/** An item that is gone for no longer is rewritten, not removed and put back, microseconds. */
const rewriteWindow: Micros = 60_000_000;

/** Actions that say nothing about what an item is. */
const silent: ReadonlySet<string> = new Set(['open', 'launch_daemon', 'extended_attributes_delete', 'mount']);

/** The item that an event is about; of a program the first one that runs it. Undefined when it is about none. */
export function itemOf(doc: EcsDocument): string | undefined {
  return itemsOf(doc)[0];
}

/** The items that an event is about: its own, and of a program all that run it. */
export function itemsOf({ launchwarden }: EcsDocument): readonly string[] {
  const running: unknown = launchwarden?.program?.items;
  const ids: readonly unknown[] = Array.isArray(running) ? running.slice(0, maxItems) : [];
  const all = [launchwarden?.persistence?.item_id, ...ids];
  return [...new Set(all.filter((id): id is string => typeof id === 'string' && id !== ''))];
}

/**
 * The story of `item` after an event that is about it; the same story when the event tells nothing new. `item`: one of
 * `itemsOf`.
 */
export function nextStory(
  story: Story | undefined,
  event: Event,
  item = itemOf(event.doc),
): Story | undefined {
  const { doc } = event;
  if (item === undefined) return story;
  if (item !== doc.launchwarden?.persistence?.item_id) return story && afterProgram(story, event);
  if (doc.file !== undefined) return afterFile(story ?? begun(item, event), event);
  if (doc.launchwarden?.job !== undefined) return afterJob(story ?? begun(item, event), event);
  return story;
}

/**
 * The story of an item that was there before the agent looked; with one more file of it when it is a bundle whose story has
 * no more than that yet. Undefined when there is nothing to add.
 */
export function baselineStory(event: Event, story?: Story): Story | undefined {
  const item = itemOf(event.doc);
  if (item === undefined || story?.steps.some(({ stage }) => stage !== 'found')) return undefined;
  const before = story ?? begun(item, event);
  const name = nameBelow(before, event.doc);
  if (before.facts.contents[name] !== undefined) return undefined;
  const says = 'It was there when the agent first looked.';
  const step = {
    time: before.first,
    stage: 'found' as const,
    event: story?.steps[0]?.event ?? event.id,
    says,
  };
  const { programs } = before.facts;
  const facts = factsAfter(before.facts, event.doc, name);
  return withStep(
    { ...before, known: 0, facts: programs === undefined ? facts : { ...facts, programs } },
    step,
  );
}

function begun(item: string, event: Event): Story {
  const { mechanism = '', path = '' } = event.doc.launchwarden?.persistence ?? {};
  const time = wallTime(event);
  return {
    ...{ item, mechanism, path: String(path).slice(0, 4_096), label: labelOf(event.doc) ?? '' },
    ...{ stage: 'written', first: time, last: time, updates: 0 },
    ...{ facts: { contents: {} }, before: {}, steps: [] },
  };
}

function afterFile(story: Story, event: Event): Story {
  const { doc } = event;
  const action = doc.event?.action ?? '';
  if (silent.has(action)) return story;
  const time = wallTime(event);
  const own = doc.file?.path === story.path || nameBelow(story, doc) === '';
  if (action === 'deletion') {
    if (!own)
      return withStep(story, { time, stage: 'changed', event: event.id, says: 'A file of it was removed.' });
    // The quarantine took it away.
    if (story.stage === 'quarantined') return story;
    return withStep(story, { time, stage: 'removed', event: event.id });
  }
  const known = story.before[event.id];
  const facts = factsAfter(story.facts, doc, nameBelow(story, doc));
  // A newer document of the same event: what the item was before it stays.
  if (known !== undefined || story.steps.some((step) => step.event === event.id))
    return { ...story, facts, label: labelOf(doc) ?? story.label, last: Math.max(story.last, time) };
  const isBack =
    (story.stage === 'removed' && time - story.last > rewriteWindow) ||
    (story.stage === 'quarantined' && time > story.last);
  const isNew = story.steps.length === 0;
  const isSame = !isNew && sameContents(story.facts, facts);
  // What comes back after it was removed is not known any more.
  const { known: since, gone: _, movedTo: __, ...rest } = story;
  const gone = (doc.launchwarden?.findings ?? []).includes('vanished');
  const isKnown = isKnownAt(story, time) && !isBack;
  const next: Story = {
    ...rest,
    facts,
    label: labelOf(doc) ?? story.label,
    ...(since === undefined || isBack ? {} : { known: since }),
    ...(gone ? { gone } : {}),
    before: isKnown ? bounded({ ...story.before, [event.id]: story.facts }) : {},
  };
  if (isSame && !isBack && story.stage !== 'removed') return { ...next, last: Math.max(story.last, time) };
  const stage = isBack ? 'back' : isNew ? 'written' : 'changed';
  const says = isSame ? 'Rewritten with the content that it had.' : undefined;
  return withStep(next, { time, stage, event: event.id, ...(says === undefined ? {} : { says }) });
}

function afterJob(story: Story, event: Event): Story {
  const job = event.doc.launchwarden?.job;
  const removed = event.doc.event?.action === 'unloaded';
  const stage: StoryStage = removed ? story.stage : job?.pid === undefined ? 'loaded' : 'running';
  if (removed || story.steps.some((step) => step.event === event.id)) return story;
  const says = `As ${String(job?.domain ?? '?').slice(0, 200)}/${String(job?.label ?? '?').slice(0, 200)}.`;
  return withStep(story, { time: wallTime(event), stage, event: event.id, says });
}

/** What the item runs is another program now; the item itself is what it was. */
function afterProgram(story: Story, event: Event): Story {
  const { file, event: told } = event.doc;
  const path = String(file?.path ?? '?').slice(0, 500);
  const isSame = event.doc.launchwarden?.findings?.includes('owner-or-mode-changed') === true;
  const says = isSame
    ? `The owner or mode of its program ${path} changed.`
    : `Its program ${path} was ${told?.action === 'deletion' ? 'removed' : 'exchanged'}.`;
  return withStep(story, { time: wallTime(event), stage: 'changed', event: event.id, says });
}

/** So long after somebody was told of an item its changes may be updates; before, they belong to what was told. */
const settlingTime: Micros = 3_600_000_000;

export function isKnownAt({ known }: Story, time: Micros): boolean {
  return known !== undefined && (known === 0 || time - known >= settlingTime);
}

/** The story of an item whose file was renamed to become that of another one. */
export function movedStory(story: Story, event: Event): Story {
  const movedTo = itemOf(event.doc);
  const says = `Renamed to ${String(event.doc.file?.path ?? '?').slice(0, 500)}.`;
  const step = { time: wallTime(event), stage: 'removed' as const, event: event.id, says };
  return { ...withStep(story, step), ...(movedTo === undefined ? {} : { movedTo }) };
}

/** The story with one more step, which is dropped when it is there already. */
export function withStep(story: Story, step: StoryStep): Story {
  if (story.steps.some(({ event, stage }) => event === step.event && stage === step.stage)) return story;
  const all = [...story.steps, step].sort((a, b) => a.time - b.time);
  // The beginning and the end of a long story.
  const steps =
    all.length <= maxSteps ? all : [...all.slice(0, maxSteps / 4), ...all.slice(-(maxSteps * 3) / 4)];
  return {
    ...story,
    steps,
    stage: (all.at(-1) as StoryStep).stage,
    first: Math.min(story.first, step.time),
    last: Math.max(story.last, step.time),
  };
}

function bounded(before: Readonly<Record<string, ItemFacts>>): Readonly<Record<string, ItemFacts>> {
  const all = Object.entries(before);
  return all.length <= maxBefore ? before : Object.fromEntries(all.slice(-maxBefore));
}

function nameBelow({ path }: Story, { file }: EcsDocument): string {
  const own: unknown = file?.path;
  if (typeof own !== 'string' || own.length <= path.length) return '';
  return own.slice(path.length + 1, path.length + 513);
}

function labelOf({ launchwarden }: EcsDocument): string | undefined {
  const label: unknown = launchwarden?.plist?.label ?? launchwarden?.persistence?.label?.[0];
  return typeof label === 'string' && label !== '' ? label.slice(0, maxText) : undefined;
}

/** What the item is after an event. What the event does not tell stays as it was. */
function factsAfter(facts: ItemFacts, doc: EcsDocument, name = ''): ItemFacts {
  const { file, launchwarden } = doc;
  const { plist, persistence } = launchwarden ?? {};
  const { sha256 } = file?.hash ?? {};
  const entries = Object.entries(facts.contents).filter(([key]) => key !== name);
  const entry = `${sha256 ?? (file?.type === 'file' ? '?' : '-')} ${file?.uid ?? '?'} ${file?.mode ?? '?'} ${file?.type ?? '?'}`;
  const contents = Object.fromEntries([...entries.slice(-maxContents + 1), [name, entry]]);
  const { programs: _, signer: __, ...rest } = facts;
  const runs = (plist?.runs ?? persistence?.runs ?? []).slice(0, maxRuns);
  const described = plist !== undefined || persistence?.entries !== undefined;
  if (!described) return { ...rest, contents, ...(file?.uid === undefined ? {} : { uid: file.uid }) };
  const label = labelOf(doc);
  const program = plist?.program ?? plist?.program_arguments?.[0] ?? persistence?.runs?.[0];
  const signer = signerOf(plist?.code_signature);
  const findings = (launchwarden?.findings ?? []).filter((one) => findingWeight(one) > 0).slice(0, maxRuns);
  return {
    contents,
    ...(label === undefined ? {} : { label }),
    ...(program === undefined ? {} : { program: program.slice(0, maxText) }),
    ...(runs.length === 0 ? {} : { runs }),
    ...(plist?.program_arguments === undefined
      ? {}
      : { args: JSON.stringify(plist.program_arguments).slice(0, maxText * 4) }),
    ...(findings.length === 0 ? {} : { findings }),
    ...(signer === undefined ? {} : { signer }),
    ...(file?.uid === undefined ? {} : { uid: file.uid }),
  };
}

function signerOf(signature: CodeSignatureFields | undefined): string | undefined {
  if (signature === undefined) return undefined;
  const { trusted, exists, team_id, signing_id } = signature;
  if (trusted === true) return `${team_id ?? ''}/${signing_id ?? ''}`;
  return exists === false || trusted === false ? 'none' : undefined;
}

function sameContents(a: ItemFacts, b: ItemFacts): boolean {
  const names = new Set([...Object.keys(a.contents), ...Object.keys(b.contents)]);
  return [...names].every(
    (name) => a.contents[name] === b.contents[name] && !a.contents[name]?.startsWith('?'),
  );
}

/** What describes an item, by its name below it. */
const descriptions: ReadonlySet<string> = new Set(['', 'Contents/Info.plist']);

/** Whether what a bundle holds besides its description is the same. */
function sameInside(a: ItemFacts, b: ItemFacts): boolean {
  const names = new Set([...Object.keys(a.contents), ...Object.keys(b.contents)]);
  return [...names].every((name) => descriptions.has(name) || a.contents[name] === b.contents[name]);
}

/** A finding of this weight is odd enough that a change is looked at by somebody. */
const oddWeight = 10;

/** Findings of an interpreter whose program stands in its arguments. */
const byArguments: ReadonlySet<string> = new Set([
  'interpreter-one-liner',
  'wrapped-program',
  'network-download',
  'encoded-command',
  'remote-script',
  'remote-shell',
  'pattern-program',
  'script-cut',
]);

/**
 * Why a change is an update of a known item, in a sentence; undefined when it is more than that: label, programs and owner
 * are what they were, and the signer is the same; where nobody knows the signer, the programs are, byte by byte and by
 * their owners. Findings that were not there before, and odd ones, are more than an update.
 */
export function updateOf(before: ItemFacts | undefined, after: ItemFacts): string | undefined {
  if (before === undefined) return undefined;
  const old = new Set(before.findings ?? []);
  const rewritten = sameContents(before, after);
  const found = after.findings ?? [];
  if (found.some((one) => findingWeight(one) >= 2 * oddWeight)) return undefined;
  if (!rewritten && found.some((one) => !old.has(one) && findingWeight(one) >= oddWeight)) return undefined;
  if (before.uid !== after.uid || before.label !== after.label || before.program !== after.program)
    return undefined;
  if (JSON.stringify(before.runs ?? []) !== JSON.stringify(after.runs ?? [])) return undefined;
  const inArguments = [...old, ...(after.findings ?? [])].some((one) => byArguments.has(one));
  if (inArguments && before.args !== after.args) return undefined;
  const what = rewritten ? 'rewritten with the content that it had' : 'an update of a known item';
  if (before.signer !== undefined && after.signer !== undefined) {
    if (before.signer !== after.signer || after.signer === 'none') return undefined;
    return `${what}: same label and program, still signed by ${after.signer}`;
  }
  // Nothing that could be compared is run, or what is run stands in the item itself: only the same bytes are the same item.
  const compared = Object.keys(after.programs ?? {}).length > 0;
  if (!rewritten && (before.program === undefined || !compared || !sameInside(before, after)))
    return undefined;
  return samePrograms(before.programs, after.programs)
    ? `${what}: same label, and the same programs byte by byte`
    : undefined;
}

function samePrograms(before: ItemFacts['programs'], after: ItemFacts['programs']): boolean {
  if (before === undefined || after === undefined) return false;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].every(
    (name) => before[name]?.sha256 === after[name]?.sha256 && before[name]?.uid === after[name]?.uid,
  );
}
