import type { Answer, AnswerMark } from '../../event/investigation.js';
import { code, Html, html } from './html.js';

const words: Readonly<Record<AnswerMark, string>> = {
  worrying: 'worrying',
  notable: 'notable',
  reassuring: 'reassuring',
  neutral: 'neutral',
  unknown: 'not known',
};

/** One question with its answer, what it rests on, and what could not be learned. */
export function answerHtml({ question, mark, says, points, facts, unknown }: Answer): Html {
  const listed = [
    ...points.map((one) => html`<li class="${one.mark}">${one.says}</li>`),
    ...unknown.map((one) => html`<li class="unknown">Not known: ${one}</li>`),
  ];
  return html`<div class="answer"><h3>${question}</h3>
<p class="says">${says}<span class="mark ${Html.raw(mark)}">${words[mark]}</span></p>
${listed.length === 0 ? undefined : html`<ul class="points">${listed}</ul>`}
${facts.length === 0 ? undefined : html`<dl class="facts">${facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${code(value, 1_000)}</dd>`)}</dl>`}</div>`;
}
