import type { Micros } from '../../base/time.js';
import { formatDuration, formatMicros, parseTime } from '../../base/time.js';
import type { AnswerPoint } from '../../event/investigation.js';
import { defineStep, fact, gravest, point, timeText } from './answer.js';
import { fileEventOf } from './case.js';
import { fileNow } from './files.js';
import { textIn, textsIn } from './read.js';

/** Microseconds since 1970. */
export interface FileTimes {
  readonly created?: Micros | undefined;
  readonly modified?: Micros | undefined;
  readonly changed?: Micros | undefined;
  /** The time of the content is one of whole seconds. */
  readonly wholeSeconds: boolean;
}

interface Facts {
  readonly seen: FileTimes;
  readonly now: FileTimes | undefined;
  readonly why: string | undefined;
  readonly findings: readonly string[];
  /** `deletion`, ... */
  readonly action: string | undefined;
}

const second = 1e6;

export const times = defineStep<Facts>({
  name: 'times',
  question: 'When was it made and changed, and do its times tell the truth?',
  read({ alert: { doc }, about, root }) {
    const event = fileEventOf(doc) ?? doc;
    const time = (name: string) => parseTime(textIn(event, `file.${name}`));
    const modified = time('mtime');
    const found = about.file === undefined ? undefined : fileNow(root, about.file);
    return {
      seen: {
        ...{ created: time('created')?.time, modified: modified?.time, changed: time('ctime')?.time },
        wholeSeconds: modified !== undefined && modified.time % second === 0 && modified.nanos === 0,
      },
      now: found !== undefined && 'value' in found ? found.value : undefined,
      why: found === undefined ? 'the alert is about no file' : 'why' in found ? found.why : undefined,
      findings: textsIn(doc, 'launchwarden.findings'),
      action: textIn(event, 'event.action'),
    };
  },
  says({ seen, now, why, findings, action }, { alert }) {
    const told = [seen.created, seen.modified, seen.changed].some((one) => one !== undefined);
    const shown = told ? seen : now;
    if (shown === undefined)
      return {
        mark: 'unknown',
        says: 'Its times are not known.',
        unknown: [`the times of the file: ${why ?? 'the event does not tell them'}`],
      };
    const odd = timestomps(shown, { findings, at: alert.time });
    const when = shown.changed ?? shown.modified ?? shown.created;
    const what = action === 'creation' ? 'It was created' : 'It was last changed';
    return {
      mark: gravest(odd.map(({ mark }) => mark)),
      says: `${what}${when === undefined ? '' : ` on ${timeText(when)}`}; ${odd.length === 0 ? 'its times agree with each other.' : 'its times do not agree with each other.'}`,
      points: odd,
      facts: [
        fact('created', format(shown.created)),
        fact('content changed', format(shown.modified)),
        fact('changed', format(shown.changed)),
        ...(now === undefined || !told || now.changed === seen.changed
          ? []
          : [fact('changed, now', format(now.changed)), fact('content changed, now', format(now.modified))]),
      ],
      unknown: [
        why === undefined ? undefined : `its times now: ${why}`,
        shown.created === undefined
          ? 'when it was created: the file system or the sensor does not tell'
          : undefined,
      ],
    };
  },
});

/**
 * What in the times of a file contradicts itself. Only the kernel sets the change time; the other two can be set by whoever
 * owns the file, and unpacking sets them as well.
 */
export function timestomps(
  { created, modified, changed, wholeSeconds }: FileTimes,
  { findings, at }: { readonly findings: readonly string[]; readonly at: Micros },
): AnswerPoint[] {
  const odd: AnswerPoint[] = [];
  if (findings.includes('time-set-back'))
    odd.push(
      point('worrying', 'Its content changed and its time was set back to the old one: the sensor saw both.'),
    );
  if (modified !== undefined && created !== undefined && modified + second < created)
    odd.push(
      point(
        'notable',
        `Its content claims to be ${formatDuration(created - modified)} older than the file: it was copied or unpacked with its times, or they were set.`,
      ),
    );
  if (modified !== undefined && changed !== undefined && modified + second < changed) {
    const apart = formatDuration(changed - modified);
    if (wholeSeconds)
      odd.push(
        point(
          'notable',
          `Its content's time lies ${apart} before its last change and has no fraction of a second: a tool has set it.`,
        ),
      );
  }
  if (modified !== undefined && modified > Math.max(at, changed ?? at) + second)
    odd.push(point('worrying', 'Its content claims to be from the future: its time was set.'));
  return odd;
}

function format(time: Micros | undefined): string | undefined {
  return time === undefined ? undefined : formatMicros(time);
}
