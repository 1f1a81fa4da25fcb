import { realpathSync } from 'node:fs';
import { things } from '../../base/count.js';
import { closeLooked, type Looked, lookAt, metadataOf } from '../content.js';
import type { Executor } from '../executor.js';
import { holdPlace, Missing } from '../held.js';
import type { Machine } from '../machine.js';
import { checkOut, failureOf, moveIn, moveOut } from '../move.js';
import type { Deed, Metadata, Outcome, StepOf } from '../plan.js';
import { sealed } from '../sealed.js';
import { neverMoved } from '../spared.js';
import { linkedPath } from '../target.js';

type Quarantine = StepOf<'quarantine'>;

export const quarantine: Executor<'quarantine'> = {
  does: ({ path }) => `move ${path} into the quarantine`,
  async check(step, machine) {
    const found = await find(step, machine);
    return 'outcome' in found
      ? found.outcome
      : { state: 'done', says: `${step.path} ${factsText(found.was)}` };
  },
  async run(step, { machine, box, will }) {
    const found = await find(step, machine);
    if ('outcome' in found) return found.outcome;
    const move = { kind: 'move', path: step.path, box, was: found.was, way: 'in' } as const;
    will(move);
    return moveIn(machine, move);
  },
  resume: (deed, _step, { machine }) => again(deed, machine, 'in'),
  checkUndo: (deed, machine) =>
    deed.kind === 'move'
      ? checkOut(machine, deed)
      : Promise.resolve({ state: 'failed', says: 'its journal is damaged' }),
  undo: (deed, machine) => again(deed, machine, 'out'),
};

export function again(deed: Deed, machine: Machine, way: 'in' | 'out'): Promise<Outcome> {
  if (deed.kind !== 'move') return Promise.resolve({ state: 'failed', says: 'its journal is damaged' });
  return way === 'in' ? moveIn(machine, deed) : moveOut(machine, deed);
}

async function find(
  step: Quarantine,
  machine: Machine,
): Promise<{ readonly was: Metadata } | { readonly outcome: Outcome }> {
  const { path, expect } = step;
  const refused = (says: string) => ({ outcome: { state: 'refused', says } as const });
  const why = sealed(path) ?? neverMoved(path, machine.root.toMac(realpathSync(machine.dataDir)));
  if (why !== undefined) return refused(`${path} ${why}`);
  try {
    const place = holdPlace(machine, path);
    try {
      const there = machine.files.statAt(place.folder, place.name);
      if (there === undefined)
        return { outcome: { state: 'nothing', says: `nothing stands at ${path} any more` } };
      if (step.named === true && there.type !== 'file' && there.type !== 'symlink')
        return refused(`${path} is no file (${there.type}): name it by its path if it is to be moved`);
      // Of a bundle only what is asked for: reading its files would show in their times.
      const content = there.type !== 'dir' || (expect.sha256 ?? expect.orSha256) !== undefined;
      const looked = await lookAt(machine.files, place, { content, keepTimes: there.type === 'dir' });
      closeLooked(looked);
      if (looked === undefined)
        return { outcome: { state: 'nothing', says: `nothing stands at ${path} any more` } };
      const difference = differenceOf(step, looked, machine);
      return difference === undefined ? { was: metadataOf(looked) } : refused(difference);
    } finally {
      place.close();
    }
  } catch (error) {
    if (error instanceof Missing) return { outcome: { state: 'nothing', says: error.message } };
    return { outcome: failureOf(error, path) };
  }
}

function differenceOf({ path, expect }: Quarantine, now: Looked, { root }: Machine): string | undefined {
  if (expect.orSha256 !== undefined && expect.orSha256 === now.sha256) return undefined;
  const leads = now.target === undefined ? undefined : linkedPath(path, root.toMac(now.target));
  const differs =
    expect.link !== undefined && expect.link !== leads
      ? `it ${leads === undefined ? 'is no link' : `leads to ${leads}`}, that of the evidence led to ${expect.link}`
      : expect.sha256 !== undefined && expect.sha256 !== now.sha256
        ? `its sha256 is ${now.sha256 ?? 'unknown'}, that of the evidence ${expect.sha256}`
        : expect.ino !== undefined && expect.ino !== now.ino
          ? `it is another object (inode ${now.ino}, that of the evidence ${expect.ino})`
          : undefined;
  if (differs === undefined) return undefined;
  const force = now.sha256 === undefined ? '' : `; --force ${now.sha256} takes what stands there now`;
  return `${path} is not what was seen: ${differs}${force}`;
}

function factsText({ type, mode, uid, gid, size, sha256, xattrs }: Metadata): string {
  const facts = [
    type === 'dir' ? 'bundle' : type,
    `mode ${mode.toString(8).padStart(4, '0')}`,
    `owner ${uid}:${gid}`,
    ...(type === 'file' ? [things(size, 'byte')] : []),
    ...(xattrs.length === 0 ? [] : [`${xattrs.length} extended attributes`]),
    ...(sha256 === undefined ? [] : [`sha256 ${sha256}`]),
  ];
  return `(${facts.join(', ')})`;
}
