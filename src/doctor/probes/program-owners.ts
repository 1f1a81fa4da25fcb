import { UserError } from '../../base/errors.js';
import { requireSafeProgram } from '../../install/index.js';
import { jobOnDisk } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown } from '../probe.js';

export const programOwners = defineProbe({
  name: 'program-owners',
  section: 'Program',
  asks: 'Can anybody but root change what the agent runs?',
  read(system) {
    const job = jobOnDisk(system);
    const [node, script] = job.state === 'read' ? job.args : [];
    const program = node !== undefined && script !== undefined ? { node, script } : system.program;
    const mac = system.platform === 'darwin' && !system.root.simulated;
    return {
      mac,
      program,
      installed: program !== system.program,
      problem: mac
        ? problemOf(() => requireSafeProgram({ ...system.install, uid: 0 }, program, undefined))
        : undefined,
    };
  },
  judge({ mac, program, problem }) {
    if (!mac) return notHere('owners are those of a Mac: this is none, or a tree');
    if (problem === undefined) return ok(`${program.script} and all that it loads is root's`);
    if (problem.code !== 'install/unsafe-path') return unknown(problem.message, problem.hint);
    return failed(problem.message, problem.hint);
  },
});

function problemOf(
  check: () => void,
): { code: string; message: string; hint: string | undefined } | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
}
