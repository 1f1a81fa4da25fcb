/** One simple command of a shell text. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Its input comes from the command before it. */
  readonly piped: boolean;
  /** The file that its input comes from. */
  readonly input: string | undefined;
}

const maxText = 65_536;
const maxCommands = 512;
const maxWords = 1_024;
/** Substitutions in substitutions. */
const maxDepth = 8;

/** Words of the grammar that stand where a command could; what follows them is the command. */
const keywords = new Set([
  'if',
  'then',
  'else',
  'elif',
  'do',
  'while',
  'until',
  '!',
  '{',
  '}',
  'fi',
  'done',
  'time',
  'coproc',
]);

/**
 * The simple commands of a shell text, as far as they can be told without running it: quotes, variables of `variables`
 * and `~` are resolved, assignments are remembered, redirections left out, and the content of `$(...)` and backticks
 * counts as commands of its own. Bounded.
 */
export function shellCommands(
  text: string,
  variables: Map<string, string>,
  home?: string,
): { readonly commands: readonly ShellCommand[]; readonly isCut: boolean } {
  const reader = new ShellReader(text.slice(0, maxText), variables, home);
  const commands = reader.read();
  return { commands, isCut: reader.isCut || text.length > maxText };
}

/** The words of one command line, without meaning for `;` and `|`: what `env -S` splits. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const word = /(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"?|'[^']*'?)+/g;
  for (const [one] of text.slice(0, maxText).matchAll(word)) {
    if (words.length >= maxWords) break;
    words.push(
      one.replace(/\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"?|'([^']*)'?/g, (_, a, b, c) => a ?? b ?? c ?? ''),
    );
  }
  return words;
}

/** Stands for a blank that an expansion makes. */
const wordBreak = '\0';

