import type { ProcessFields } from '../../event/document.js';
import { ImageMatcher, imagesOf } from '../images.js';
import { commandOf } from './ancestry.js';
import { counted, defineStep, fact, listed, point } from './answer.js';
import { type Case, isApples, type JobState, type Known, type LaunchdSays } from './case.js';
import { textIn, textsIn } from './read.js';

interface Facts {
  readonly jobs: Known<readonly JobState[]>;
  readonly launchd: Known<LaunchdSays> | undefined;
  readonly processes: Known<readonly ProcessFields[]>;
  /** Those of them that run its program under another name. */
  readonly renamed: readonly ProcessFields[];
  /** Of a bundle: who has its program open or mapped. */
  readonly users: Known<readonly ProcessFields[]> | undefined;
}

export const running = defineStep<Facts>({
  name: 'running',
  question: 'Is it loaded, and does it run now?',
  read: readRunning,
  says(facts, { about }) {
    const { jobs, launchd, processes, renamed, users } = facts;
    const reads = launchd !== undefined && 'value' in launchd ? launchd.value : undefined;
    const states = 'value' in jobs ? jobs.value : [];
    const loaded = states.filter(({ state }) => state === 'loaded');
    const active = loaded.filter(({ pid }) => pid !== undefined);
    const matching = 'value' in processes ? processes.value : [];
    const holders = users !== undefined && 'value' in users ? users.value : [];
    const unsure = states.filter(({ state }) => state === 'unknown');
    const others = loaded.filter(
      ({ path }) => path !== undefined && about.path !== undefined && path !== about.path,
    );
    const isRunning = active.length > 0 || matching.length > 0 || holders.length > 0;
    return {
      mark: isRunning
        ? 'worrying'
        : loaded.length > 0
          ? 'notable'
          : states.length > unsure.length || (users !== undefined && 'value' in users)
            ? 'reassuring'
            : 'unknown',
      says: runningSentence(facts),
      points: [
        ...others.map(({ target, path }) =>
          point('notable', `${target} was loaded from another file: ${path}.`),
        ),
        ...renamed.map(({ pid, executable }) =>
          point('worrying', `Process ${pid ?? '?'} runs its program under another name: ${executable}.`),
        ),
        isRunning && loaded.length > 0
          ? point('neutral', 'Removing the file alone does not stop it: boot the job out.')
          : undefined,
        reads === undefined ? undefined : point('neutral', reads.loads),
        ...(reads?.obstacles ?? []).map((one) => point('notable', one)),
        reads === undefined ? undefined : point('neutral', reads.disabled),
        reads === undefined &&
        !isRunning &&
        loaded.length === 0 &&
        states.length > 0 &&
        about.path !== undefined
          ? point('neutral', 'launchd loads it at the next login or boot as long as its file stands there.')
          : undefined,
      ],
      facts: [
        ...states.map(({ target, state, pid, runs }) =>
          fact(
            target,
            [
              stateWords[state],
              pid === undefined ? '' : `pid ${pid}`,
              runs === undefined ? '' : `started ${counted(runs, 'time')}`,
            ]
              .filter((one) => one !== '')
              .join(', '),
          ),
        ),
        ...[...matching, ...holders].map((one) =>
          fact(`pid ${one.pid ?? '?'}`, commandOf(one) ?? textIn(one, 'executable')),
        ),
      ],
      unknown: [
        'why' in jobs ? `whether launchd has it loaded: ${jobs.why}` : undefined,
        unsure.length === 0
          ? undefined
          : `whether it is loaded as ${listed(unsure.map(({ target }) => target))}: launchctl gave no answer that is understood`,
        'why' in processes ? `which of its processes run: ${processes.why}` : undefined,
        users !== undefined && 'why' in users ? `which programs have loaded it: ${users.why}` : undefined,
      ],
    };
  },
});

const stateWords: Readonly<Record<JobState['state'], string>> = {
  loaded: 'loaded',
  'not-loaded': 'not loaded',
  'no-domain': 'nobody is logged in there',
  unknown: 'no answer',
};

