import { things } from '../../base/count.js';
import { errnoOf } from '../../base/errors.js';
import type { RunningProcess } from '../../base/file-calls.js';
import type { Executor } from '../executor.js';
import type { Machine } from '../machine.js';
import type { Outcome, ProcessIdentity } from '../plan.js';

/** Turns in which new children are looked for, each after all known ones stand still. */
const turns = 16;
/** Pauses until ended processes are gone. */
const waits = 50;
const pauseMs = 100;

export const stop: Executor<'stop'> = {
  lasting: 'processes that were ended are not started again',
  does: ({ processes }) =>
    `end ${processes.map(({ pid, executable }) => `process ${pid} (${executable ?? 'unknown program'})`).join(', ')} with all that they started`,
  check(step, machine) {
    const { tree, remarks } = treeOf(step.processes, machine);
    if (tree.length === 0)
      return Promise.resolve({
        state: 'nothing',
        says: ['no such process runs any more', ...remarks].join('; '),
      });
    const names = tree.slice(0, 20).map((one) => `${one.pid} ${one.executable ?? one.shortName}`);
    const says = [`${things(tree.length, 'process', 'processes')}: ${names.join(', ')}`, ...remarks].join(
      '; ',
    );
    return Promise.resolve({ state: 'done', says });
  },
  run(step, { machine, will }) {
    const { tree } = treeOf(step.processes, machine);
    if (tree.length === 0) return this.check(step, machine);
    will({ kind: 'stop', processes: tree.map(identityOf) });
    return end(step.processes, machine);
  },
  resume: (deed, _step, { machine }) =>
    deed.kind === 'stop'
      ? end(deed.processes, machine)
      : Promise.resolve({ state: 'failed', says: 'its journal is damaged' }),
  checkUndo: () =>
    Promise.resolve({ state: 'nothing', says: 'processes that were ended are not started again' }),
  undo: (deed) =>
    Promise.resolve({
      state: 'failed',
      says: `${deed.kind === 'stop' ? deed.processes.length : 'the'} ended processes are not started again`,
    }),
};

export function identityOf({ pid, startKey, executable, uid }: RunningProcess): ProcessIdentity {
  return { pid, startKey, uid, ...(executable === undefined ? {} : { executable }) };
}

interface Tree {
  /** Roots first. */
  readonly tree: readonly RunningProcess[];
  /** What is left alone, and why. */
  readonly remarks: readonly string[];
}

/** The given processes that still run the same program, and everything below them: by parent, process group and session. */
function treeOf(roots: readonly ProcessIdentity[], machine: Machine): Tree {
  const all = machine.processes();
  const remarks: string[] = [];
  const found = new Map<number, RunningProcess>();
  for (const root of roots) {
    const now = all.find(({ pid, startKey }) => pid === root.pid && startKey === root.startKey);
    if (now === undefined) continue;
    if (now.executable !== root.executable)
      remarks.push(
        `process ${now.pid} runs another program by now (${now.executable ?? 'unknown'}): left alone`,
      );
    else found.set(now.pid, now);
  }
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const one of all)
      if ([one.ppid, one.pgid, one.sid].some((pid) => pid !== one.pid && found.has(pid)))
        found.set(one.pid, one);
  }
  for (const one of found.values()) {
    const why = machine.protects(one);
    if (why === undefined) continue;
    found.delete(one.pid);
    remarks.push(`process ${one.pid} (${one.executable ?? one.shortName}) ${why}: left alone`);
  }
  return { tree: [...found.values()], remarks };
}

/** All of them are made to stand still first, so that none can start another one while the others end. */
async function end(roots: readonly ProcessIdentity[], machine: Machine): Promise<Outcome> {
  const held = new Map<string, RunningProcess>();
  const key = ({ pid, startKey }: Pick<RunningProcess, 'pid' | 'startKey'>) => `${pid} ${startKey}`;
  const notes: string[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const { tree, remarks } = treeOf([...roots, ...[...held.values()].map(identityOf)], machine);
    if (turn === 0) notes.push(...remarks);
    const fresh = tree.filter((one) => !held.has(key(one)));
    if (fresh.length === 0) break;
    for (const one of fresh) if (send(machine, one, 'SIGSTOP')) held.set(key(one), one);
  }
  for (const one of held.values()) send(machine, one, 'SIGKILL');
  let left: readonly RunningProcess[] = [...held.values()];
  for (let turn = 0; turn < waits && left.length > 0; turn++) {
    left = stillThere(left, machine);
    if (left.length > 0) await machine.wait(pauseMs);
  }
  const deed = { kind: 'stop', processes: [...held.values()].map(identityOf) } as const;
  if (held.size === 0)
    return { state: 'nothing', says: ['no such process runs any more', ...notes].join('; ') };
  if (left.length > 0)
    return { state: 'failed', says: `process ${left.map(({ pid }) => pid).join(', ')} did not end`, deed };
  const names = [...held.values()].slice(0, 20).map((one) => `${one.pid} ${one.executable ?? one.shortName}`);
  return {
    state: 'done',
    says: [`${things(held.size, 'process', 'processes')} ended: ${names.join(', ')}`, ...notes].join('; '),
    deed,
  };
}

/** Right before each signal it is looked whether the pid still belongs to the same process. False when it does not. */
function send(machine: Machine, one: RunningProcess, signal: NodeJS.Signals): boolean {
  if (stillThere([one], machine).length === 0) return false;
  try {
    machine.signal(one.pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}

function stillThere(processes: readonly RunningProcess[], machine: Machine): RunningProcess[] {
  return machine
    .processes(processes.map(({ pid }) => pid))
    .filter((now) => processes.some(({ pid, startKey }) => pid === now.pid && startKey === now.startKey));
}
