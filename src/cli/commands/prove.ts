import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, errnoOf, reasonOf, UserError } from '../../base/errors.js';
import { quote } from '../../base/escape.js';
import { didYouMean } from '../../base/nearest.js';
import { RootMap } from '../../base/root.js';
import { thisSystem } from '../../install/index.js';
import {
  Answers,
  type Asked,
  askAll,
  countsOf,
  Journal,
  openSystem,
  type ProveFacts,
  programRunner,
  type Question,
  questions,
  recover,
  redactor,
  reportText,
  summary,
  systemName,
  type ThisSystemOptions,
  verdictWords,
} from '../../prove/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, list, value } from '../define-command.js';
import type { CliIo } from '../io.js';
import { hosts, people } from '../known-names.js';
import { type Output, safe } from '../output/output.js';
import { pad } from '../output/width.js';
import { filePath } from '../values.js';

export const prove = defineCommand({
  description:
    'launchwarden was written without a Mac. This asks the Mac at hand what only a Mac can tell: each question with what was\n' +
    'expected, what was found, and a verdict. It makes a few launch items, folders and files whose names begin with\n' +
    'com.launchwarden.prove or launchwarden-prove, and takes all of them away again; a running agent may raise alerts about\n' +
    'them. Exit code 0 when every question was answered as expected, 1 when not, 2 when none could be asked.',
  options: {
    json: flag('--json', 'one JSON document a question, and one for all (NDJSON)'),
    report: value(
      '--report FILE',
      'write a report to attach to an issue, without the names of people and of the Mac',
      filePath('--report'),
    ),
    only: list('--only NAME', 'ask these alone', readQuestion),
    resume: flag('--resume', 'go on with what the last run could not ask'),
  },
  examples: [
    { line: 'sudo launchwarden prove --report report.md', says: 'everything that can be asked now' },
    {
      line: 'sudo launchwarden prove --resume --report more.md',
      says: 'the rest, after the lid was closed for 5 minutes',
    },
    { line: 'sudo launchwarden prove --only timers,job-class', says: 'these two' },
  ],
  needs: 'a Mac, and root for most questions; or --root with stand-ins, which proves nothing',
  async handler({ context, options: { json, report, only, resume } }) {
    const { io, out, version } = context;
    const interruption = io.interruption();
    const { dataDir, root: rootFolder } = await context.settings();
    const root = new RootMap(rootFolder);
    const folder = path.join(dataDir, 'prove');
    const journal = new Journal(folder);
    const system: ThisSystemOptions = {
      root,
      platform: io.platform,
      uid: (io.system ?? thisSystem()).uid,
      person: personOf(io),
      node: io.program.node,
      journal,
      agent: agentOf(context),
    };
    const run = programRunner(system, interruption);
    const file = report === undefined ? undefined : openReport(path.resolve(io.cwd, report));
    try {
      const possible = io.platform === 'darwin' || root.simulated;
      const { undone, left } = possible ? await recover(journal, run) : { undone: [], left: [] };
      for (const line of [...undone, ...left]) tell(out, json, line);
      const facts: ProveFacts = {
        version,
        system: await systemName(run, io.platform),
        node: process.version,
        simulated: root.simulated,
      };
      const answers = new Answers(folder, `${version} ${facts.system}`);
      if (possible && !root.simulated) {
        if (resume || only.length > 0) answers.load();
        else answers.clear();
      }
      const asked: Asked[] = [];
      for await (const one of askAll({
        questions: only.length > 0 ? only : questions,
        answers,
        again: only.length > 0 && !resume,
        interruption,
        open: (signal) => openSystem(system, signal),
      })) {
        asked.push(one);
        show(out, one, { json, simulated: root.simulated });
      }
      const counts = countsOf(asked);
      // Nothing is left to go on with.
      if (counts['not-asked'] === 0 && only.length === 0) answers.clear();
      if (json)
        out.document('prove-summary/1', {
          ...facts,
          as_expected: counts['as-expected'],
          different: counts.different,
          not_asked: counts['not-asked'],
        });
      else out.line(`\n${summary(counts, root.simulated)}`);
      if (file !== undefined) writeSync(file, reportText(facts, asked, redactor(people(io, root), hosts())));
      if (counts['as-expected'] + counts.different === 0) return ExitCode.usage;
      return counts['as-expected'] === asked.length ? ExitCode.ok : ExitCode.checkFailed;
    } finally {
      journal.close();
      if (file !== undefined) closeSync(file);
    }
  },
});

function readQuestion(name: string): Question {
  const found = questions.find((question) => question.name === name);
  if (found !== undefined) return found;
  const known = questions.map((question) => question.name);
  throw new UserError('prove/unknown-question', `there is no question ${quote(name)}`, {
    hint: didYouMean(name, known) ?? `There are: ${known.join(', ')}.`,
  });
}

function personOf({ env }: CliIo): number | undefined {
  const text = env['SUDO_UID'] ?? '';
  return /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

function agentOf(context: CommandContext): ThisSystemOptions['agent'] {
  return {
    status: async () => (await context.askDaemon('status', undefined).catch(() => undefined))?.result,
    gaps: (since) => context.withStore((store) => store.gaps.list({ since })).catch(() => undefined),
  };
}

/** Before anything is asked: minutes of answers must not be lost to a typing error. Never an existing file, never a link. */
function openReport(file: string): number {
  try {
    return openSync(file, 'wx', 0o644);
  } catch (error) {
    const exists = errnoOf(error) === 'EEXIST';
    throw new UserError(
      'prove/report-file',
      exists ? `${file} exists already` : `${file} cannot be made: ${reasonOf(error)}`,
      { hint: 'Name a new file with --report.', cause: error },
    );
  }
}

function tell(out: Output, json: boolean, line: string): void {
  if (json) out.document('prove-cleanup/1', { of: 'an earlier run', what: line });
  else out.line(`${out.style('yellow', 'cleaned up')}  after an earlier run: ${safe(line)}`);
}

const looks = { 'as-expected': 'green', different: 'red', 'not-asked': 'yellow' } as const;
const nameWidth = 20;
const wordWidth = 17;

function show(
  out: Output,
  { question, answer, tookMs, resumed, left }: Asked,
  { json, simulated }: { readonly json: boolean; readonly simulated: boolean },
): void {
  const { name, asks, expected } = question;
  if (json) {
    const { verdict, ...rest } = answer;
    out.document('prove/1', {
      name,
      question: asks,
      expected,
      verdict,
      ...rest,
      took_ms: tookMs,
      simulated,
      resumed,
      left,
    });
    return;
  }
  const { verdict } = answer;
  const word = out.style(looks[verdict], pad(verdictWords[verdict], wordWidth));
  const text = answer.verdict === 'not-asked' ? answer.reason : answer.found;
  out.line(`${word}  ${pad(name, nameWidth)}  ${safe(text) ?? ''}`);
  const indent = ' '.repeat(wordWidth + nameWidth + 4);
  if (verdict === 'different') out.line(`${indent}expected: ${expected}`);
  for (const one of left)
    out.line(`${indent}${out.style('red', 'could not be undone, do it by hand')}: ${safe(one)}`);
}
