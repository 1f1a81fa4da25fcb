import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { jobLabel, places } from './places.js';

/** What the job runs: macOS paths. */
export interface JobProgram {
  readonly node: string;
  readonly script: string;
  /** `--config` and `--data-dir` of the job; the default places when absent. */
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
}

function template(name: string): string {
  return readFileSync(new URL(`../../launchd/${name}`, import.meta.url), 'utf8');
}

// XML 1.0 cannot hold these at all, not even escaped; no path of ours has a reason to.
const forbidden = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

function xml(text: string): string {
  if (forbidden.test(text)) {
    throw new UserError('install/bad-path', 'a path for the job holds a control character', {
      hint: 'Choose another place for it.',
    });
  }
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The launchd job as XML text. */
export function renderJob(program: JobProgram): string {
  const { node, script, config, dataDir } = program;
  const args = [
    node,
    script,
    'run',
    '--log-file',
    places.log,
    ...(config === undefined ? [] : ['--config', config]),
    ...(dataDir === undefined ? [] : ['--data-dir', dataDir]),
  ];
  return (
    template(`${jobLabel}.plist.in`)
      // Functions, since `$` in a replacement text has a meaning.
      .replaceAll('@LABEL@', () => jobLabel)
      .replace('@PROGRAM_ARGUMENTS@', () => args.map((one) => `<string>${xml(one)}</string>`).join('\n\t\t'))
      .replace('@CRASH_LOG@', () => xml(places.crashLog))
  );
}

/** The entry for newsyslog. */
export function renderLogRotation(): string {
  return template('newsyslog.conf.in').replace('@LOG_FILE@', () => places.log);
}
