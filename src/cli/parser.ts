import { CommanderError, Option as CommanderOption, Command as Parser } from 'commander';
import { UserError } from '../base/errors.js';
import { clip, escapeText, quote } from '../base/escape.js';
import { didYouMean, nearest } from '../base/nearest.js';
import type { CatalogEntry } from './catalog.js';
import { type Command, type Example, type Option, type Options, value } from './define-command.js';
import type { CliIo } from './io.js';
import { filePath } from './values.js';

/** What every command takes. */
export const commonOptions = {
  config: value('--config FILE', 'configuration file (TOML); else LAUNCHWARDEN_CONFIG', filePath('--config')),
  dataDir: value(
    '--data-dir DIR',
    'folder with the database; else LAUNCHWARDEN_DATA_DIR',
    filePath('--data-dir'),
  ),
  root: value('--root DIR', 'a folder that stands for "/" of a Mac', filePath('--root')),
} as const;

export interface ParsedArguments {
  readonly options: Record<string, unknown>;
  readonly args: readonly string[];
}

function newParser(name: string, io: CliIo): Parser {
  const columns = io.stdout.columns;
  return new Parser(name)
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ helpWidth: io.stdout.isTTY && columns !== undefined ? Math.min(columns, 110) : 100 })
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });
}

function commanderOption(option: Option<unknown>): CommanderOption {
  const made = new CommanderOption(option.flags.replace(/ ([^\s[]\S*)$/, ' <$1>'), option.summary);
  const { parse } = option;
  if (parse === undefined) return made;
  if (option.list !== true) return made.argParser((text) => parse(text));
  return made.argParser((text, before: readonly unknown[] | undefined) => [
    ...(before ?? []),
    ...text.split(',').map((part) => parse(part.trim())),
  ]);
}

function leafParser(
  name: string,
  what: { readonly entry: CatalogEntry; readonly command: Command; readonly io: CliIo },
) {
  const { entry, command, io } = what;
  const parser = newParser(name, io);
  const { description, needs } = command;
  parser.description(
    // Paragraphs are filled to the width of the terminal.
    [
      `${entry.summary}.`,
      ...(description === undefined ? [] : ['', description.replace(/(\S)\n(?=\S)/g, '$1 ')]),
    ].join('\n'),
  );
  for (const { name: written, summary } of command.arguments ?? []) {
    const bare = written.replace(/[[\].]/g, '');
    const inner = written.includes('...') ? `${bare}...` : bare;
    parser.argument(written.startsWith('[') ? `[${inner}]` : `<${inner}>`, summary);
  }
  for (const option of Object.values(allOptions(command))) parser.addOption(commanderOption(option));
  const examples = command.examples.map(({ line, says }) => `  ${line}\n      ${says}`);
  const texts = [
    ...(needs === undefined ? [] : [`Needs: ${needs}`]),
    ...(examples.length === 0 ? [] : [`Examples:\n${examples.join('\n')}`]),
  ];
  if (texts.length > 0) parser.addHelpText('after', `\n${texts.join('\n\n')}`);
  return parser;
}

function allOptions(command: Command): Options {
  return { ...command.options, ...commonOptions };
}

function longNames(options: Options): string[] {
  return Object.values(options).map((option) => /--[a-z-]+/.exec(option.flags)![0]);
}

/** What commander objects to, as a UserError that names the nearest known word. */
function usageError(
  error: CommanderError,
  what: { readonly name: string; readonly known: readonly string[] },
): UserError {
  const message = error.message.split('\n')[0]!.replace(/^error: /, '');
  const code = error.code
    .replace(/^commander\./, '')
    .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const written = error.code === 'commander.unknownOption' ? /'(--?[^'=]*)/.exec(message)?.[1] : undefined;
  // Dashes, which all of them have, would make short words look alike.
  const bare = written?.replace(/^-+/, '');
  const near =
    bare === undefined
      ? undefined
      : nearest(
          bare,
          what.known.map((one) => one.replace(/^-+/, '')),
        );
  const guess = near === undefined ? undefined : `Did you mean "--${near}"?`;
  return new UserError(`cli/${code}`, escapeText(clip(message, 300)), {
    hint: guess ?? `See "${what.name} --help".`,
    cause: error,
  });
}

/** Options and arguments of a command, or undefined when help was asked for and shown. Throws a UserError. */
export function parseCommand(
  name: string,
  argv: readonly string[],
  what: { readonly entry: CatalogEntry; readonly command: Command; readonly io: CliIo },
): ParsedArguments | undefined {
  const parser = leafParser(name, what);
  const specs = allOptions(what.command);
  try {
    parser.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return undefined;
    throw usageError(error, { name, known: [...longNames(specs), '--help'] });
  }
  const positional = what.command.arguments ?? [];
  for (const [index, text] of parser.args.entries()) (positional[index] ?? positional.at(-1))?.check?.(text);
  const values = parser.opts<Record<string, unknown>>();
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(specs)) {
    const { attribute } = { attribute: new CommanderOption(option.flags).attributeName() };
    options[key] =
      values[attribute] ?? (option.parse === undefined ? false : option.list === true ? [] : undefined);
  }
  return { options, args: parser.args };
}

/** The help of the program or of a noun: what commands it has. */
export async function groupHelp(name: string, entry: CatalogEntry, io: CliIo): Promise<string> {
  const examples = entry.examples ?? (await firstExamples(entry));
  const parser = newParser(name, io).description(`${entry.summary}.`).helpCommand(false);
  if (name === 'launchwarden') parser.version('', '-V, --version', 'show the version');
  for (const child of entry.commands ?? []) {
    const verbs = child.commands?.map((verb) => verb.name).join('|');
    parser
      .command(child.name)
      .usage(verbs ?? '[options]')
      .summary(child.summary)
      .description(child.summary);
  }
  const lines = examples.map(({ line, says }) => `  ${line}\n      ${says}`);
  return `${parser.helpInformation()}${lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}\n`}`;
}

/** One example of each of the first commands of a noun. */
async function firstExamples({ commands = [] }: CatalogEntry): Promise<Example[]> {
  const each = commands.slice(0, mostExamples).map(async (one) => {
    if (one.load === undefined) return firstExamples(one);
    return (await one.load()).examples.slice(0, 1);
  });
  return (await Promise.all(each)).flat().slice(0, mostExamples);
}

const mostExamples = 4;

/** The entry that the leading words name, its full name, and what follows. Throws a UserError for an unknown word. */
export function findCommand(
  top: CatalogEntry,
  argv: readonly string[],
): { readonly entry: CatalogEntry; readonly name: string; readonly rest: readonly string[] } {
  let entry = top;
  const names = [top.name];
  let index = 0;
  while (entry.commands !== undefined) {
    const word = argv[index];
    if (word === undefined || word.startsWith('-')) break;
    const next = entry.commands.find((one) => one.name === word);
    if (next === undefined) {
      const known = entry.commands.map((one) => one.name);
      throw new UserError(
        'cli/unknown-command',
        `unknown command ${quote([...names.slice(1), word].join(' '))}`,
        {
          hint: didYouMean(word, known) ?? `There are: ${known.join(', ')}.`,
        },
      );
    }
    entry = next;
    names.push(next.name);
    index++;
  }
  return { entry, name: names.join(' '), rest: argv.slice(index) };
}
