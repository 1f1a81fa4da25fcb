import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { defineCommand, flag } from '../../define-command.js';
import { counted, safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';

export const baselineList = defineCommand({
  description: 'What was called known good, the newest first: that one counts where none is named.',
  options: { json: flag('--json', 'one JSON document a baseline (NDJSON)') },
  examples: [{ line: 'sudo launchwarden baseline list', says: 'names, times and authors' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const { out } = context;
    const found = await context.withStore((store) => store.baselines.list());
    const columns: Column[] = [
      { title: 'NAME', style: () => 'bold' },
      { title: `SAVED (${out.times.zone})` },
      { title: 'ENTRIES', right: true },
      { title: 'BY' },
      { title: 'REASON', flexible: true },
    ];
    if (options.json)
      for (const { name, time, author, reason, entries } of found)
        out.document('baseline/1', { name, saved: formatMicros(time), author, reason, entries });
    else if (found.length === 0)
      out.line('Nothing was called known good yet: see "launchwarden baseline save".');
    else {
      const rows = found.map((one) => [
        safe(one.name) ?? '',
        out.times.at(one.time),
        counted(one.entries),
        safe(one.author) ?? '',
        safe(one.reason) ?? '',
      ]);
      for (const line of tableLines(columns, rows, out)) out.line(line);
    }
    return ExitCode.ok;
  },
});
