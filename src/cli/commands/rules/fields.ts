import { ExitCode } from '../../../base/errors.js';
import { allFields, type FieldInfo, nearestField } from '../../../event/fields.js';
import { defineCommand, flag } from '../../define-command.js';
import { tableLines } from '../../output/table.js';

function sensorsOf({ filledBy }: FieldInfo): string {
  return Object.keys(filledBy).join(', ') || 'no sensor';
}

export const rulesFields = defineCommand({
  description:
    'The fields that rules may read, with their types and the sensors that fill them. A name that no sensor fills is known from\n' +
    "Elastic's rules, or stands on alerts alone. Exit code 1 when TEXT is in none.",
  arguments: [{ name: '[TEXT]', summary: 'only fields with this in their name or meaning' }],
  options: { json: flag('--json', 'one JSON document a field (NDJSON)') },
  examples: [
    { line: 'launchwarden rules fields code_signature', says: 'what is known of signatures' },
    { line: 'launchwarden rules fields --json', says: 'for an editor' },
  ],
  async handler({ context, options, args: [text] }) {
    const { out, io } = context;
    const wanted = text?.toLowerCase();
    const found = allFields().filter(
      ({ name, meaning }) =>
        wanted === undefined || name.toLowerCase().includes(wanted) || meaning.toLowerCase().includes(wanted),
    );
    if (options.json)
      for (const { name, type, array, meaning, filledBy } of found)
        out.document('field/1', { name, type, array, meaning, filled_by: filledBy });
    else if (found.length > 0) {
      const columns = [
        { title: 'FIELD' },
        { title: 'TYPE' },
        { title: 'MEANING', flexible: true },
        { title: 'FILLED BY', flexible: true },
      ];
      const rows = found.map((field) => [
        field.name,
        field.array ? `${field.type}[]` : field.type,
        field.meaning,
        sensorsOf(field),
      ]);
      for (const line of tableLines(columns, rows, out)) out.line(line);
    }
    if (found.length > 0) return ExitCode.ok;
    // Nothing matched: that is an answer, with exit code 0 as everywhere.
    const near = text === undefined ? undefined : nearestField(text);
    io.stderr.write(
      `launchwarden: no field has this in its name${near === undefined ? '' : `; the nearest is ${near}`}\n`,
    );
    return ExitCode.ok;
  },
});
