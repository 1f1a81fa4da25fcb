import { flat } from '../flat.js';
import { homeOf } from '../launch-paths.js';
import { type Carrier, carriers } from './carriers.js';
import { environmentCode } from './environment.js';
import { expandPattern, isPattern } from './globs.js';
import { type Interpreter, interpreterName, interpreters, shells } from './interpreters.js';
import { givenValue, readAllOptions, readOptions } from './options.js';
import { baseName, canonical, defaultPath, placesOf } from './places.js';
import { shellCommands, splitWords, unescaped } from './shell-words.js';
import { wrappers } from './wrappers.js';

/** What a launch item, or another persistent item, says about what it runs: texts as they stand in it. */
export interface RunnableItem {
  /** `Program`: a path, also where it has no slash. */
  readonly program?: string | undefined;
  /** `BundleProgram`: relative to the bundle that holds the property list. */
  readonly bundleProgram?: string | undefined;
  /** `ProgramArguments`, or any command line. */
  readonly args?: readonly string[] | undefined;
  readonly workingDirectory?: string | undefined;
  readonly rootDirectory?: string | undefined;
  /** `StandardInPath`: what a shell without arguments runs. */
  readonly standardIn?: string | undefined;
  readonly environment?: ReadonlyMap<string, string> | undefined;
  /** Where the item's file stands: tells the home of a user's item, and the bundle. */
  readonly itemPath?: string | undefined;
}

/** Why it is worth a look: words of findings. */
export type RunReason =
  | 'interpreter-one-liner'
  | 'network-download'
  | 'encoded-command'
  | 'remote-script'
  | 'wrapped-program'
  | 'relative-program'
  | 'program-in-tmp'
  | 'hidden-program'
  | 'script-cut'
  | 'remote-shell'
  | 'pattern-program'
  | 'dyld-environment'
  | 'environment-runs-code'
  | 'environment-adds-code';

export interface WhatRuns {
  /** Every executable, script, module and application on the way, in order; canonical paths, names where no path is known. */
  readonly paths: readonly string[];
  /** The one that does the work: the script of an interpreter, else the last executable. */
  readonly path: string | undefined;
  readonly script: string | undefined;
  /** A script that was given as an argument, blanks joined, bounded. */
  readonly inline: string | undefined;
  readonly reasons: readonly RunReason[];
}

const maxPaths = 32;
const maxDepth = 8;
const maxSteps = 1_000;
const maxInline = 4_096;
/** Characters of a text that is searched for commands. */
const maxSearched = 65_536;
/** Shorter texts are read with their comments. */
const longText = 1_024;

const writableByAll =
  /^\/private\/(?:tmp|var\/tmp|var\/folders)\/|^\/Users\/Shared\/|^\/(?:dev\/shm|Volumes\/RAMDisk)\//i;
const hiddenName = /\/\.(?!\.?(?:\/|$))/;
const downloads =
  /\b(?:curl|wget|nscurl|aria2c)\b|\bhttps?:\/\/|\/dev\/tcp\/|\b(?:urlopen|urlretrieve|URLSession|NSURL|dataWithContentsOfURL)\b/i;
