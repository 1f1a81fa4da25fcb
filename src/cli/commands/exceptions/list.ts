import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { reportProblems } from './diagnostics.js';
import { exceptionFields, exceptionSchema, type ListedException } from './exception-document.js';
import { loadListed } from './load.js';

const columns: readonly Column[] = [
  { title: 'ID', style: () => 'bold' },
  { title: 'STATE', style: (text) => (text === 'expired' ? 'yellow' : undefined) },
  { title: 'HITS' },
  { title: 'EXPIRES' },
  { title: 'BOUND TO', flexible: true },
  { title: 'REASON', flexible: true },
];

export function boundTo({ exception: { signer, sha256 } }: ListedException): string {
  if (signer !== undefined)
    return `team ${signer.teamId}${signer.signingId === undefined ? '' : `, ${safe(signer.signingId)}`}`;
  return sha256 === undefined ? 'nothing' : `content ${sha256.slice(0, 12)}`;
}

export const exceptionsList = defineCommand({
  description:
    'Exceptions stand in the folder of [exceptions] in the configuration, beside the rules; packs come with the program.\n' +
    'When one file is bad, none of them is in force that was not before. Exit code 1 then.',
  options: { json: flag('--json', 'one JSON document an exception (NDJSON)') },
  examples: [{ line: 'launchwarden exceptions list', says: 'what is hidden, why, by whom and until when' }],
  needs: 'read access to the configuration; to the data directory for the hits',
  async handler({ context, options }) {
    const { out } = context;
    const loaded = await loadListed(context);
    const { listed } = loaded;
    if (options.json) for (const one of listed) out.document(exceptionSchema, exceptionFields(one));
    else if (listed.length === 0) out.line('No exceptions.');
    else {
      const rows = listed.map((one) => [
        one.exception.id,
        one.state,
        String(one.hits?.hits ?? 0),
        one.exception.expires === undefined ? 'never' : formatMicros(one.exception.expires).slice(0, 10),
        boundTo(one),
        safe(one.exception.reason) ?? '',
      ]);
      for (const line of tableLines(columns, rows, out)) out.line(line);
    }
    return reportProblems(context, loaded) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
