import { launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { ToolAnswer } from '../../base/tool.js';
import type { Alert } from '../../event/alert.js';
import type { CodeSignatureFields, EcsDocument, ProcessFields } from '../../event/document.js';
import { domainsNamed } from '../../event/launchctl.js';
import { MechanismPlaces, mechanisms } from '../../mechanisms/index.js';
import type { Store } from '../../store/index.js';
import type { ImageMatcher } from '../images.js';
import { objectsIn, textIn, textsIn } from './read.js';

/** Something that could be learned, or the reason why not, as the end of "could not be learned: ...". */
export type Known<T> = { readonly value: T } | { readonly why: string };

/** What launchd says about one label in one domain. */
export interface JobState {
  /** `system/com.example`, `gui/501/com.example`. */
  readonly target: string;
  readonly state: 'loaded' | 'not-loaded' | 'no-domain' | 'unknown';
  readonly pid?: number;
  /** How often launchd has started it since it was loaded. */
  readonly runs?: number;
  /** Property list that launchd took it from. */
  readonly path?: string;
  readonly program?: string;
}

/** What launchd makes of the list of a launch item, one sentence each. */
export interface LaunchdSays {
  /** Whether it loads it, and if not why. */
  readonly loads: string;
  /** What stands in the way besides. */
  readonly obstacles: readonly string[];
  /** Whether it is disabled, and by whom. */
  readonly disabled: string;
  /** Whether it is loaded and runs now. */
  readonly live: string;
}

/** What only the running machine can tell. On a `--root` tree stand-ins answer, or nobody does. Nothing here rejects. */
export interface CaseTools {
  /** Asks launchd about labels in every domain in which an item of this path can be loaded, and in `domains`. */
  jobs(
    path: string,
    labels: readonly string[],
    domains: readonly string[],
  ): Promise<Known<readonly JobState[]>>;
  /** Reads the list of a launch item as launchd would; undefined of what is no launch item. */
  launchd(about: Subject): Promise<Known<LaunchdSays> | undefined>;
  /** The processes that run now. */
  processes(): Promise<Known<readonly ProcessFields[]>>;
  /** Whether a process runs one of the images, under whatever name. */
  runsImage(process: ProcessFields, images: ImageMatcher): boolean;
  /** Processes that have a file open or mapped. */
  usersOf(path: string): Promise<Known<readonly ProcessFields[]>>;
  /** Who signed a program or bundle, as it is now. */
  signature(path: string): Promise<Known<CodeSignatureFields>>;
  /** Runs a tool of macOS by its path, bounded, without a shell. */
  run(program: string, args: readonly string[]): Promise<Known<ToolAnswer>>;
}

/** What an investigation reads: the alert, the store, the files, and the tools of the machine. */
export interface Case {
  readonly alert: Alert;
  readonly about: Subject;
  readonly store: Store;
  readonly root: RootMap;
  readonly tools: CaseTools;
  readonly now: Micros;
  /** True once no more time may be spent on looking through many events. */
  readonly expired: () => boolean;
}

/** What an alert is about, gathered from its document. Hostile texts. */
export interface Subject {
  /** The item's file or bundle, else the file of the event; canonical macOS path. */
  readonly path: string | undefined;
  /** The file that the event was about: of a bundle the file inside. */
  readonly file: string | undefined;
  /** `launch-agent`, ...; undefined when it is about no persistent item. */
  readonly mechanism: string | undefined;
  /** For people: `launch agent`. */
  readonly kind: string;
  readonly isBundle: boolean;
  /** `launchwarden.persistence.item_id`. */
  readonly item: string | undefined;
  readonly labels: readonly string[];
  /** Domains of launchd in which calls that were recorded have acted. */
  readonly domains: readonly string[];
  /** What is started first, where that is an absolute path. */
  readonly program: string | undefined;
  /** Everything that is executed in the end, programs and scripts; canonical paths where they are known. */
  readonly runs: readonly string[];
  /** Of the arguments and of `runs` what does not come with macOS. */
  readonly ownCode: readonly string[];
  /** The home that it stands in. */
  readonly home: string | undefined;
}

const places = new MechanismPlaces(mechanisms);
/** More is asked about no item. */
const maxLabels = 8;

export function subjectOf(doc: EcsDocument): Subject {
  const file = textIn(doc, 'file.path') ?? textIn(doc, 'Persistence.path');
  const path =
    textIn(doc, 'launchwarden.persistence.path') ?? textIn(doc, 'launchwarden.job.plist_path') ?? file;
  const found = path === undefined ? undefined : places.find(path);
  const mechanism = textIn(doc, 'launchwarden.persistence.mechanism') ?? found?.mechanism.id;
  const labels = new Set([
    ...textsIn(doc, 'launchwarden.plist.label'),
    ...textsIn(doc, 'launchwarden.job.label'),
    ...textsIn(doc, 'launchwarden.persistence.label'),
    ...textsIn(doc, 'launchwarden.plist.other_labels'),
  ]);
  const runs = [
    ...new Set([
      ...textsIn(doc, 'launchwarden.plist.runs'),
      ...textsIn(doc, 'launchwarden.persistence.runs'),
    ]),
  ];
  const program = [
    textIn(doc, 'launchwarden.plist.program'),
    textsIn(doc, 'launchwarden.plist.program_arguments')[0],
    runs[0],
  ].find((one) => one?.startsWith('/') === true);
  const kind = mechanisms.find(({ id }) => id === mechanism)?.name ?? kindOf(path);
  return {
    ...{ path, file, mechanism, kind, program, runs, home: found?.home },
    isBundle: found?.place.what === 'bundles',
    item: textIn(doc, 'launchwarden.persistence.item_id'),
    labels: [...labels].slice(0, maxLabels),
    domains: domainsNamed(doc),
    ownCode: textsIn(doc, 'launchwarden.plist.own_code'),
  };
}

function kindOf(path: string | undefined): string {
  const kind = path === undefined ? undefined : launchItemKind(path);
  return kind === undefined ? (path === undefined ? 'event' : 'file') : `launch ${kind}`;
}

/** The events that an alert embeds, in the order of the match. */
export function eventsOf(doc: EcsDocument): EcsDocument[] {
  return objectsIn(doc, 'Events') as EcsDocument[];
}

/** The event of the file that the alert is about. */
export function fileEventOf(doc: EcsDocument): EcsDocument | undefined {
  const id = textIn(doc, 'launchwarden.alert.file_event_id');
  const withFile = eventsOf(doc).filter((event) => event.file !== undefined);
  return withFile.find((event) => textIn(event, 'event.id') === id) ?? withFile.at(-1);
}

/** Whether a program comes with macOS: that it ran, or that two items name it, ties nothing together. */
export function isApples(path: string): boolean {
  return /^\/(?:bin|sbin|usr\/(?!local\/)[^/]+|System)\//.test(path);
}
