import { allNodes, type CommandNode, everywhere, type TreeOption } from './command-tree.js';

const exitCodes = [
  ['0', 'done, also when nothing matched'],
  ['1', 'a check failed'],
  ['2', 'an error of use, of setting up or of a rule'],
  ['3', 'the agent or a destination cannot be reached'],
  ['70', 'a bug'],
] as const;

const environment = [
  ['LAUNCHWARDEN_CONFIG', 'the configuration file, where --config is not given'],
  ['LAUNCHWARDEN_DATA_DIR', 'the data directory, where --data-dir is not given'],
  ['NO_COLOR', 'no colours, also on a terminal'],
] as const;

const files = [
  ['/Library/Application Support/launchwarden/config.toml', 'the configuration'],
  ['/Library/Application Support/launchwarden/data', 'alerts, events and evidence'],
  ['/Library/Logs/launchwarden', 'the log'],
  ['/Library/LaunchDaemons/com.launchwarden.agent.plist', 'the launchd job'],
] as const;

/** The manual of the program and all its commands, in the macros of man(7). */
export function manPage(tree: CommandNode, version: string): string {
  const commands = allNodes(tree).filter(({ children }) => children.length === 0);
  return [
    `.TH ${tree.name.toUpperCase()} 1 "" "${roff(`${tree.name} ${version}`)}"`,
    '.SH NAME',
    `${tree.name} \\- ${roff(lower(tree.summary))}`,
    '.SH SYNOPSIS',
    `.B ${tree.name}`,
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    roff(
      `${tree.summary}. The agent runs as a launchd job; the commands read what it has recorded, ask it, and act on what it found.`,
    ),
    '.SH OPTIONS OF EVERY COMMAND',
    ...everywhere.flatMap(option),
    '.SH COMMANDS',
    ...commands.flatMap((one) => command(tree.name, one)),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(term),
    '.SH ENVIRONMENT',
    ...environment.flatMap(term),
    '.SH FILES',
    ...files.flatMap(term),
    '.SH SEE ALSO',
    '.BR launchctl (1),',
    '.BR launchd.plist (5),',
    '.BR eslogger (1)',
    '',
  ].join('\n');
}

function command(program: string, node: CommandNode): string[] {
  const { words, summary, description, needs, options, arguments: taken, examples } = node;
  const usage = [
    program,
    ...words,
    ...taken.map(({ name }) => name),
    ...(options.length > 0 ? ['[options]'] : []),
  ];
  return [
    `.SS ${roff(usage.join(' '))}`,
    roff(`${summary}.`),
    ...(description === undefined ? [] : ['.PP', ...description.split('\n').map(roff)]),
    ...(needs === undefined ? [] : ['.PP', roff(`Needs: ${needs}.`)]),
    ...taken.flatMap(({ name, summary: says }) => term([name, says])),
    ...options.flatMap(option),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:']),
    ...examples.flatMap(({ line, says }) => [
      '.PP',
      '.nf',
      `.RS`,
      roff(line),
      '.RE',
      '.fi',
      '.RS 8',
      roff(says),
      '.RE',
    ]),
  ];
}

function option({ long, value, optional, summary }: TreeOption): string[] {
  const shown = value === undefined ? long : `${long} ${optional ? `[${value}]` : value}`;
  return term([shown, summary]);
}

function term([name, says]: readonly [string, string]): string[] {
  return ['.TP', `.B ${roff(name)}`, roff(says)];
}

/** Text as roff prints it: no request, no escape, and a hyphen that can be copied. */
function roff(text: string): string {
  const safe = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(
      /[^\n\x20-\x7e]/gu,
      (one) => `\\[u${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
