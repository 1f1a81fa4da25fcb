import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import type { AlertNote } from '../../../event/alert.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { findAlert } from './find.js';

const says: Readonly<Record<string, string>> = {
  open: 'reopened',
  note: 'noted',
  response: 'response',
  assigned: 'assigned to',
  untagged: 'took off tag',
};

/** What was done, in words. */
export function stepText({ kind, value }: Pick<AlertNote, 'kind' | 'value'>): string {
  const word = says[kind] ?? safe(kind) ?? '?';
  if (kind === 'closed') return value === '' ? word : `${word} as ${safe(value.replace('_', ' '))}`;
  if (kind === 'assigned') return `${word} ${value === '' ? 'nobody' : safe(value)}`;
  return value === '' ? word : `${word} ${safe(value)}`;
}

export const alertsHistory = defineCommand({
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has' }],
  options: { json: flag('--json', 'one JSON document a step (NDJSON)') },
  examples: [{ line: 'launchwarden alerts history 3f9a01aa', says: 'every change, oldest first' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args: [id = ''] }) {
    const { out } = context;
    const alert = await context.withStore((store) => findAlert(store, id));
    if (options.json) {
      for (const { time, author, kind, value, text } of alert.notes)
        out.document('alert-step/1', {
          alert_id: alert.id,
          time: formatMicros(time),
          author,
          action: kind,
          value: value === '' ? null : value,
          text,
        });
      return ExitCode.ok;
    }
    out.line(`${out.times.at(alert.created)} ${out.times.zone}  launchwarden  created`);
    for (const note of alert.notes) {
      const { time, author, text } = note;
      out.line(`${out.times.at(time)} ${out.times.zone}  ${safe(author) ?? 'nobody'}  ${stepText(note)}`);
      if (text !== '') for (const line of text.split('\n')) out.line(`    ${safe(line) ?? ''}`);
    }
    return ExitCode.ok;
  },
});
