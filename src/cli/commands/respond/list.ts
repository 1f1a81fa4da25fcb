import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { allResponses, type Response } from '../../../respond/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { resolveId } from '../../ids.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { findAlertId } from '../alerts/find.js';
import { responseFields, responseSchema } from './document.js';

/** The response of an id or of a beginning that only one has. Throws a UserError that names the nearest ones. */
export function findResponse(dataDir: string, written: string): Response {
  const all = allResponses(dataDir);
  const id = resolveId(written, {
    noun: 'response',
    stage: 'respond',
    listedBy: 'launchwarden respond list',
    beginning: (text, limit) =>
      all
        .map((one) => one.id)
        .filter((one) => one.startsWith(text))
        .slice(0, limit),
    known: () => all.map((one) => one.id),
    about: (one) => safe(all.find((response) => response.id === one)?.about),
  });
  return all.find((one) => one.id === id)!;
}

const columns: readonly Column[] = [
  { title: 'RESPONSE' },
  { title: 'TIME' },
  { title: 'WHAT' },
  { title: 'STATE' },
  { title: 'BY', flexible: true },
  { title: 'ALERT' },
  { title: 'ABOUT', flexible: true, path: true },
];

export const respondList = defineCommand({
  options: {
    alert: value('--alert ALERT', 'only those about this alert', (text) => text),
    json: flag('--json', 'one JSON document a response (NDJSON)'),
  },
  examples: [{ line: 'sudo launchwarden respond list', says: 'what was done, newest first' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options: { alert, json } }) {
    const { out } = context;
    const { dataDir } = await context.settings();
    const wanted =
      alert === undefined ? undefined : await context.withStore((store) => findAlertId(store, alert));
    const found = allResponses(dataDir).filter((one) => wanted === undefined || one.alert === wanted);
    if (json) {
      for (const one of found) out.document(responseSchema, responseFields(one));
      return ExitCode.ok;
    }
    if (found.length === 0) out.line('No responses.');
    else for (const line of tableLines(columns, found.map(row), out)) out.line(line);
    return ExitCode.ok;
  },
});

function row({ id, time, verb, state, author, automatic, alert, about }: Response): string[] {
  return [
    id,
    formatMicros(time).slice(0, 19).replace('T', ' '),
    safe(verb) ?? '',
    state,
    `${safe(author) ?? ''}${automatic ? ' (automatic)' : ''}`,
    alert?.slice(0, 12) ?? '-',
    safe(about) ?? '',
  ];
}
