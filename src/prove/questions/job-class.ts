import { askLaunchd, loadItem, newLabel } from '../launch-item.js';
import { launchctl, launchPlist } from '../launch-job.js';
import { judged, type Question } from '../question.js';
import type { ProveSystem } from '../system.js';

const installed = 'com.launchwarden.agent';
/** Of Interactive; the utility class that other kinds of jobs are clamped to has 20. */
const leastPriority = 31;

export const jobClass: Question = {
  name: 'job-class',
  asks: 'In which class, and with which priority, does launchd run a job that is set up as ours is?',
  expected: `spawn type interactive (4), priority of at least ${leastPriority}`,
  needs: ['root'],
  programs: [launchctl, '/bin/ps'],
  async ask(system) {
    const ours = await askLaunchd(system, installed);
    const label = ours.answer.state === 'loaded' ? installed : await idleJob(system);
    let job = await askLaunchd(system, label);
    for (let tries = 0; tries < 40 && pidOf(job.answer) === undefined; tries++) {
      await system.wait(50);
      job = await askLaunchd(system, label);
    }
    const spawnType = /^\tspawn type = (.{1,80})$/m.exec(job.text)?.[1] ?? 'not told';
    const pid = pidOf(job.answer);
    const said =
      pid === undefined ? '' : (await system.run('/bin/ps', ['-o', 'pri=', '-p', String(pid)])).stdout.trim();
    const priority = /^\d{1,3}/.exec(said)?.[0];
    return judged(
      /^interactive\b/i.test(spawnType) && Number(priority ?? 0) >= leastPriority,
      `${label === installed ? 'the installed job' : 'a job set up alike'}: spawn type ${spawnType}, priority ${priority ?? 'not known'}`,
      job.text.split('\n').filter((line) => /^\t\w[\w ]* = [^{]*$/.test(line)),
    );
  },
};

function pidOf(answer: Awaited<ReturnType<typeof askLaunchd>>['answer']): number | undefined {
  return answer.state === 'loaded' ? answer.facts.pid : undefined;
}

/** Loads a job that only waits. */
async function idleJob(system: ProveSystem): Promise<string> {
  const label = newLabel();
  const content = launchPlist({
    Label: label,
    ProgramArguments: ['/bin/sleep', '120'],
    RunAtLoad: true,
    ProcessType: 'Interactive',
    LegacyTimers: true,
  });
  await loadItem(system, { label, content, folder: system.folder() });
  return label;
}