/** `{curl,-s,URL}` is three words. `written`: the word with its quotes. */
function withoutBraces(written: string, word: string): readonly string[] {
  return /^\{[^{}'"\\\s]*,[^{}'"\\\s]*\}$/.test(written) ? word.slice(1, -1).split(',', maxWords) : [word];
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  e: '\x1b',
  E: '\x1b',
  a: '\x07',
};

/** A text with the escapes of `$'...'` and printf(1). */
export function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex, code, octal, one) => {
      if (hex !== undefined || code !== undefined)
        return String.fromCharCode(Number.parseInt(hex ?? code, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return escapes[one] ?? one;
    },
  );
}

class ShellReader {
  /** Commands or words were left out. */
  isCut = false;
  readonly #text: string;
  readonly #variables: Map<string, string>;
  readonly #home: string | undefined;
  readonly #depth: number;
  readonly #commands: ShellCommand[] = [];
  readonly #nested: string[] = [];
  #at = 0;
  #words: string[] = [];
  #piped = false;
  #input: string | undefined;

  constructor(text: string, variables: Map<string, string>, home: string | undefined, depth = 0) {
    this.#text = text;
    this.#depth = depth;
    this.#variables = variables;
    this.#home = home;
  }

  read(): ShellCommand[] {
    while (this.#at < this.#text.length && this.#commands.length < maxCommands) {
      const character = this.#text[this.#at] as string;
      if (character === '#' && this.#words.length === 0) this.#comment();
      else if (';&|\n()'.includes(character)) this.#separator(character);
      else if (/\s/.test(character)) this.#at++;
      else if (/[<>]/.test(character)) this.#redirection();
      else this.#word();
    }
    this.#end(false);
    this.isCut ||= this.#at < this.#text.length;
    for (const inner of this.#nested) {
      if (this.#commands.length >= maxCommands || this.#depth >= maxDepth) {
        this.isCut = true;
        break;
      }
      const reader = new ShellReader(inner, this.#variables, this.#home, this.#depth + 1);
      this.#commands.push(...reader.read());
      this.isCut ||= reader.isCut;
    }
    return this.#commands.slice(0, maxCommands);
  }

  #comment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #separator(character: string): void {
    const double = this.#text[this.#at + 1] === character;
    this.#at += double ? 2 : 1;
    this.#end(character === '|' && !double);
  }

  #end(pipes: boolean): void {
    const words = this.#words;
    this.#words = [];
    while (words[0] !== undefined && (keywords.has(words[0]) || this.#assigns(words[0]))) words.shift();
    if (words.length > 0) this.#commands.push({ words, piped: this.#piped, input: this.#input });
    this.#piped = pipes;
    this.#input = undefined;
  }

  #assigns(word: string): boolean {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? [];
    if (name === undefined || value === undefined) return false;
    if (this.#variables.size < maxWords) this.#variables.set(name, value);
    return true;
  }

  #redirection(): void {
    const [mark = '<'] = /^(?:<<?<?-?|>>?|>&|<&|>\|)/.exec(this.#text.slice(this.#at, this.#at + 4)) ?? [];
    this.#at += mark.length;
    if (this.#text[this.#at] === '(') return;
    if (this.#text[this.#at] === '&') this.#at++;
    const isText = mark === '<<<';
    while (/[^\S\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
    const before = this.#words.length;
    this.#word();
    // What a shell is given to read.
    if (isText) this.#nest(this.#words[before] ?? '');
    if (mark === '<') this.#input = this.#words[before];
    this.#words.length = before;
    // The number of a file that is redirected, as in `2>&1`.
    if (/^\d$/.test(this.#words.at(-1) ?? '')) this.#words.pop();
  }

  #word(): void {
    const parts: string[] = [];
    const from = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || /[\s;&|()<>]/.test(character)) break;
      if (character === "'") parts.push(this.#until("'"));
      else if (character === '"') parts.push(this.#double());
      else if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? '';
        if (next !== '\n') parts.push(next);
        this.#at += 2;
      } else if (character === '$' || character === '`') {
        const value = this.#expansion(true);
        if (value === wordBreak) this.#push(parts.splice(0).join(''));
        else parts.push(value);
      } else if (
        character === '~' &&
        this.#at === from &&
        /^~(?:\/|[\s;&|]|$)/.test(this.#text.slice(from, from + 2))
      ) {
        parts.push(this.#home ?? '~');
        this.#at++;
      } else {
        parts.push(character);
        this.#at++;
      }
    }
    if (this.#at === from) this.#at++;
    else
      for (const one of withoutBraces(this.#text.slice(from, this.#at), parts.join('')))
        this.#push(one, true);
  }

  #push(word: string, mayBeEmpty = false): void {
    if (word === '' && !mayBeEmpty) return;
    if (this.#words.length < maxWords) this.#words.push(word);
    else this.isCut = true;
  }

  /** The content of a quotation, without a meaning of its own. */
  #until(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    const content = this.#text.slice(this.#at + 1, end === -1 ? this.#text.length : end);
    this.#at = end === -1 ? this.#text.length : end + 1;
    return content;
  }

  #double(): string {
    const parts: string[] = [];
    this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) return parts.join('');
      if (character === '"') {
        this.#at++;
        return parts.join('');
      }
      if (character === '\\') {
        parts.push(this.#text[this.#at + 1] ?? '');
        this.#at += 2;
      } else if (character === '$' || character === '`') parts.push(this.#expansion(false));
      else {
        parts.push(character);
        this.#at++;
      }
    }
  }

  /** `$NAME`, `${NAME}`, `$(command)`, a command in backticks; outside of quotes `$'text'` and `$"text"` too. */
  #expansion(bare: boolean): string {
    if (this.#text[this.#at] === '`') {
      this.#nest(this.#until('`'));
      return '';
    }
    const rest = this.#text.slice(this.#at, this.#at + 100);
    if (rest.startsWith('$(')) return this.#substitution();
    if (bare && /^\$['"]/.test(rest)) return this.#quoted();
    if (/^\$(?:IFS\b|\{IFS[^}]{0,90}\})/.test(rest)) {
      this.#at += rest.startsWith('${') ? rest.indexOf('}') + 1 : 4;
      return bare ? wordBreak : ' ';
    }
    // Of a text that is given to a shell there are no arguments.
    const argument = /^\$(?:[@*1-9]|\{[@*1-9]\})/.exec(rest)?.[0];
    if (argument !== undefined) {
      this.#at += argument.length;
      return '';
    }
    const [whole, named, braced] = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)[^}]*\})/.exec(rest) ?? [];
    if (whole === undefined) {
      this.#at++;
      return '$';
    }
    const before = this.#text[this.#at - 1] ?? '';
    this.#at += whole.length;
    const name = named ?? braced ?? '';
    const known = this.#variables.get(name) ?? (name === 'HOME' ? this.#home : undefined);
    if (known !== undefined) return known;
    // Within a word it hides the word: `cu${x}rl`.
    return /[a-z]/i.test(before) && /[a-z]/i.test(this.#text[this.#at] ?? '') ? '' : whole;
  }

  /** `$'c\x75rl'`: escapes as in C; `$"text"` is a text in double quotes. */
  #quoted(): string {
    this.#at++;
    if (this.#text[this.#at] === '"') return this.#double();
    const [whole = "'", content = ''] =
      /^'((?:[^'\\]|\\[\s\S])*)'?/.exec(this.#text.slice(this.#at, this.#at + 4_096)) ?? [];
    this.#at += whole.length;
    return unescaped(content);
  }

  #substitution(): string {
    let depth = 0;
    const from = this.#at + 2;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '(') depth++;
      else if (character === ')' && --depth === 0) break;
    }
    this.#nest(this.#text.slice(from, this.#at));
    this.#at++;
    return '';
  }

  #nest(text: string): void {
    if (text.length >= this.#text.length) return;
    if (this.#nested.length < maxCommands) this.#nested.push(text);
    else this.isCut = true;
  }
}
