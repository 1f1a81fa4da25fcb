import { things } from '../../base/count.js';
import type { Micros } from '../../base/time.js';
import { formatMicros } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import { wallTime } from '../../event/event.js';
import { commandOf, userOf } from './ancestry.js';
import { counted, defineStep, fact, point, timeText } from './answer.js';
import { type Case, isApples } from './case.js';
import { textIn, textsIn } from './read.js';

interface Facts {
  readonly starts: readonly { readonly time: Micros; readonly line: string }[];
  /** When its story says that launchd had a process of it. */
  readonly told: Micros | undefined;
  readonly rows: number;
  readonly complete: boolean;
  /** What was looked for. */
  readonly wanted: readonly string[];
}

const before: Micros = 60e6;
const limit = 200;
const shown = 12;

export const executed = defineStep<Facts>({
  name: 'executed',
  question: 'Was it executed?',
  read({ alert, about, store, now, expired }) {
    const story = about.item === undefined ? undefined : store.stories.get(about.item);
    const wanted = wantedOf(about);
    const from = Math.min(story?.first ?? alert.time, alert.time) - before;
    const found = store.events.search(
      wanted,
      { from, to: Math.max(now, alert.time) + 1 },
      { limit, expired },
    );
    return {
      starts: found.events.flatMap((event) =>
        isStart(event.doc, wanted) ? [{ time: wallTime(event), line: startLine(event.doc) }] : [],
      ),
      told: story?.steps.findLast(({ stage }) => stage === 'running')?.time,
      ...{ rows: found.rows, complete: found.complete, wanted },
    };
  },
  says({ starts, told, rows, complete, wanted }, { about }) {
    const last = starts.at(-1);
    const unknown = [
      complete
        ? undefined
        : `older starts of it: only the newest ${things(rows, 'event was', 'events were')} looked through in the time that there was`,
      wanted.length === 0
        ? 'whether it was started: it runs nothing that could be told from what macOS brings'
        : undefined,
      about.isBundle && starts.length === 0 && told === undefined
        ? 'whether a program loaded it earlier: libraries that are loaded are not events; whether one has it loaded now is another step'
        : undefined,
    ];
    if (last !== undefined)
      return {
        mark: 'worrying',
        says: `Yes: started ${counted(starts.length, 'time')}, the last time at ${timeText(last.time)}.`,
        facts: starts.slice(-shown).map(({ time, line }) => fact(formatMicros(time), line)),
        unknown,
      };
    if (told !== undefined)
      return { mark: 'worrying', says: `Yes: launchd had a process of it at ${timeText(told)}.`, unknown };
    return {
      mark: wanted.length === 0 ? 'unknown' : 'neutral',
      says:
        wanted.length === 0
          ? 'Whether it was executed could not be learned.'
          : `No start of it was seen among ${counted(rows, 'event')}.`,
      points: [
        wanted.length === 0
          ? undefined
          : point('neutral', 'A process that lives for a moment can be missed by a sensor that polls.'),
      ],
      unknown,
    };
  },
});

/** Texts by which a process of the item is known: what macOS brings is run by everybody. */
function wantedOf({ program, ownCode, runs, isBundle }: Case['about']): string[] {
  const own = ownCode.filter((code) => code.length > 2);
  if (own.length > 0) return own.slice(0, 8);
  const paths = [program, ...(isBundle ? runs : [])].filter((one): one is string => one !== undefined);
  return paths.filter((one) => !isApples(one)).slice(0, 8);
}

function isStart(doc: EcsDocument, wanted: readonly string[]): boolean {
  if (!textsIn(doc, 'event.type').some((one) => one === 'start' || one === 'process_started')) return false;
  const executable = textIn(doc, 'process.executable');
  const args = textsIn(doc, 'process.args');
  return wanted.some((one) => one === executable || args.includes(one));
}

function startLine(doc: EcsDocument): string {
  const user = userOf(doc);
  const parent = textIn(doc, 'process.parent.executable') ?? textIn(doc, 'process.parent.name');
  const command = commandOf(doc.process) ?? textIn(doc, 'process.executable') ?? '?';
  return `${command} (pid ${textIn(doc, 'process.pid') ?? '?'}${user === undefined ? '' : `, ${user}`}${parent === undefined ? '' : `, started by ${parent}`})`;
}
