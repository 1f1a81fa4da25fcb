import { things } from '../../base/count.js';
import { jobLabel, placed, places } from '../../install/index.js';
import { readService, type ServiceAnswer } from '../../sensors/launchd-state/index.js';
import { jobOnDisk } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown, warning } from '../probe.js';

const launchctl = '/bin/launchctl';
const target = `system/${jobLabel}`;

interface Facts {
  readonly asRoot: boolean;
  readonly mac: boolean;
  readonly installed: boolean;
  readonly has: boolean;
  readonly answer: ServiceAnswer;
  /** Of the job, as launchd says it. */
  readonly spawnType: string | undefined;
  /** Where the job's file is to stand. */
  readonly file: string;
}

export const jobState = defineProbe<Facts>({
  name: 'job',
  section: 'Job',
  asks: 'Has launchd loaded the job, in which class, and does it run?',
  async read(system) {
    const { root } = system;
    const has = system.has(launchctl);
    const said = has ? await system.run(launchctl, ['print', target]) : undefined;
    return {
      asRoot: system.uid === 0,
      mac: system.platform === 'darwin' || root.simulated,
      installed: jobOnDisk(system).state !== 'none',
      has,
      answer: said === undefined ? { state: 'unknown' } : readService(said, target),
      spawnType: /^\tspawn type = (.{1,80})$/m.exec(said?.stdout ?? '')?.[1],
      file: placed(places.job, root.simulated ? root.root : undefined),
    };
  },
  judge({ asRoot, mac, installed, has, answer, spawnType, file }) {
    if (!mac) return notHere('there is no launchd here');
    if (!has) return notHere('the tree has no launchctl');
    switch (answer.state) {
      case 'unknown':
        return unknown(
          `launchctl print ${target} gave no answer that is understood`,
          ...(asRoot ? [] : ['Use sudo.']),
        );
      case 'no-domain':
        return unknown('launchctl does not know the domain "system"');
      case 'not-loaded':
        return installed
          ? failed(
              'the job is installed and launchd has not loaded it',
              '"sudo launchwarden install" loads it.',
            )
          : warning('the job is not installed', '"sudo launchwarden install" installs it.');
      case 'loaded':
        break;
    }
    const { path, pid, runs, last_exit } = answer.facts;
    const what = [
      pid === undefined ? 'loaded, and does not run' : `runs as process ${pid}`,
      ...(runs === undefined ? [] : [`started ${things(runs, 'time')}`]),
      ...(last_exit === undefined ? [] : [`last exit ${last_exit}`]),
      ...(spawnType === undefined ? ['its class is not told'] : [`class ${spawnType}`]),
    ].join(', ');
    if (path !== undefined && !file.endsWith(path) && path !== file)
      return failed(
        `another job runs under our label: ${path}`,
        `Find out whose it is; "sudo launchctl bootout ${target}" unloads it.`,
      );
    if (pid === undefined)
      return failed(what, 'The log and crash.log in /Library/Logs/launchwarden say why.');
    if (spawnType !== undefined && !/^interactive\b/i.test(spawnType))
      return warning(
        `${what}: launchd slows its timers down`,
        '"sudo launchwarden install" writes ProcessType Interactive.',
      );
    return ok(what);
  },
});
