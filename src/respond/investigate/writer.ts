import { things } from '../../base/count.js';
import type { EcsDocument } from '../../event/document.js';
import type { AnswerPoint } from '../../event/investigation.js';
import { type Ancestry, ancestorLine, ancestryOf, commandOf, originPoints, userOf } from './ancestry.js';
import { defineStep, fact, gravest, listed, point } from './answer.js';
import { fileEventOf } from './case.js';
import { objectsIn, textIn } from './read.js';
import { type WriterCandidate, writerCandidates } from './writer-candidates.js';

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
  readonly candidates: readonly WriterCandidate[];
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
      candidates: certain || event === undefined ? [] : writerCandidates(from.store, event),
      sensor: textIn(event, 'launchwarden.sensor.kind'),
    };
  },
  says({ event, certain, ancestry, likely, candidates, sensor }) {
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
            : `${things(ancestry.unresolved, 'older parent: it started before the events that are kept, or was', 'older parents: they started before the events that are kept, or were')} not seen`,
        ],
      };
    }
    const owner = textIn(event, 'file.owner') ?? textIn(event, 'file.uid');
    const blind = `who wrote it for certain: ${sensor ?? 'the sensor'} sees that a file changed, not who changed it; EndpointSecurity or eslogger tell`;
    if (likely.length === 0)
      return {
        mark: 'unknown',
        says: `Nobody saw who wrote it${owner === undefined ? '.' : `; the file belongs to ${owner}.`}`,
        points: candidates.map(candidatePoint),
        facts: [fact('owner', owner)],
        unknown: [blind],
      };
    return {
      mark: 'neutral',
      says: `Likely ${listed(
        likely.map(({ line }) => line),
        3,
      )}: a guess from what had the file or its folder open, not certain.`,
      points: [
        ...likely.map(({ line, how }) => point('neutral', `${line}${how === undefined ? '' : `: ${how}`}.`)),
        ...candidates.filter(({ named }) => named).map(candidatePoint),
      ],
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
    how: howText(textIn(one, 'how')),
    command: commandOf(process),
  };
}

function howText(how: string | undefined): string | undefined {
  if (how === 'open-for-writing') return 'it had the file open for writing when the change was noticed';
  if (how === 'folder-open') return 'it had the folder open, or worked in it, when the change was noticed';
  return how;
}

function candidatePoint({ doc, reason }: WriterCandidate): AnswerPoint {
  const name = textIn(doc, 'process.executable') ?? textIn(doc, 'process.name') ?? 'a process';
  const pid = textIn(doc, 'process.pid');
  const command = commandOf(doc.process);
  const which = `${name}${pid === undefined ? '' : ` (pid ${pid})`}`;
  return point(
    'neutral',
    `A candidate, not more: ${which}: ${reason}${command === undefined ? '' : `; it ran as ${command}`}.`,
  );
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
