import { plistToJson, readPlist } from '../../base/plist/index.js';
import { jobProgram, placeFile, readState, renderJob, stateProblem } from '../../install/index.js';
import { type JobOnDisk, jobOnDisk, topLevel, treeOf } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown } from '../probe.js';
import type { DoctorSystem } from '../system.js';

/** The job as it should be. */
interface Wanted {
  readonly text: string;
  /** Keys in which the file differs from it. */
  readonly keys: readonly string[];
}

export const jobDrift = defineProbe({
  name: 'job-file',
  section: 'Job',
  asks: 'Is the job on the disk the one that this version writes?',
  read: (system) => {
    const job = jobOnDisk(system);
    const root = treeOf(system);
    return { job, wanted: wantedOf(job, root), asRoot: asRoot(system), state: stateProblem(root) };
  },
  judge({ job, wanted, asRoot: judged, state }) {
    if (job.state === 'none') return notHere(`not installed: there is no ${job.file}`);
    const again = 'Look at it and move it away: "sudo launchwarden install" writes it anew.';
    if (job.state === 'unreadable')
      return /EACCES|EPERM/.test(job.reason) ? unknown(job.reason, 'Use sudo.') : failed(job.reason, again);
    if (wanted === undefined) return unknown('the job of this version could not be made');
    if (state !== undefined && wanted.keys.includes('ProgramArguments'))
      return unknown(`${state}; what the job is to run is not known`, 'See "installed" above.');
    if (wanted.keys.includes('ProgramArguments') || wanted.keys.includes('Label'))
      return failed(`it runs something else: ${job.args.slice(0, 4).join(' ')}`, again, job.args);
    const mend =
      '"sudo launchwarden doctor --fix" writes it anew; "sudo launchwarden install" loads it, too.';
    if (wanted.keys.length > 0) return failed(`somebody changed it: ${wanted.keys.join(', ')}`, mend);
    // Of a key that is given twice one reader takes the first and another the last.
    if (job.text !== wanted.text) return failed('somebody changed how it is written, a key twice, say', mend);
    if (judged && (job.uid !== 0 || job.gid !== 0))
      return failed(`it belongs to ${job.uid}:${job.gid}: launchd refuses it`, mend);
    if (job.mode !== 0o644) return failed(`it has mode ${job.mode.toString(8)}, not 0644`, mend);
    return ok(job.file);
  },
  fix({ job, wanted, asRoot: judged }) {
    if (job.state !== 'read' || wanted === undefined) return [];
    // What it runs is evidence: a person looks at it first.
    if (wanted.keys.includes('ProgramArguments') || wanted.keys.includes('Label')) return [];
    return [
      {
        does: `write ${job.file} anew`,
        run: () => void placeFile(job.file, wanted.text, { asRoot: judged }),
      },
    ];
  },
});

function asRoot({ uid, root }: DoctorSystem): boolean {
  return uid === 0 && !root.simulated;
}

/** The job that this version writes for what is installed. Throws `install/unsafe-path`. */
function wantedOf(job: JobOnDisk, root: string | undefined): Wanted | undefined {
  if (job.state !== 'read') return undefined;
  const text = renderJob({ ...jobProgram, ...readState(root)?.written });
  const plist = readPlist(Buffer.from(text));
  if (!plist.ok) return undefined;
  const keys = new Set([...keysOf(plist.value), ...keysOf(job.value)]);
  return {
    text,
    keys: [...keys].filter((key) => !isSame(topLevel(plist.value, key), topLevel(job.value, key))),
  };
}

function keysOf(value: unknown): string[] {
  return value instanceof Map ? [...value.keys()] : [];
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return plistToJson(a as never) === plistToJson(b as never);
}
