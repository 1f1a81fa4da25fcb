import { formatMicros } from '../../../base/time.js';
import { doesText, lastingOf, type Response, type StepState } from '../../../respond/index.js';
import type { StyleName } from '../../output/style.js';

export const responseSchema = 'response/1';
export const stepSchema = 'response-step/1';

export function responseFields(response: Response): object {
  const { id, time, author, automatic, simulated, verb, about, alert, item, state, records, watch, remarks } =
    response;
  return {
    id,
    time: formatMicros(time),
    author,
    automatic,
    simulated,
    verb,
    about,
    alert: alert ?? null,
    item: item ?? null,
    state,
    steps: records.map(({ step, state: word, says, undo }) => ({
      kind: step.kind,
      does: doesText(step),
      state: word,
      says: says ?? null,
      undo: undo === undefined ? null : { state: undo.state, says: undo.says ?? null },
      lasting: lastingOf(step) ?? null,
    })),
    watch,
    remarks,
  };
}

export function stateStyle(state: StepState | 'open'): StyleName {
  if (state === 'done') return 'green';
  if (state === 'refused' || state === 'failed') return 'red';
  return state === 'nothing' ? 'dim' : 'cyan';
}