export async function readRunning(from: Case): Promise<Facts> {
  const { about, tools } = from;
  const { path, labels, domains, isBundle, runs } = about;
  const asksJobs = path !== undefined && labels.length > 0 && !isBundle;
  const plugIn = isBundle ? (runs[0] ?? path) : undefined;
  const [jobs, all, users, launchd] = await Promise.all([
    asksJobs
      ? tools.jobs(path, labels, domains)
      : {
          why: isBundle
            ? 'launchd does not load it, another program does'
            : 'it has no label that launchd could be asked about',
        },
    tools.processes(),
    plugIn === undefined ? undefined : tools.usersOf(plugIn),
    tools.launchd(about),
  ]);
  const named = 'why' in all ? [] : all.value.filter((one) => belongs(one, about));
  const renamed = 'why' in all || named.length > 0 ? [] : renamedOf(all.value, from);
  const processes = 'why' in all ? all : { value: [...named, ...renamed].slice(0, 20) };
  return { jobs: isBundle ? { value: [] } : jobs, launchd, processes, renamed, users };
}

/** Processes that run what its program was known to be. */
function renamedOf(all: readonly ProcessFields[], { about, store, tools }: Case): ProcessFields[] {
  const own = [...new Set([about.program, ...about.runs, ...about.ownCode])].filter(
    (one): one is string => one?.startsWith('/') === true && !isApples(one),
  );
  const matcher = new ImageMatcher(
    own.slice(0, 16).flatMap((one) => imagesOf(store.versions.ofPath(one, { limit: 8 }))),
  );
  return all
    .filter((one) => !isApples(textIn(one, 'executable') ?? '') && tools.runsImage(one, matcher))
    .slice(0, 20);
}

/** Whether a process runs what the item runs; one of macOS' own interpreters is told by what it was given. */
function belongs(process: ProcessFields, { program, ownCode, runs, isBundle }: Case['about']): boolean {
  const executable = textIn(process, 'executable');
  if (isBundle) return executable !== undefined && runs.includes(executable);
  const args = textsIn(process, 'args');
  const own = ownCode.filter((code) => code.length > 2);
  if (own.length > 0) return own.some((code) => code === executable || args.includes(code));
  return executable !== undefined && executable === program && !isApples(executable);
}

/** The domains that launchd was asked about. */
function domainsIn(states: readonly JobState[]): string[] {
  return [...new Set(states.map(({ target }) => /^(?:system|\w+\/\d+)(?=\/)/.exec(target)?.[0] ?? target))];
}

/** Whether it runs, in one sentence. */
export function runningSentence({ jobs, launchd, processes, users }: Facts): string {
  const states = 'value' in jobs ? jobs.value : [];
  const loaded = states.filter(({ state }) => state === 'loaded');
  const active = loaded.find(({ pid }) => pid !== undefined);
  if (active !== undefined) return `Yes, it runs: pid ${active.pid}, loaded as ${active.target}.`;
  const [process] = 'value' in processes ? processes.value : [];
  if (process !== undefined) return `Yes, what it runs is running: pid ${process.pid ?? '?'}.`;
  const [holder] = users !== undefined && 'value' in users ? users.value : [];
  if (holder !== undefined)
    return `Yes, ${textIn(holder, 'name') ?? 'a program'} (pid ${holder.pid ?? '?'}) has it loaded.`;
  const [first] = loaded;
  if (first !== undefined) return `It is loaded as ${first.target}, and does not run at the moment.`;
  const asked = states.filter(({ state }) => state === 'not-loaded' || state === 'no-domain');
  if (asked.length > 0 && asked.length === states.length)
    return `No: launchd does not have it loaded in ${listed(domainsIn(asked), 8)}, and nothing of it runs.`;
  if (users !== undefined && 'value' in users) return 'No: no process has it open or loaded.';
  return launchd !== undefined && 'value' in launchd
    ? launchd.value.live
    : 'Whether it runs could not be learned.';
}
