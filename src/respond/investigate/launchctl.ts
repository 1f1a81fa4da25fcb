import { things } from '../../base/count.js';
import type { EcsDocument } from '../../event/document.js';
import { launchctlBy } from '../../event/launchctl.js';
import { type Ancestry, ancestorLine, ancestryOf, commandOf, originPoints, userOf } from './ancestry.js';
import { defineStep, fact, gravest, listed, point } from './answer.js';
import { eventsOf } from './case.js';
import { textIn, textsIn } from './read.js';

interface Facts {
  readonly call: EcsDocument | undefined;
  readonly ancestry: Ancestry;
  /** That launchd said itself that it has the job. */
  readonly inferred: boolean;
}

const verbs: Readonly<Record<string, string>> = {
  load: 'launchctl was told to load, enable or start a job',
  remove: 'launchctl was told to take a job away',
  read: 'launchctl only showed something',
  change: 'launchctl was told to change a job',
  none: 'launchctl read its commands from its input',
  unknown: 'launchctl was called with a verb that is not known',
};

export const launchctl = defineStep<Facts>({
  name: 'launchctl',
  question: 'Who told launchd to load it, with which arguments, as which user, started by whom?',
  read(from) {
    const { doc } = from.alert;
    const call = eventsOf(doc).findLast(
      (event) => event.process !== undefined && launchctlBy(event) !== undefined,
    );
    return {
      call,
      ancestry: call === undefined ? { ancestors: [], unresolved: 0 } : ancestryOf(call.process, from),
      inferred: textIn(doc, 'launchwarden.job.label') !== undefined,
    };
  },
  says({ call, ancestry, inferred }, { about }) {
    if (call === undefined)
      return {
        mark: 'unknown',
        says: inferred
          ? 'launchd has the job; no sensor saw who told it to.'
          : 'No call of launchctl belongs to this alert.',
        unknown: [
          inferred
            ? 'who loaded it: the process was not seen, or a program asked launchd without launchctl'
            : 'whether anybody loaded it by hand: no such call was seen; launchd loads it at the next login or boot',
        ],
      };
    const command = commandOf(call.process);
    const user = userOf(call);
    const effect = textIn(call, 'launchwarden.launchctl.effect') ?? 'unknown';
    const by = textIn(call, 'launchwarden.launchctl.by');
    const paths = textsIn(call, 'launchwarden.launchctl.paths');
    const names = about.path !== undefined && paths.includes(about.path);
    const isRoot = textIn(call, 'user.id') === '0';
    const foreign = isRoot && about.home !== undefined && !about.home.startsWith('/private/var/root');
    const points = [
      names || paths.length === 0 ? undefined : point('notable', `It names ${listed(paths, 3)}.`),
      by === 'name' || by === undefined
        ? undefined
        : point(
            'worrying',
            `The program has another name than launchctl; that it is launchctl shows by its ${by}.`,
          ),
      foreign ? point('notable', 'Root loaded an agent of a user.') : undefined,
      ...originPoints(call.process, ancestry),
    ];
    return {
      mark: gravest(points.map((one) => one?.mark)),
      says: `${verbs[effect] ?? verbs['unknown']}${user === undefined ? '' : ` by ${user}`}${ancestry.ancestors[0] === undefined ? '' : `, started by ${ancestry.ancestors[0].executable ?? '?'}`}.`,
      points,
      facts: [
        fact('command', command),
        fact('user', user),
        fact('pid', textIn(call, 'process.pid')),
        fact('folder', textIn(call, 'process.working_directory')),
        fact('started', textIn(call, 'process.start') ?? textIn(call, '@timestamp')),
        ...ancestry.ancestors.map((one, index) =>
          fact(index === 0 ? 'parent' : 'its parent', ancestorLine(one)),
        ),
      ],
      unknown: [
        ancestry.unresolved === 0
          ? undefined
          : `${things(ancestry.unresolved, 'older parent: it started before the events that are kept, or was', 'older parents: they started before the events that are kept, or were')} not seen`,
        ancestry.ancestors.length === 0 ? 'who started it: its parent was not seen' : undefined,
      ],
    };
  },
});
