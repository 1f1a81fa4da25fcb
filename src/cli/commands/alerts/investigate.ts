import { keepAnswers, keepAnswersOp } from '../../../agent/answers.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { didYouMean } from '../../../base/nearest.js';
import type { Alert } from '../../../event/alert.js';
import type { Answer, Investigation } from '../../../event/investigation.js';
import { investigate, type Step, steps } from '../../../respond/investigate/index.js';
import type { Store } from '../../../store/index.js';
import { authorOf } from '../../author.js';
import { openCase } from '../../case.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, flag, list } from '../../define-command.js';
import { commandLine } from '../../given-flags.js';
import { safe } from '../../output/output.js';
import { Sheet } from '../../output/sheet.js';
import { ago } from '../../values.js';
import { shortId } from './alert-line.js';
import { investigationFields, investigationSchema, showAnswer, summaryOf } from './answers.js';
import { findAlert } from './find.js';

function readStep(name: string): Step {
  const found = steps.find((step) => step.name === name);
  if (found !== undefined) return found;
  const known = steps.map((step) => step.name);
  throw new UserError('alerts/unknown-step', `there is no step ${quote(name)}`, {
    hint: didYouMean(name, known) ?? `There are: ${known.join(', ')}.`,
  });
}

/** Asks everything about an alert and keeps the answers with it. `onAnswer` hears each as it is found. */
export async function investigateAlert(
  context: CommandContext,
  alert: Alert,
  store: Store,
  how: { readonly only?: readonly Step[]; readonly onAnswer?: (answer: Answer) => void } = {},
): Promise<Investigation> {
  const from = await openCase(context, store, alert);
  const asked = how.only === undefined || how.only.length === 0 ? steps : how.only;
  const answers = await investigate(from, asked, how.onAnswer);
  return { alert: alert.id, time: from.now, author: authorOf(context.io), answers };
}

/** What was answered before stays where it was not asked again. */
function merged(before: Investigation | undefined, now: Investigation): Investigation {
  const asked = new Set(now.answers.map(({ step }) => step));
  const all = [...(before?.answers ?? []).filter(({ step }) => !asked.has(step)), ...now.answers];
  const order = (answer: Answer) => steps.findIndex(({ name }) => name === answer.step);
  return { ...now, answers: all.sort((a, b) => order(a) - order(b)) };
}

export const alertsInvestigate = defineCommand({
  description:
    'Asks one question after the other: whom it concerns, what it does, whether it runs, who wrote and loaded it, when, who\n' +
    'signed it, where it came from, what happened around it, and how it compares with what was known. The answers are kept\n' +
    'with the alert, for `alerts show`, `alerts report` and `collect`. What cannot be learned is said with the reason.',
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has' }],
  options: {
    only: list('--only STEP', `ask these alone: ${steps.map(({ name }) => name).join(', ')}`, readStep),
    stored: flag('--stored', 'show the answers of the last time; ask nothing'),
    json: flag('--json', 'all answers as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden alerts investigate 3f9a01', says: 'everything that can be asked' },
    { line: 'sudo launchwarden alerts investigate 3f9a01 --only running,signature', says: 'these two again' },
    { line: 'launchwarden alerts investigate 3f9a01 --stored --json', says: 'what was found out before' },
  ],
  needs: 'the right to read the files that the alert is about, and to write to the data directory (root)',
  async handler({ context, options: { json, only, stored }, args: [id = ''] }) {
    const { out, clock } = context;
    const sheet = new Sheet(out);
    const asked = await context.withStore(async (store) => {
      const alert = findAlert(store, id);
      const before = store.investigations.get(alert.id);
      if (stored && before === undefined)
        throw new UserError('alerts/not-investigated', `nobody has investigated ${shortId(alert.id)} yet`, {
          hint: `Leave --stored out: ${commandLine(context, `alerts investigate ${shortId(alert.id)}`)}`,
        });
      const head = () =>
        sheet.title(`${out.style('bold', safe(shortId(alert.id)) ?? '')}  ${safe(alert.ruleName) ?? ''}`);
      if (stored && before !== undefined) {
        if (!json) {
          head();
          sheet.title(`asked ${ago(before.time, clock.now())} by ${safe(before.author) ?? 'nobody'}`);
          for (const answer of before.answers) showAnswer(sheet, out, answer);
        }
        return { investigation: before, isNew: false };
      }
      if (!json) head();
      const onAnswer = json ? undefined : (answer: Answer) => showAnswer(sheet, out, answer);
      const now = await investigateAlert(context, alert, store, {
        only,
        ...(onAnswer === undefined ? {} : { onAnswer }),
      });
      return { investigation: merged(before, now), isNew: true };
    });
    const { investigation, isNew } = asked;
    if (isNew)
      await writeThroughDaemon(context, {
        op: keepAnswersOp,
        args: investigation,
        direct: (store) => keepAnswers(store, investigation),
      });
    if (json) out.document(investigationSchema, investigationFields(investigation));
    else {
      const { alert, answers } = investigation;
      out.line();
      out.line(`${summaryOf(answers)}${isNew ? '; kept with the alert' : ''}.`);
      out.line(`Next: ${commandLine(context, `alerts report ${shortId(alert)} --html alert.html`)}`);
    }
    return ExitCode.ok;
  },
});
