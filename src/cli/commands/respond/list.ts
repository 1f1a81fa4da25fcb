import { ExitCode, messageOf } from '../../../base/errors.js';
import { allResponses, type Response } from '../../../respond/index.js';
import type { ReinfectionWatch } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { resolveId } from '../../ids.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import type { Times } from '../../output/when.js';
import { findAlertId } from '../alerts/find.js';
import { responseFields, responseSchema } from './document.js';

/** All responses of the data folder that is named, newest first. Throws a UserError when there is no such folder. */
export async function responsesHere(context: CommandContext): Promise<Response[]> {
  const { dataDir } = await context.settings();
  const { prepareFolder } = await import('../../../store/index.js');
  prepareFolder(dataDir, true);
  return allResponses(dataDir);
}

/** The response of an id or of a beginning that only one has. Throws a UserError that names the nearest ones. */
export function findResponse(all: readonly Response[], written: string): Response {
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

/** What is watched for. Where the database cannot be read that is said, and the responses are told all the same. */
export async function armedWatches(context: CommandContext): Promise<readonly ReinfectionWatch[]> {
  return context
    .withStore((store) => store.reinfection.list())
    .catch((error: unknown) => {
      context.io.stderr.write(`launchwarden: what it watches for is not known: ${safe(messageOf(error))}\n`);
      return [];
    });
}

const columnsIn = (times: Times): readonly Column[] => [
  { title: 'RESPONSE' },
  { title: `TIME (${times.zone})` },
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
    const responses = await responsesHere(context);
    const wanted =
      alert === undefined ? undefined : await context.withStore((store) => findAlertId(store, alert));
    const found = responses.filter((one) => wanted === undefined || one.alert === wanted);
    if (json) {
      for (const one of found) out.document(responseSchema, responseFields(one));
      return ExitCode.ok;
    }
    if (found.length === 0) out.line('No responses.');
    else
      for (const line of tableLines(
        columnsIn(out.times),
        found.map((one) => row(one, out.times)),
        out,
      ))
        out.line(line);
    return ExitCode.ok;
  },
});

function row({ id, time, verb, state, author, automatic, alert, about }: Response, times: Times): string[] {
  return [
    id,
    times.at(time),
    safe(verb) ?? '',
    state,
    `${safe(author) ?? ''}${automatic ? ' (automatic)' : ''}`,
    alert?.slice(0, 12) ?? '-',
    safe(about) ?? '',
  ];
}
