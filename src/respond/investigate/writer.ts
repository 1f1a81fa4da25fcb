import type { EcsDocument } from '../../event/document.js';
import { type Ancestry, ancestorLine, ancestryOf, commandOf, originPoints, userOf } from './ancestry.js';
import { defineStep, fact, gravest, listed, point } from './answer.js';
import { fileEventOf } from './case.js';
import { objectsIn, textIn } from './read.js';

/** Who may have written it: had the file or its folder open when its change was noticed. */
interface Likely {
  readonly line: string;
  readonly how: string | undefined;
  readonly command: string | undefined;
}

interface Facts {
  readonly event: EcsDocument | undefined;
  readonly certain: boolean;
  readonly ancestry: Ancestry;
  readonly likely: readonly Likely[];
  readonly sensor: string | undefined;
}

export const writer = defineStep<Facts>({
  name: 'writer',
  question: 'Who wrote it?',
  read(from) {
    const event = fileEventOf(from.alert.doc);
    const certain = event?.process !== undefined;
    return {
      ...{ event, certain },
      ancestry: certain ? ancestryOf(event.process, from) : { ancestors: [], unresolved: 0 },
      likely: objectsIn(event, 'launchwarden.likely_writers').map(likelyOf),
      sensor: textIn(event, 'launchwarden.sensor.kind'),
    };
  },
  says({ event, certain, ancestry, likely, sensor }) {
    if (event === undefined) return { mark: 'neutral', says: 'The alert is about no change of a file.' };
    if (certain) {
      const points = originPoints(event.process, ancestry);
      const name = textIn(event, 'process.executable') ?? textIn(event, 'process.name') ?? 'a process';
      const user = userOf(event);
      return {
        mark: gravest(
          points.map(({ mark }) => mark),
          points.some(({ mark }) => mark === 'reassuring') ? 'reassuring' : 'neutral',
        ),
        says: `${name} wrote it${user === undefined ? '' : ` as ${user}`}: certain, since ${sensor ?? 'the sensor'} saw it.`,
        points,
        facts: [
          fact('program', name),
          fact('command', commandOf(event.process)),
          fact('pid', textIn(event, 'process.pid')),
          fact('user', user),
          fact('signed by', signedBy(event)),
          ...ancestry.ancestors.map((one, index) =>
            fact(index === 0 ? 'parent' : 'its parent', ancestorLine(one)),
          ),
        ],
        unknown: [
          ancestry.unresolved === 0
            ? undefined
            : `${ancestry.unresolved} older parents: they started before the events that are kept, or were not seen`,
        ],
      };
    }
    const owner = textIn(event, 'file.owner') ?? textIn(event, 'file.uid');
    const blind = `who wrote it for certain: ${sensor ?? 'the sensor'} sees that a file changed, not who changed it; EndpointSecurity or eslogger tell`;
    if (likely.length === 0)
      return {
        mark: 'unknown',
        says: `Nobody saw who wrote it${owner === undefined ? '.' : `; the file belongs to ${owner}.`}`,
        facts: [fact('owner', owner)],
        unknown: [blind],
      };
    return {
      mark: 'neutral',
      says: `Likely ${listed(
        likely.map(({ line }) => line),
        3,
      )}: a guess from what had the file or its folder open, not certain.`,
      points: likely.map(({ line, how }) =>
        point('neutral', `${line}${how === undefined ? '' : `: ${how}`}.`),
      ),
      facts: likely.map(({ line, command }) =>
        fact('likely writer', command === undefined ? line : `${line}: ${command}`),
      ),
      unknown: [blind],
    };
  },
});

function likelyOf(one: object): Likely {
  const process = 'process' in one ? one.process : one;
  const name = textIn(process, 'executable') ?? textIn(process, 'name') ?? 'a process';
  const pid = textIn(process, 'pid');
  return {
    line: pid === undefined ? name : `${name} (pid ${pid})`,
    how: textIn(one, 'how') ?? textIn(one, 'by') ?? textIn(one, 'evidence'),
    command: commandOf(process),
  };
}

function signedBy(event: EcsDocument): string | undefined {
  const code = event.process?.code_signature;
  if (code === undefined) return undefined;
  return code.exists === false
    ? 'nobody'
    : [code.signing_id, code.team_id, code.trusted === true ? 'trusted' : undefined]
        .filter(Boolean)
        .join(', ');
}
