import { plistToJson, readPlist } from '../../base/plist/index.js';
import { placeFile, renderJob } from '../../install/index.js';
import { type JobOnDisk, jobOnDisk, topLevel } from '../job-file.js';
import { defineProbe, failed, notHere, ok, unknown } from '../probe.js';
import type { DoctorSystem } from '../system.js';

/** Where the arguments of our own job lead, as far as they have its shape. */
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
    return { job, wanted: wantedOf(job), asRoot: asRoot(system) };
  },
  judge({ job, wanted, asRoot: judged }) {
    if (job.state === 'none') return notHere(`not installed: there is no ${job.file}`);
    const again = '"sudo launchwarden install" writes it anew.';
    if (job.state === 'unreadable')
      return /EACCES|EPERM/.test(job.reason) ? unknown(job.reason, 'Use sudo.') : failed(job.reason, again);
    if (wanted === undefined)
      return failed(`its arguments are not ours: ${job.args.slice(0, 4).join(' ')}`, again, job.args);
    const mend =
      '"sudo launchwarden doctor --fix" writes it anew; "sudo launchwarden install" loads it, too.';
    if (wanted.keys.length > 0) return failed(`somebody changed it: ${wanted.keys.join(', ')}`, mend);
    if (judged && (job.uid !== 0 || job.gid !== 0))
      return failed(`it belongs to ${job.uid}:${job.gid}: launchd refuses it`, mend);
    if (job.mode !== 0o644) return failed(`it has mode ${job.mode.toString(8)}, not 0644`, mend);
    return ok(job.file);
  },
  fix({ job, wanted, asRoot: judged }) {
    const isOurs = job.state === 'read' && wanted !== undefined;
    if (!isOurs) return [];
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

/** The job that this version writes with the same program and places; undefined when the arguments are none of ours. */
function wantedOf(job: JobOnDisk): Wanted | undefined {
  if (job.state !== 'read') return undefined;
  const [node, script, verb, ...flags] = job.args;
  if (node === undefined || script === undefined || verb !== 'run') return undefined;
  if (!node.startsWith('/') || !/\/launchwarden\.js$/.test(script)) return undefined;
  const given: { config?: string; dataDir?: string } = {};
  for (let at = 0; at < flags.length; at += 2) {
    const [name, value] = [flags[at], flags[at + 1]];
    if (value === undefined) return undefined;
    if (name === '--config') given.config = value;
    else if (name === '--data-dir') given.dataDir = value;
    else if (name !== '--log-file') return undefined;
  }
  const text = renderJob({ node, script, ...given });
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
