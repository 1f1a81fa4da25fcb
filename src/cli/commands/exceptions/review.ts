import { ExitCode } from '../../../base/errors.js';
import { formatDuration, type Micros } from '../../../base/time.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { loadRuleSet, type RuleSet } from '../../rule-set.js';
import { ago } from '../../values.js';
import { reportProblems } from './diagnostics.js';
import { exceptionFields, exceptionSchema, type ListedException } from './exception-document.js';
import { loadListed } from './load.js';

const day: Micros = 86_400_000_000;
/** An exception that ends so soon is worth a look, and one that hid nothing for so long. */
const soon = 30 * day;
const idle = 90 * day;

/** What speaks against keeping it as it is. */
function remarks({ exception, hits, state }: ListedException, now: Micros, rules: RuleSet): string[] {
  const { expires, signer, sha256 } = exception;
  const known = new Set(rules.rules.map(({ rule }) => rule.meta.id));
  const gone = exception.rules.filter((id) => !known.has(id));
  return [
    ...(state === 'expired' ? ['it has expired: remove it, or give it a new end'] : []),
    ...(state === 'active' && expires !== undefined && expires - now < soon
      ? [`it expires in ${formatDuration(expires - now)}`]
      : []),
    ...(signer === undefined && sha256 === undefined
      ? ['it is bound to no signer and no content: whoever can make such an item is hidden by it']
      : []),
    ...(state === 'active' && hits === undefined ? ['it has never hidden anything'] : []),
    ...(hits !== undefined && now - hits.last > idle ? [`it last hid something ${ago(hits.last, now)}`] : []),
    ...gone.map((id) => `rule ${id} is not loaded`),
  ];
}

export const exceptionsReview = defineCommand({
  description:
    'Lists exceptions that have expired or soon will, hide nothing, or hide more than they need to.',
  options: { json: flag('--json', 'one JSON document an exception (NDJSON)') },
  examples: [{ line: 'launchwarden exceptions review', says: 'once a quarter' }],
  needs: 'read access to the configuration; to the data directory for the hits',
  async handler({ context, options }) {
    const { out } = context;
    const loaded = await loadListed(context);
    const rules = await loadRuleSet(context);
    const now = context.clock.now();
    let found = 0;
    for (const one of loaded.listed) {
      const said = remarks(one, now, rules);
      if (said.length === 0) continue;
      found++;
      if (options.json) {
        out.document(exceptionSchema, { ...exceptionFields(one), remarks: said });
        continue;
      }
      const { id, reason, author } = one.exception;
      out.line(`${out.style('bold', id)}  ${safe(reason) ?? ''} (${safe(author) ?? ''})`);
      for (const remark of said) out.line(`  - ${remark}`);
    }
    if (!options.json && found === 0)
      out.line(loaded.listed.length === 0 ? 'No exceptions.' : 'Nothing to look at again.');
    return reportProblems(context, loaded) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
