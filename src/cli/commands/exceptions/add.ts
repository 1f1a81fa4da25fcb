import { ExitCode, UserError } from '../../../base/errors.js';
import { formatMicros, type Micros, parseDuration } from '../../../base/time.js';
import { type Exception, readExceptionFile } from '../../../rules/index.js';
import { authorOf } from '../../author.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { wholeNumber } from '../../values.js';
import { subjectOf } from '../alerts/alert-line.js';
import { findAlert } from '../alerts/find.js';
import { appendException, exceptionText, type NewException, reloadRunning } from './edit.js';
import { hiddenBy, hiddenLines, hides } from './hidden.js';
import { loadListed } from './load.js';
import { type Scope, scopesFor } from './scopes.js';

const day: Micros = 86_400_000_000;
const defaultLife = 180 * day;

function lifetime(text: string): Micros {
  const time = parseDuration(text);
  if (time !== undefined && time >= day) return time;
  throw new UserError(
    'cli/invalid-value',
    `--expires is "${text}"; expected a duration of at least a day, such as 90d`,
  );
}

function identifier(option: string): (text: string) => string {
  return (text) => {
    if (/^[a-z0-9][a-z0-9-]{0,99}$/.test(text)) return text;
    throw new UserError(
      'cli/invalid-value',
      `${option} is "${text}"; expected 1 to 100 lower-case letters, digits and -`,
    );
  };
}

/** The exception as the agent would read it. */
function compiled(one: NewException): Exception {
  const result = readExceptionFile(`name = "new"\n${exceptionText(one)}`, 'new');
  if ('set' in result && result.set.exceptions[0] !== undefined) return result.set.exceptions[0];
  throw new Error(`the proposed exception does not compile: ${JSON.stringify(result)}`);
}

export const exceptionsAdd = defineCommand({
  description:
    'Proposes three exceptions for an alert, the narrowest first, and tells what each would have hidden among the stored\n' +
    'alerts. With --scope and --reason one of them is written, and a running agent reads it at once.',
  options: {
    from: value('--from ALERT', 'id of the alert, or a beginning that only one has', (text) => text),
    scope: value('--scope N', '1, 2 or 3: which of the proposals to write', wholeNumber('--scope', 1, 3)),
    reason: value('--reason TEXT', 'why it needs no alert; kept with the exception', (text) => text),
    expires: value('--expires DURATION', 'how long it holds; 180d when it is left out', lifetime),
    id: value('--id ID', 'its id; made of the id of the alert when it is left out', identifier('--id')),
    set: value(
      '--set NAME',
      'the file that it goes to: NAME.toml; "local" when it is left out',
      identifier('--set'),
    ),
    json: flag('--json', 'the proposals, one JSON document a line'),
  },
  examples: [
    { line: 'launchwarden exceptions add --from 3f9a01', says: 'see the proposals' },
    {
      line: 'sudo launchwarden exceptions add --from 3f9a01 --scope 1 --reason "our backup, ticket 4711"',
      says: 'write the narrowest',
    },
  ],
  needs: 'read access to the data directory; to write one, the right to write the folder of exceptions',
  async handler({ context, options }) {
    const { out } = context;
    const { from, scope, reason, json } = options;
    if (from === undefined)
      throw new UserError('exceptions/no-alert', '--from is needed', {
        hint: 'See "launchwarden alerts list".',
      });
    const loaded = await loadListed(context);
    const now = context.clock.now();
    const base = {
      reason: reason ?? '(say why with --reason)',
      author: authorOf(context.io),
      created: formatMicros(now).slice(0, 10),
      expires: formatMicros(now + (options.expires ?? defaultLife)).slice(0, 10),
    };
    const proposals = await context.withStore((store) => {
      const alert = findAlert(store, from);
      const scopes = scopesFor(alert);
      if (scopes === undefined || scopes.length === 0)
        throw new UserError(
          'exceptions/no-scope',
          'this alert is about too many things, or about too little',
          {
            hint: 'Write an exception by hand: docs/exceptions.md.',
          },
        );
      const id = options.id ?? `alert-${alert.id.slice(0, 12)}`;
      const all = scopes
        .filter((one) => hides(compiled({ ...base, ...one.conditions, id: 'scope' }), alert))
        .map((one: Scope, index) => ({
          says: one.says,
          written: { ...base, ...one.conditions, id: options.id ?? id },
          judged: compiled({ ...base, ...one.conditions, id: `scope-${index + 1}` }),
        }));
      if (all.length === 0)
        throw new UserError('exceptions/no-scope', 'nothing short of the rule would hide this alert', {
          hint: 'What is odd about an item, and each file that the alert could be about, must be excused: docs/exceptions.md.',
        });
      if (!json && scope === undefined)
        out.line(`About ${subjectOf(alert)} (${safe(alert.ruleName) ?? ''}):`);
      return {
        all,
        hidden: hiddenBy(
          store,
          all.map(({ judged }) => judged),
        ),
      };
    });
    if (scope === undefined) {
      for (const [index, { says, written, judged }] of proposals.all.entries()) {
        const found = proposals.hidden.by.get(judged.id);
        if (json) {
          out.document('exception-proposal/1', {
            scope: index + 1,
            says,
            hidden: found?.count ?? 0,
            stored: proposals.hidden.of,
            alerts: found?.first.map(({ id }) => id) ?? [],
            toml: exceptionText(written),
          });
          continue;
        }
        out.line();
        out.line(`${out.style('bold', `${index + 1}`)}  ${safe(says) ?? ''}`);
        for (const line of hiddenLines(proposals.hidden, judged.id, out)) out.line(`   ${line}`);
      }
      if (!json) {
        out.line();
        out.line('Write one with --scope N --reason TEXT.');
      }
      return ExitCode.ok;
    }
    const chosen = proposals.all[scope - 1];
    if (chosen === undefined)
      throw new UserError('exceptions/no-scope', `there are only ${proposals.all.length} proposals`);
    if (reason === undefined || reason.trim() === '')
      throw new UserError('exceptions/no-reason', '--reason is needed to write an exception', {
        hint: 'Whoever reviews it needs to know why it is there.',
      });
    if (loaded.exceptions.some(({ id }) => id === chosen.written.id))
      throw new UserError('exceptions/duplicate-id', `there is an exception "${chosen.written.id}" already`, {
        hint: 'Give the new one another id with --id, or remove the old one.',
      });
    const { exceptions } = await context.settings();
    const file = appendException(exceptions.folder, options.set ?? 'local', chosen.written);
    await reloadRunning(context);
    if (json)
      out.document('exception-added/1', { id: chosen.written.id, file, toml: exceptionText(chosen.written) });
    else {
      out.line(`added  ${chosen.written.id}  ${safe(chosen.says) ?? ''}, until ${chosen.written.expires}`);
      out.line(`       in ${safe(file) ?? ''}`);
    }
    return ExitCode.ok;
  },
});