const decodes =
  /\bbase64\s+(?:-d|-D|--decode)|\bopenssl\b.{0,80}\s-d\b|\bb64decode\b|\bxxd\s+-r|\batob\s*\(|\bunpack\s*\(\s*['"]u|\bbase64_decode\b|\bdecode64\b/;
/** A shell, or its input and output, at the other end of a connection. */
const remoteShell =
  /\b(?:ba|z|k|da)?sh\s+-i\b.{0,80}\/dev\/(?:tcp|udp)\/|(?:[<>]&|\bexec\s+\d{1,3}<>)\s*\/dev\/(?:tcp|udp)\/|\|\s*(?:\/\S{0,100}\/)?(?:ba|z|k|da)?sh\b[^|;&]{0,80}(?:2>&1\s*)?\|\s*(?:nc|ncat|netcat|telnet|openssl\s+s_client)\b|\bsocket\b[\s\S]{0,300}\b(?:dup2\s*\(|pty\.spawn\b)|\bSocket\b[\s\S]{0,300}\bopen\s*\(?\s*STD(?:IN|OUT)\b|\bfsockopen\b[\s\S]{0,300}\b(?:proc_open|shell_exec|exec)\b|\bTCPSocket\b[\s\S]{0,300}\b(?:exec|spawn|popen)\b/;
/** Programs that make a text of what nobody can read. */
const transformers: ReadonlySet<string> = new Set([
  ...['rev', 'tr', 'gunzip', 'gzcat', 'zcat', 'bunzip2', 'bzcat', 'unxz', 'xzcat', 'lzcat', 'uncompress'],
  ...['uudecode', 'b64decode', 'base32', 'basenc', 'iconv', 'openssl', 'xxd', 'unlzma', 'unzip', 'funzip'],
]);
/** What is decoded is a shell's text: `eval "$(... | rev)"`, `sh -c "$(...)"`, `. <(...)`, a substitution in front. */
const runsDecoded =
  /(?:^|[;&|\n])\s*(?:(?:eval|source|\.|\S{0,100}sh(?:\s+-\w{1,10}){0,4})\s+)?["']?(?:[$<]\(|`)[^)`\n]{0,400}\b(?:rev|gunzip|gzcat|zcat|bzcat|xzcat|uudecode|xxd\s+-r|openssl|base32|tr)\b/;
const standardInput = /^(?:-|\/dev\/stdin|\/dev\/fd\/0)$/;
/** Words of a carrier beside its options that are read. */
const maxOperands = 64;
const nothing = /(?!)/g;
const reasonOf = {
  runs: 'environment-runs-code',
  adds: 'environment-adds-code',
  inserts: 'dyld-environment',
} as const;
/** Calls of other languages that hand a text to a shell. */
const handedToShell =
  /(?:do\s+shell\s+script|doShellScript\s*\(|\bos\.(?:system|popen)\s*\(|\bsubprocess\.\w+\s*\(|\b(?:system|exec|popen|passthru|shell_exec|execSync|spawnSync)\s*\(?)\s*(?:"((?:[^"\\]|\\[\s\S]){1,4000})"|'((?:[^'\\]|\\[\s\S]){1,4000})')/gi;
const quotedPath = /["']((?:\/|~\/)[^"'\n]{1,1000})["']/g;

/**
 * Resolves what an item will really execute: through wrappers (`env`, `nohup`, `sudo`), interpreters with a script or a
 * text, shell texts, relative programs, and every spelling of a path. Pure: nothing is looked up on a disk. Bounded in
 * steps, nesting and text. What it gives are copies: they keep nothing of the item's file alive.
 */
export function whatRuns(item: RunnableItem): WhatRuns {
  return new Resolver(item).resolve();
}

function copied(text: string | undefined): string | undefined {
  return text === undefined ? undefined : flat(text);
}

class Resolver {
  readonly #item: RunnableItem;
  readonly #home: string | undefined;
  readonly #variables: Map<string, string>;
  readonly #paths = new Set<string>();
  readonly #reasons = new Set<RunReason>();
  #folder: string;
  #search: string;
  #last: string | undefined;
  #script: string | undefined;
  #inline: string | undefined;
  #steps = 0;

  constructor(item: RunnableItem) {
    this.#item = item;
    this.#home = homeOfItem(item.itemPath);
    this.#variables = new Map(item.environment);
    this.#search = item.environment?.get('PATH') ?? defaultPath;
    this.#folder = placesOf(item.workingDirectory ?? '/', { folder: '/', ...this.#homePart() })[0] ?? '/';
  }

  resolve(): WhatRuns {
    const { program, bundleProgram, args = [], rootDirectory } = this.#item;
    if (program !== undefined) {
      // No word to search for: without a slash it stands in the working folder.
      if (program !== '' && !/^[/~]/.test(program)) this.#reasons.add('relative-program');
      this.#run(program, args.slice(1), 0, true);
    } else if (bundleProgram !== undefined) {
      this.#folder = bundleOf(this.#item.itemPath) ?? this.#folder;
      this.#run(bundleProgram, args.slice(1), 0, true);
    } else if (args[0] !== undefined) this.#run(args[0], args.slice(1), 0);
    this.#judge(this.#bounded(args.join(' ')).replace(/\s+/g, ' '));
    this.#environment();
    const root = rootDirectory === undefined || rootDirectory === '/' ? '' : canonical(rootDirectory);
    const paths = [...this.#paths].map((one) => (one.startsWith('/') ? `${root}${one}` : one));
    for (const one of paths) {
      if (writableByAll.test(one)) this.#reasons.add('program-in-tmp');
      if (hiddenName.test(one)) this.#reasons.add('hidden-program');
    }
    const script = copied(this.#script);
    return {
      paths: paths.map(flat),
      path: script ?? copied(this.#last),
      script,
      inline: copied(this.#inline),
      reasons: [...this.#reasons],
    };
  }

  /** What the variables make any program do: those of the item, and those that a command sets. */
  #environment(): void {
    for (const [name, value] of this.#variables) {
      const code = environmentCode(name, value);
      if (code === undefined) continue;
      this.#reasons.add(reasonOf[code.how]);
      for (const path of code.paths) for (const place of placesOf(path, this.#here())) this.#add(place);
      if (code.command !== undefined) this.#shell(code.command, 1);
    }
  }

  #run(written: string, rest: readonly string[], depth: number, isPath = false): void {
    if (written === '' || depth > maxDepth) return;
    if (++this.#steps > maxSteps) {
      this.#reasons.add('script-cut');
      return;
    }
    const word = isPath ? written : this.#expanded(written);
    const name = baseName(word);
    this.#executable(word, isPath);
    const known = name.toLowerCase();
    const interpreter = interpreterName(name);
    if (Object.hasOwn(wrappers, known)) this.#wrapped(known, rest, depth);
    else if (interpreter !== undefined) this.#interpreted(interpreter, rest, depth);
    else if (Object.hasOwn(carriers, known)) this.#carried(carriers[known] as Carrier, rest, depth);
    else this.#special(known, rest, depth);
  }

  #expanded(word: string): string {
    if (!isPattern(word)) return word;
    this.#reasons.add('pattern-program');
    return expandPattern(word);
  }

  #carried(carrier: Carrier, rest: readonly string[], depth: number): void {
    const { given, operands } = readAllOptions(rest, carrier);
    const values = (names: readonly string[] = []) =>
      given.filter(([name]) => names.includes(name)).map(([, value]) => value);
    for (const folder of values(carrier.folder)) this.#enter(folder);
    const files = values(carrier.file);
    if (carrier.usual !== undefined && files.length === 0) files.push(carrier.usual);
    for (const file of files) {
      if (carrier.usual === undefined) this.#reasons.add('wrapped-program');
      this.#file(this.#expanded(file));
    }
    const commands = values(carrier.command);
    const { options, names } = carrier.setting ?? { options: [] };
    for (const setting of values(options)) {
      const [, name = '', value = ''] = /^\s*([\w.-]+)\s*[=\s]\s*([\s\S]+)$/.exec(setting) ?? [];
      if (names?.test(name) === true) commands.push(value.replace(/^!/, ''));
    }
    const texts = [...values(carrier.text), ...operands.slice(0, maxOperands)];
    for (const text of texts) {
      for (const [, ...held] of text.slice(0, maxSearched).matchAll(carrier.holds ?? nothing))
        commands.push((held.find((one) => one !== undefined) ?? '').replace(/\\(["'\\])/g, '$1'));
    }
    for (const text of values(carrier.text)) this.#foreign(text.slice(0, maxSearched), depth);
    for (const command of commands) {
      if (this.#steps > maxSteps) return;
      this.#reasons.add('wrapped-program');
      if (carrier.remote === true) this.#reasons.add('remote-shell');
      this.#inlineScript('sh', command, depth);
    }
  }

  /** Programs whose arguments are like nobody else's. */
  #special(name: string, rest: readonly string[], depth: number): void {
    switch (name) {
      case 'launchctl':
        this.#launchctl(rest, depth);
        break;
      case 'open':
        this.#open(rest);
        break;
      case 'su':
        this.#su(rest, depth);
        break;
      case 'find':
        this.#find(rest, depth);
        break;
      case 'eval':
        this.#shell(rest.join(' '), depth);
        break;
      case 'export':
      case 'declare':
      case 'typeset':
        for (const one of rest) this.#assigns(one);
        break;
      case 'source':
      case '.':
        this.#file(rest[0]);
        break;
    }
  }

  #executable(word: string, isPath: boolean): void {
    if (!isPath && builtins.has(word)) return;
    const search = isPath ? {} : { search: this.#search };
    const places = placesOf(word, { folder: this.#folder, ...search, ...this.#homePart() });
    if (!isPath && word.includes('/') && !/^[/~]/.test(word)) this.#reasons.add('relative-program');
    for (const place of places.length === 0 ? [word.slice(0, 255)] : places) this.#add(place);
    this.#last = places[0] ?? word.slice(0, 255);
  }

  #wrapped(name: string, rest: readonly string[], depth: number): void {
    const wrapper = wrappers[name] ?? {};
    const args = name === 'env' && rest[0] === '-' ? rest.slice(1) : rest;
    const options = readOptions(args, wrapper);
    const folder = givenValue(options, ...(wrapper.folder ?? []));
    if (folder !== undefined) this.#enter(folder);
    const text = givenValue(options, ...(wrapper.shell ?? []));
    if (text !== undefined) {
      this.#shell(text, depth + 1);
      return;
    }
    const split = givenValue(options, ...(wrapper.split ?? []));
    let words = [...(split === undefined ? [] : splitWords(split)), ...args.slice(options.index)];
    if (split !== undefined) words = words.slice(readOptions(words, wrapper).index);
    words = words.slice(wrapper.positional ?? 0);
    while (wrapper.assignments === true && this.#assigns(words[0])) words.shift();
    if (words[0] === undefined) return;
    if (!builtins.has(name)) this.#reasons.add('wrapped-program');
    this.#run(words[0], words.slice(1), depth + 1);
  }

  #assigns(word: string | undefined): boolean {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word ?? '') ?? [];
    if (name === undefined || value === undefined) return false;
    this.#variables.set(name, value);
    if (name === 'PATH') this.#search = value;
    return true;
  }

  #interpreted(name: string, rest: readonly string[], depth: number): void {
    const interpreter = interpreters[name] as Interpreter;
    const options = readOptions(rest, interpreter);
    for (const [option, value] of options.given) {
      if (interpreter.module?.includes(option) || interpreter.library?.includes(option)) this.#module(value);
      if (interpreter.file?.includes(option)) this.#file(value);
      // What is named first is searched first.
      if (interpreter.files?.includes(option)) for (const one of value.split(':', 16)) this.#file(one);
      const start = interpreter.loads?.find((one) => option.startsWith(one));
      if (start !== undefined)
        for (const one of option.slice(start.length).split(':', 16)) this.#file(one.replace(/=.*$/s, ''));
    }
    const texts = options.given.filter(([option]) => interpreter.inline?.includes(option));
    if (texts.length > 0) {
      this.#inlineScript(name, texts.map(([, value]) => value).join('\n'), depth);
      return;
    }
    const words = rest.slice(options.index);
    const verb = words[0] ?? '';
    const inlineVerb = interpreter.inlineVerbs?.includes(verb) === true;
    const isText =
      interpreter.inlineFirst === true
        ? givenValue(options, ...(interpreter.file ?? [])) === undefined
        : inlineVerb ||
          (interpreter.inlineFlag !== undefined &&
            options.given.some(([one]) => one === interpreter.inlineFlag));
    if (isText) {
      // After -c further options may follow before the text.
      const text = inlineVerb ? words[1] : words[0];
      if (text !== undefined) this.#inlineScript(name, text, depth);
      return;
    }
    const file =
      interpreter.verbs?.includes(verb) === true
        ? words.slice(1).find((one) => !one.startsWith('-'))
        : words[0];
    const given = options.given.some(
      ([one]) =>
        interpreter.module?.includes(one) ||
        interpreter.file?.includes(one) ||
        interpreter.files?.includes(one),
    );
    if (given || interpreter.inlineFirst === true) return;
    if (
      file === undefined ||
      standardInput.test(file) ||
      (shells.has(name) && options.given.some(([one]) => one === 's'))
    )
      this.#file(this.#item.standardIn);
    else this.#file(this.#expanded(file));
  }

  /** A script's file. */
  #file(word: string | undefined): void {
    if (word === undefined || word === '') return;
    const [place] = placesOf(word, this.#here());
    if (place === undefined) return;
    this.#add(place);
    this.#script ??= place;
  }

  /** A module has a path where it is named by one. */
  #module(value: string): void {
    if (value.includes('/')) for (const place of placesOf(value, this.#here())) this.#add(place);
    else if (value !== '') this.#add(value.slice(0, 255));
  }

  #inlineScript(name: string, text: string, depth: number): void {
    this.#reasons.add('interpreter-one-liner');
    const joined = this.#bounded(text);
    this.#inline ??= joined.slice(0, maxInline);
    this.#judge(joined.slice(0, maxSearched));
    if (shells.has(name)) this.#shell(joined, depth + 1);
    else this.#foreign(joined.slice(0, maxSearched), depth);
  }

  /** A text without what a person would skip; of a long one its beginning and its end, which is a finding. */
  #bounded(text: string): string {
    const said = withoutPadding(text);
    if (said.length <= maxSearched) return said;
    this.#reasons.add('script-cut');
    return `${said.slice(0, maxSearched / 2)}\n${said.slice(-maxSearched / 2)}`;
  }

  /** What a text of another language hands to a shell, and the paths in its quotes. */
  #foreign(text: string, depth: number): void {
    for (const [, double, single] of text.matchAll(handedToShell)) {
      if (this.#steps > maxSteps) return;
      this.#shell((double ?? single ?? '').replace(/\\(["'\\])/g, '$1'), depth + 1);
    }
    for (const [, one = ''] of text.matchAll(quotedPath)) {
      if (this.#steps++ > maxSteps) return;
      for (const place of placesOf(one, { folder: '/', ...this.#homePart() }))
        if (!/\s/.test(place)) this.#add(place);
    }
  }

  #shell(text: string, depth: number): void {
    if (depth > maxDepth) return;
    let fetched = false;
    let decoded = false;
    let transformed = false;
    const substituted = substitutesDownload(text);
    if (runsDecoded.test(text.slice(0, maxSearched))) this.#reasons.add('encoded-command');
    let before: readonly string[] = [];
    const { commands, isCut } = shellCommands(text, this.#variables, this.#home);
    if (isCut) this.#reasons.add('script-cut');
    for (const { words, piped, input } of commands) {
      const [word = '', ...rest] = words;
      if (this.#steps > maxSteps) return;
      if (word === 'cd' || word === 'pushd') {
        if (rest[0] !== undefined) this.#enter(rest.find((one) => !one.startsWith('-')) ?? '');
        continue;
      }
      const line = words.join(' ').slice(0, maxSearched);
      if (!piped) [fetched, decoded, transformed] = [false, false, false];
      this.#judge(line);
      const interpreter = interpreterName(baseName(word));
      if (piped && interpreter !== undefined && fetched) this.#reasons.add('remote-script');
      if (piped && interpreter !== undefined && decoded) this.#reasons.add('encoded-command');
      if (piped && readsItsScript(words)) {
        if (transformed) this.#reasons.add('encoded-command');
        if (fetched) this.#reasons.add('remote-script');
        if (/^(?:echo|printf)$/.test(before[0] ?? '')) this.#shell(saidBy(before), depth + 1);
        if (/^(?:cat|head|tail|tee|dd)$/.test(baseName(before[0] ?? '')))
          for (const one of before.slice(1, 9))
            if (!one.startsWith('-')) this.#file(this.#expanded(one.replace(/^if=/, '')));
      }
      if (input !== undefined && readsItsScript(words)) this.#file(this.#expanded(input));
      transformed ||= transforms(words);
      before = words;
      fetched ||= downloads.test(line);
      decoded ||= decodes.test(line);
      if (interpreter !== undefined && !piped && substituted) this.#reasons.add('remote-script');
      this.#run(word, rest, depth + 1);
    }
  }

  #judge(text: string): void {
    if (remoteShell.test(text)) this.#reasons.add('remote-shell');
    if (downloads.test(text)) this.#reasons.add('network-download');
    if (decodes.test(text)) this.#reasons.add('encoded-command');
    if (/\b(?:curl|wget)\b[^;&]{0,200}\|\s*(?:sudo\s+)?(?:\/\S{0,100}\/)?(?:ba|z|da|k)?sh\b/.test(text))
      this.#reasons.add('remote-script');
    if (
      /(?:(?:ba|z|da|k)?sh\s+(?:-c\s+)?|\b(?:eval|source)\s+|(?:^|[\s;&|({])\.\s+)["']?[$<]\(\s*(?:curl|wget)\b/.test(
        text,
      )
    )
      this.#reasons.add('remote-script');
  }

  /** `asuser uid command`, `bsexec pid command`, `submit -l label [-p program] -- command`. */
  #launchctl([verb = '', ...rest]: readonly string[], depth: number): void {
    if (verb === 'asuser' || verb === 'bsexec') {
      if (rest[1] === undefined) return;
      this.#reasons.add('wrapped-program');
      this.#run(rest[1], rest.slice(2), depth + 1);
    } else if (verb === 'submit') {
      const options = readOptions(rest, { valued: 'lpoe' });
      const program = givenValue(options, 'p') ?? rest[options.index];
      if (program !== undefined) this.#run(program, rest.slice(options.index + 1), depth + 1);
    } else if (verb === 'setenv') {
      for (let at = 0; at + 1 < rest.length; at += 2) this.#assigns(`${rest[at]}=${rest[at + 1]}`);
    }
  }

  /** `open -a application`, or whatever a file's own application makes of it. */
  #open(rest: readonly string[]): void {
    const options = readOptions(rest, {
      valued: 'absiou',
      words: ['--stdin', '--stdout', '--stderr', '--env'],
    });
    const application = givenValue(options, 'a', 'b');
    if (application !== undefined) {
      this.#reasons.add('wrapped-program');
      if (application.includes('/')) this.#file(application);
      else this.#add(application.slice(0, 255));
    }
    const words = rest.slice(options.index);
    const end = words.indexOf('--args');
    for (const one of words.slice(0, end === -1 ? 8 : Math.min(end, 8)))
      if (!/^\w+:\/\//.test(one)) {
        this.#reasons.add('wrapped-program');
        this.#file(one);
      }
  }

  #su(rest: readonly string[], depth: number): void {
    const at = rest.findIndex((one) => /^-[a-z]*c$/.test(one));
    const text = at === -1 ? undefined : rest[at + 1];
    if (text === undefined) return;
    this.#reasons.add('wrapped-program');
    this.#inlineScript('sh', text, depth);
  }

  #find(rest: readonly string[], depth: number): void {
    const at = rest.findIndex((one) => /^-(?:exec|execdir|ok|okdir)$/.test(one));
    const word = at === -1 ? undefined : rest[at + 1];
    if (word !== undefined) this.#run(word, rest.slice(at + 2), depth + 1);
  }

  #enter(folder: string): void {
    const [place] = placesOf(folder, this.#here());
    if (place !== undefined) this.#folder = place;
  }

  #here(): { readonly folder: string; readonly home?: string } {
    return { folder: this.#folder, ...this.#homePart() };
  }

  #homePart(): { readonly home?: string } {
    return this.#home === undefined ? {} : { home: this.#home };
  }

  #add(place: string): void {
    if (this.#paths.size < maxPaths) this.#paths.add(place);
  }
}

/** Commands of a shell that have no file. */
const builtins = new Set([
  'exec',
  'command',
  'builtin',
  'eval',
  'source',
  '.',
  'export',
  'set',
  'unset',
  'trap',
  'exit',
  'return',
  'read',
  'wait',
  'alias',
  'for',
  'case',
  'esac',
  'in',
  'function',
  'local',
  'declare',
  'typeset',
  'shift',
  'true',
  'false',
  ':',
  '[',
  '[[',
  'test',
  'echo',
  'printf',
  'umask',
  'ulimit',
  'break',
  'continue',
  'disown',
  'bg',
  'fg',
  'jobs',
  'select',
]);

function transforms([word = '', ...rest]: readonly string[]): boolean {
  const name = baseName(word).toLowerCase();
  if (/^(?:gzip|bzip2|xz|lzma|zstd|brotli|compress)$/.test(name))
    return rest.some((one) => /^(?:--(?:decompress|uncompress|stdout)|-\w*d\w*)$/.test(one));
  return transformers.has(name);
}

/** Whether a command is an interpreter, through whatever wrappers, that takes what comes through the pipe for its script. */
function readsItsScript(words: readonly string[]): boolean {
  let [word = '', ...rest] = words;
  for (let depth = 0; depth < 4; depth++) {
    const wrapper = Object.hasOwn(wrappers, baseName(word).toLowerCase())
      ? wrappers[baseName(word).toLowerCase()]
      : undefined;
    if (wrapper === undefined) break;
    const { index } = readOptions(rest, wrapper);
    rest = rest.slice(index + (wrapper.positional ?? 0));
    while (wrapper.assignments === true && /^[A-Za-z_]\w*=/.test(rest[0] ?? '')) rest = rest.slice(1);
    [word = '', ...rest] = rest;
  }
  const name = interpreterName(baseName(word));
  const interpreter = name === undefined ? undefined : interpreters[name];
  if (interpreter === undefined || interpreter.inlineFirst === true || interpreter.wordsOnly === true)
    return false;
  const options = readOptions(rest, interpreter);
  const given = (names: readonly string[] = []) => givenValue(options, ...names) !== undefined;
  if (given(interpreter.inline) || given(interpreter.file) || given(interpreter.module)) return false;
  if (interpreter.inlineFlag !== undefined && given([interpreter.inlineFlag])) return false;
  const file = rest[options.index];
  return file === undefined || standardInput.test(file) || (shells.has(name ?? '') && given(['s']));
}

/** What echo or printf write. */
function saidBy([name, ...rest]: readonly string[]): string {
  const text = rest.filter((one) => !/^-[neE]+$/.test(one)).join(' ');
  return name === 'printf' || rest.some((one) => /^-\w*e/.test(one)) ? unescaped(text) : text;
}

/** `sh -c "$(curl ...)"` */
function substitutesDownload(text: string): boolean {
  return /[$<]\([^)]{0,200}\b(?:curl|wget)\b|`[^`]{0,200}\b(?:curl|wget)\b/.test(text.slice(0, maxSearched));
}

/** A text without its comments that take lines of their own, and without the blanks that take room. */
function withoutPadding(text: string): string {
  const short = text.length < longText ? text : text.replace(/^[^\S\n]*(?:#|\/\/|--[^\S\n]).*$/gm, '');
  return short.replace(/\s{2,}/g, (run) => (run.includes('\n') ? '\n' : ' ')).trim();
}

function homeOfItem(itemPath: string | undefined): string | undefined {
  return homeOf(itemPath ?? '') ?? (itemPath?.includes('/LaunchDaemons/') ? '/private/var/root' : undefined);
}

/** `X.app` of `X.app/Contents/Library/LaunchAgents/y.plist`; BundleProgram is relative to it. */
function bundleOf(itemPath: string | undefined): string | undefined {
  return /^(.+?\.app)\/Contents\/Library\//i.exec(itemPath ?? '')?.[1];
}
