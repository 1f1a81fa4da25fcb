import type { OptionSyntax } from './options.js';

/** A program that runs the command in its arguments. */
export interface Wrapper extends OptionSyntax {
  /** Arguments between its options and the command. */
  readonly positional?: number;
  /** `NAME=value` may stand before the command. */
  readonly assignments?: boolean;
  /** An option whose value is split into the words of the command. */
  readonly split?: readonly string[];
  /** An option whose value is a shell text to run. */
  readonly shell?: readonly string[];
  /** An option that names the folder in which the command runs. */
  readonly folder?: readonly string[];
}

/** By name; after the manual pages of macOS, and of GNU where both exist. */
export const wrappers: Readonly<Record<string, Wrapper>> = {
  env: {
    valued: 'uPSC',
    words: ['--unset', '--chdir', '--split-string'],
    assignments: true,
    split: ['S', '--split-string'],
    folder: ['C', '--chdir'],
  },
  nohup: {},
  caffeinate: { valued: 'tw' },
  nice: { valued: 'n', words: ['--adjustment'] },
  time: { valued: 'of', words: ['--output', '--format'] },
  gtime: { valued: 'of', words: ['--output', '--format'] },
  arch: { words: ['-arch', '-d', '-e'], wordsOnly: true },
  sudo: {
    valued: 'ugpCrtTUDRah',
    words: ['--user', '--group', '--chdir', '--prompt', '--host'],
    assignments: true,
    folder: ['D', '--chdir'],
  },
  doas: { valued: 'uCa' },
  setsid: {},
  stdbuf: { valued: 'ioe', words: ['--input', '--output', '--error'] },
  script: { valued: 'tFTc', positional: 1, shell: ['c', '--command'], words: ['--command'] },
  xargs: { valued: 'EIJLnPRsSda', words: ['--replace', '--max-args', '--max-procs', '--arg-file'] },
  timeout: { valued: 'sk', words: ['--signal', '--kill-after'], positional: 1 },
  gtimeout: { valued: 'sk', words: ['--signal', '--kill-after'], positional: 1 },
  chroot: { valued: 'ugGn', positional: 1 },
  taskpolicy: { valued: 'dgctlps' },
  'sandbox-exec': { valued: 'fpnDat' },
  flock: { valued: 'wEc', positional: 1, shell: ['c'] },
  lockf: { valued: 't', positional: 1 },
  ionice: { valued: 'cnpPu' },
  watch: { valued: 'nd' },
  screen: { valued: 'cehpsStTX' },
  'ssh-agent': { valued: 'aEPt' },
  parallel: { valued: 'jNPI' },
  login: { valued: 'h', positional: 1 },
  busybox: {},
  toybox: {},
  dyld: {},
  xcrun: { words: ['--sdk', '-sdk', '--toolchain'] },
  'reattach-to-user-namespace': {},
  unbuffer: {},
  daemonize: { valued: 'apcuEelo' },
  exec: { valued: 'a' },
  command: {},
  builtin: {},
};
