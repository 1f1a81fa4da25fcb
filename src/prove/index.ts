export { Answers } from './answers.js';
export { systemName } from './facts.js';
export { Journal, type Undo } from './journal.js';
export type { Answer, Need, Question, Verdict } from './question.js';
export { questions } from './questions/index.js';
export { recover } from './recover.js';
export {
  type Counts,
  countsOf,
  type ProveFacts,
  redactor,
  reportText,
  summary,
  verdictWords,
} from './report.js';
export { type Asked, askAll, type RunOptions } from './run.js';
export type { AgentView, ProveSystem } from './system.js';
export { openSystem, programRunner, type ThisSystemOptions } from './this-system.js';
export { byHand, undoOne } from './undo.js';
