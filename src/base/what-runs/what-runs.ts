import { flat } from '../flat.js';
import { homeOf } from '../launch-paths.js';
import { type Interpreter, interpreterName, interpreters, shells } from './interpreters.js';
import { givenValue, readOptions } from './options.js';
import { baseName, canonical, defaultPath, placesOf } from './places.js';
import { shellCommands, splitWords } from './shell-words.js';
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
  | 'script-cut';

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

  #run(word: string, rest: readonly string[], depth: number, isPath = false): void {
    if (word === '' || depth > maxDepth || ++this.#steps > maxSteps) return;
    const name = baseName(word);
    this.#executable(word, isPath);
    const known = name.toLowerCase();
    const interpreter = interpreterName(name);
    if (Object.hasOwn(wrappers, known)) this.#wrapped(known, rest, depth);
    else if (interpreter !== undefined) this.#interpreted(interpreter, rest, depth);
    else this.#special(known, rest, depth);
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
    if (file !== undefined && file !== '-' && !given) this.#file(file);
    else if (!given && shells.has(name)) this.#file(this.#item.standardIn);
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
    const substituted = substitutesDownload(text);
    for (const { words, piped } of shellCommands(text, this.#variables, this.#home)) {
      const [word = '', ...rest] = words;
      if (this.#steps > maxSteps) return;
      if (word === 'cd' || word === 'pushd') {
        if (rest[0] !== undefined) this.#enter(rest.find((one) => !one.startsWith('-')) ?? '');
        continue;
      }
      const line = words.join(' ').slice(0, maxSearched);
      if (!piped) [fetched, decoded] = [false, false];
      const interpreter = interpreterName(baseName(word));
      if (piped && interpreter !== undefined && fetched) this.#reasons.add('remote-script');
      if (piped && interpreter !== undefined && decoded) this.#reasons.add('encoded-command');
      fetched ||= downloads.test(line);
      decoded ||= decodes.test(line);
      if (interpreter !== undefined && !piped && substituted) this.#reasons.add('remote-script');
      this.#run(word, rest, depth + 1);
    }
  }

  #judge(text: string): void {
    if (downloads.test(text)) this.#reasons.add('network-download');
    if (decodes.test(text)) this.#reasons.add('encoded-command');
    if (/\b(?:curl|wget)\b[^;&]{0,200}\|\s*(?:sudo\s+)?(?:\/\S{0,100}\/)?(?:ba|z|da|k)?sh\b/.test(text))
      this.#reasons.add('remote-script');
    if (/(?:ba|z|da|k)?sh\s+(?:-c\s+)?["']?[$<]\(\s*(?:curl|wget)\b/.test(text))
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
