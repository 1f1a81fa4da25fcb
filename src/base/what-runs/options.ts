/** How a program reads its options. */
export interface OptionSyntax {
  /** Letters whose value follows, joined or as the next argument. */
  readonly valued?: string;
  /** Whole words (`--chdir`, `-jar`) whose value is the next argument. */
  readonly words?: readonly string[];
  /** Options are whole words of one dash (`-x86_64`, `-cp`): letters have no meaning of their own. */
  readonly wordsOnly?: boolean;
  /** `+o` is an option too. */
  readonly plus?: boolean;
}

export interface Options {
  /** Where the first argument stands that is no option. */
  readonly index: number;
  /** What was given, in order: a letter or a whole word, and its value. */
  readonly given: readonly (readonly [string, string])[];
}

/** Reads the options at the beginning of `args`, as getopt(3) of macOS does: the first other word ends them. */
export function readOptions(args: readonly string[], syntax: OptionSyntax): Options {
  const { valued = '', words = [], wordsOnly = false, plus = false } = syntax;
  const given: [string, string][] = [];
  let index = 0;
  for (; index < args.length; index++) {
    const argument = args[index] as string;
    if (argument === '--') return { index: index + 1, given };
    const isOption = argument.length > 1 && (argument[0] === '-' || (plus && argument[0] === '+'));
    if (!isOption) break;
    const [word = '', joined] = splitOnce(argument);
    if (words.includes(word)) given.push([word, joined ?? args[++index] ?? '']);
    else if (argument.startsWith('--') || wordsOnly) given.push([word, joined ?? '']);
    else
      for (let at = 1; at < argument.length; at++) {
        const letter = argument[at] as string;
        if (!valued.includes(letter)) given.push([letter, '']);
        else {
          given.push([letter, argument.slice(at + 1) || (args[++index] ?? '')]);
          break;
        }
      }
  }
  return { index, given };
}

/** As `readOptions`, where options may stand behind other words too. */
export function readAllOptions(
  args: readonly string[],
  syntax: OptionSyntax,
): { readonly given: Options['given']; readonly operands: readonly string[] } {
  const given: (readonly [string, string])[] = [];
  const operands: string[] = [];
  let rest = args.slice(0, maxArguments);
  while (rest.length > 0) {
    const options = readOptions(rest, syntax);
    given.push(...options.given);
    const operand = rest[options.index];
    if (operand !== undefined) operands.push(operand);
    rest = rest.slice(options.index + 1);
  }
  return { given, operands };
}

const maxArguments = 1_024;

function splitOnce(argument: string): readonly [string, string | undefined] {
  const at = argument.startsWith('--') ? argument.indexOf('=') : -1;
  return at === -1 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

/** The value of the first of these options. */
export function givenValue({ given }: Options, ...names: readonly string[]): string | undefined {
  return given.find(([name]) => names.includes(name))?.[1];
}
