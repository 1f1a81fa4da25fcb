import { lstatSync } from 'node:fs';
import {
  installedVersions,
  placed,
  places,
  readState,
  stateProblem,
  versionProblems,
} from '../../install/index.js';
import { jobOnDisk, treeOf } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown, warning } from '../probe.js';

export const installed = defineProbe({
  name: 'installed',
  section: 'Program',
  asks: 'Is what was installed there, whole and unchanged?',
  read(system) {
    const root = treeOf(system);
    if (system.platform !== 'darwin' && root === undefined) return { mac: false as const };
    const versions = installedVersions(root);
    const current = versions.find(({ isCurrent }) => isCurrent);
    return {
      mac: true as const,
      versions,
      current,
      job: jobOnDisk(system).state !== 'none',
      problems: current === undefined ? [] : versionProblems(current.id, root),
      cutOff: lstatSync(placed(places.journal, root), { throwIfNoEntry: false }) !== undefined,
      running: system.version,
      state: placed(places.state, root),
      stateProblem: stateProblem(root),
      hasState: readState(root) !== undefined,
    };
  },
  judge(facts) {
    if (!facts.mac) return notHere('this is no Mac');
    const { versions, current, job, problems, cutOff, running } = facts;
    const again = '"sudo launchwarden install" puts it right.';
    if (cutOff) return failed('an installation, upgrade or removal was cut off', again);
    if (facts.stateProblem !== undefined)
      return failed(
        `${facts.stateProblem}; what was installed, and what stood there before, is not known`,
        `Find out who changed it: it tells root what to remove. Then move it away; ${again} Until then "uninstall --purge" leaves what may not be ours.`,
      );
    if (current === undefined && versions.length === 0 && !job) return notHere('nothing is installed');
    if (current === undefined) return failed('no version is current: the job has nothing to run', again);
    if (problems.length > 0)
      return failed(
        `what is installed was changed: ${problems[0]}`,
        `Find out who did that: it runs as root. ${again}`,
        problems.slice(1),
      );
    if (!facts.hasState) return failed(`${facts.state} is missing`, `Find out who took it away. ${again}`);
    if (current.version === undefined) return unknown(`the version of ${current.id} cannot be read`);
    const what = `version ${current.version} (${current.id})`;
    if (current.version !== running)
      return warning(
        `${what}; this program is ${running}`,
        '"sudo launchwarden upgrade" makes them the same.',
      );
    return ok(what);
  },
});
