import { escapeText } from '../../../base/escape.js';
import { formatMicros } from '../../../base/time.js';
import type { Answer, AnswerMark, Investigation } from '../../../event/investigation.js';
import type { Output } from '../../output/output.js';
import type { Sheet } from '../../output/sheet.js';
import type { StyleName } from '../../output/style.js';

export const investigationSchema = 'investigation/1';

/** How a mark looks: a sign that needs no colour, a colour, and the word for it. */
export const markLooks: Readonly<
  Record<AnswerMark, { readonly sign: string; readonly style: StyleName; readonly word: string }>
> = {
  worrying: { sign: '!!', style: 'red', word: 'worrying' },
  notable: { sign: '! ', style: 'yellow', word: 'notable' },
  reassuring: { sign: 'ok', style: 'green', word: 'reassuring' },
  neutral: { sign: '- ', style: 'dim', word: 'neutral' },
  unknown: { sign: '? ', style: 'magenta', word: 'not known' },
};

/** The fields of a `launchwarden.investigation/1` document. */
export function investigationFields({ alert, time, author, answers }: Investigation): object {
  return { alert, time: formatMicros(time), author, verdicts: countsOf(answers), answers };
}

function countsOf(answers: readonly Answer[]): Readonly<Record<AnswerMark, number>> {
  const count = (mark: AnswerMark) => answers.filter((answer) => answer.mark === mark).length;
  return {
    worrying: count('worrying'),
    notable: count('notable'),
    reassuring: count('reassuring'),
    neutral: count('neutral'),
    unknown: count('unknown'),
  };
}

/** `2 worrying, 1 notable, 10 others`. */
export function summaryOf(answers: readonly Answer[]): string {
  const counts = countsOf(answers);
  const parts = (Object.keys(markLooks) as AnswerMark[])
    .filter((mark) => counts[mark] > 0)
    .map((mark) => `${counts[mark]} ${markLooks[mark].word}`);
  return parts.join(', ');
}

/** One answer as a section: the question, the sentence, and what it rests on. */
export function showAnswer(sheet: Sheet, out: Output, answer: Answer): void {
  sheet.section(escapeText(answer.question), (section) => {
    const { sign, style } = markLooks[answer.mark];
    section.line(`${out.style(style, sign)}  ${escapeText(answer.says)}`);
    for (const one of answer.points) {
      const look = markLooks[one.mark];
      section.line(`${out.style(look.style, look.sign)} ${escapeText(one.says)}`, 6);
    }
    for (const { name, value } of answer.facts) section.copy(`  ${escapeText(name)}`, escapeText(value));
    for (const one of answer.unknown)
      section.line(`${out.style('magenta', 'not known:')} ${escapeText(one)}`, 4);
  });
}
