import { messageOf } from '../../base/errors.js';
import type { Answer } from '../../event/investigation.js';
import { type AnswerRoom, answerOf, type Step } from './answer.js';
import { around } from './around.js';
import { bundle } from './bundle.js';
import type { Case } from './case.js';
import { contents } from './contents.js';
import { executed } from './executed.js';
import { history } from './history.js';
import { launchctl } from './launchctl.js';
import { origin } from './origin.js';
import { related } from './related.js';
import { running } from './running.js';
import { scope } from './scope.js';
import { signature } from './signature.js';
import { times } from './times.js';
import { writer } from './writer.js';

export type { Step } from './answer.js';
export { eventLine, type Nearby, nearbyOf } from './around.js';
export {
  type Case,
  type CaseTools,
  eventsOf,
  fileEventOf,
  type JobState,
  type Known,
  type LaunchdSays,
  type Subject,
  subjectOf,
} from './case.js';
export { type ListHistory, listHistory } from './history.js';
export { launchdKeys } from './launchd-keys.js';
export { type PlistChange, plistChanges } from './plist-diff.js';
export { type ProcessNode, processTreeOf } from './process-tree.js';
export { readRunning, runningSentence } from './running.js';

/** Everything that is asked about an alert, in the order in which a person would. */
export const steps: readonly Step[] = [
  scope,
  contents,
  running,
  writer,
  launchctl,
  times,
  signature,
  origin,
  bundle,
  executed,
  around,
  related,
  history,
];

/** Rooms for an answer, the largest first; all answers together have to fit into one request to the daemon. */
const rooms: readonly AnswerRoom[] = [
  { items: 60, text: 1_500 },
  { items: 40, text: 400 },
  { items: 20, text: 150 },
];
const maxAll = 200 * 1024;

/** Asks the steps one after the other. A step that fails says so, and keeps nobody from the next one. */
export async function investigate(
  from: Case,
  asked: readonly Step[] = steps,
  onAnswer: (answer: Answer) => void = () => {},
): Promise<Answer[]> {
  const found = [];
  for (const step of asked) {
    if (step.applies?.(from.about) === false) continue;
    const answer = { step, findings: await findingsOf(step, from) };
    found.push(answer);
    onAnswer(answerOf(step, answer.findings, rooms[0] as AnswerRoom));
  }
  let answers: Answer[] = [];
  for (const room of rooms) {
    answers = found.map(({ step, findings }) => answerOf(step, findings, room));
    if (Buffer.byteLength(JSON.stringify(answers)) <= maxAll) break;
  }
  return answers;
}

async function findingsOf(step: Step, from: Case): Promise<ReturnType<Step['says']>> {
  try {
    return step.says(await step.read(from), from);
  } catch (error) {
    // A mistake of ours, or a damaged document, must not cost the other answers.
    return {
      mark: 'unknown',
      says: 'This could not be answered.',
      unknown: [`the answer: ${from.root.inText(messageOf(error))}`],
    };
  }
}
