import { things } from '../../base/count.js';
import { ExitCode, UserError } from '../../base/errors.js';
import { formatSize } from '../../base/size.js';
import { parseDuration } from '../../base/time.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { counted } from '../output/output.js';
import { at, objectsAt, textAt } from '../output/read.js';
import { tableLines } from '../output/table.js';
import { wholeNumber } from '../values.js';

const defaultEvery = 2e6;
const leastEvery = 5e5;
const defaultLines = 10;
/** Clears the screen and what was scrolled out of it. */
const clear = '\u001b[H\u001b[2J\u001b[3J';

export const top = defineCommand({
  description:
    'Which programs and folders cause most events, and which rules have most to do with them, in the last half to whole\n' +
    'minute. Live on a terminal until Ctrl-C; once when it is piped, and with --once or --json. "+/-" says how many of a\n' +
    'line may have been others: the agent counts in bounded memory.',
  options: {
    once: flag('--once', 'print it once and end'),
    every: value('--every TIME', 'how often it is asked anew, "2s" when absent', readEvery),
    lines: value(
      '--lines N',
      `lines of each list, ${defaultLines} when absent`,
      wholeNumber('--lines', 1, 50),
    ),
    json: flag('--json', 'once, as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden top', says: 'live, until Ctrl-C' },
    { line: 'sudo launchwarden top --once --lines 30', says: 'what makes the agent work just now' },
    { line: 'sudo launchwarden top --json', says: 'for a program' },
  ],
  needs: 'root, when the agent runs as a daemon',
  endless: true,
  async handler({ context, options: { once, every = defaultEvery, lines = defaultLines, json } }) {
    const { io, out } = context;
    const live = !once && !json && out.width !== undefined;
    const signal = live ? io.interruption() : undefined;
    do {
      const reply = await context.askDaemon('top', { most: lines });
      if (reply === undefined) throw await notRunning(context);
      if (json) {
        out.document('top/1', reply.result as object);
        return ExitCode.ok;
      }
      const usage = (await context.askDaemon('status', undefined))?.result;
      if (live) io.stdout.write(clear);
      print(reply.result, usage, context);
      if (live) await pause(every / 1000, signal);
    } while (live && signal?.aborted === false);
    return ExitCode.ok;
  },
});

function readEvery(text: string): number {
  const every = parseDuration(text);
  if (every !== undefined && every >= leastEvery) return every;
  throw new UserError('cli/invalid-value', '--every is a time of at least 500ms, such as "2s"');
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

const lists = [
  ['processes', 'PROGRAM', 'events'],
  ['paths', 'FOLDER', 'events'],
  ['rules', 'RULE', 'events that met a condition'],
] as const;

function print(result: unknown, status: unknown, { out }: CommandContext): void {
  const memory = at(status, 'figures.memory_bytes');
  const share = at(status, 'figures.cpu_share');
  const used = [
    ...(typeof share === 'number' ? [`${(share * 100).toFixed(1)} % of a processor`] : []),
    ...(typeof memory === 'number' ? [formatSize(memory)] : []),
  ];
  out.line(
    `${things(Number(at(result, 'events') ?? 0), 'event')} in ${textAt(result, 'seconds')} s${used.length === 0 ? '' : `; the agent uses ${used.join(', ')}`}`,
  );
  for (const [key, title, what] of lists) {
    out.line();
    const rows = objectsAt(result, key).map((one) => [
      textAt(one, 'per_second') ?? '',
      counted(Number(one['events'] ?? 0)),
      Number(one['error'] ?? 0) === 0 ? '' : counted(Number(one['error'])),
      textAt(one, 'name') ?? '',
    ]);
    if (rows.length === 0) {
      out.line(`${out.style('bold', title)}  no ${what}`);
      continue;
    }
    const columns = [
      { title: '/S', right: true },
      { title: 'EVENTS', right: true },
      { title: '+/-', right: true },
      { title, flexible: true, path: key !== 'rules' },
    ];
    for (const line of tableLines(columns, rows, out)) out.line(line);
  }
}
