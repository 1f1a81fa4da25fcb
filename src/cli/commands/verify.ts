import { things } from '../../base/count.js';
import { ExitCode, UserError } from '../../base/errors.js';
import type { EcsDocument } from '../../event/document.js';
import { type ChainSummary, ChainVerifier, type Verification } from '../../forward/verify.js';
import { readLines, unwrap } from '../../sensors/capture/index.js';
import { withInput } from '../capture-input.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, list, value } from '../define-command.js';
import { counted, type Output, safe } from '../output/output.js';
import { filePath, oneOf } from '../values.js';

/** What a stream may have by the way it was sent, or by what was done to the Mac. */
const acceptable = ['not-checked', 'unlinked'] as const;

export const verify = defineCommand({
  description:
    'Every alert carries a number and a digest of the one before (launchwarden.chain), every heartbeat the length and the end\n' +
    'of the chain. This reads what a destination got, the heartbeats too, and names numbers that are missing, documents that\n' +
    'were altered or cannot be checked, and chains of one Mac without a link; copies are fine. Exit code 0 when there are none,\n' +
    'else 1. It needs no agent.',
  arguments: [
    {
      name: 'FILE...',
      summary:
        'what a destination got, oldest first: NDJSON, hits of Elasticsearch, results of Splunk; "-" for standard input',
      check: (text) => void filePath('FILE')(text),
    },
  ],
  options: {
    head: value(
      '--head DIGEST',
      'the digest that the newest alert must have, as "launchwarden status --json" (chain.digest) told',
      readDigest,
    ),
    whole: flag(
      '--whole',
      'the files hold everything: a beginning or an end that is not proven counts as missing',
    ),
    accept: list(
      '--accept KIND',
      `findings that are known and do not count: ${acceptable.join(', ')}`,
      oneOf('--accept', acceptable),
    ),
    json: flag('--json', 'one document a finding, and one for all (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden verify archive/*.ndjson alerts.ndjson', says: 'of a file destination' },
    { line: 'launchwarden verify export.json', says: 'of an export of a SIEM' },
    {
      line: 'launchwarden verify --accept not-checked syslog.ndjson',
      says: 'documents were cut, which is known',
    },
  ],
  async handler({ context, options, args }) {
    const { out } = context;
    const verifier = new ChainVerifier();
    let documents = 0;
    let broken = 0;
    for (const file of args) {
      await eachLine(context, file, (text) => {
        const found = documentsIn(text);
        if (found === undefined) broken++;
        for (const doc of found ?? []) {
          documents++;
          verifier.add(doc);
        }
      });
    }
    const verification = verifier.end(options);
    if (verification.chains.length === 0)
      throw new UserError(
        'verify/no-alert',
        `there is no alert with a place in a chain in ${things(documents, 'document')}`,
        {
          hint: 'Expected is what a destination of launchwarden got: alerts and heartbeats, whole documents.',
        },
      );
    if (options.json) printJson(verification, { documents, broken }, out);
    else print(verification, { documents, broken }, out);
    return verification.ok ? ExitCode.ok : ExitCode.checkFailed;
  },
});

function readDigest(text: string): string {
  if (/^[0-9a-f-]{32,36}$/.test(text)) return text;
  throw new UserError('cli/invalid-value', '--head is no digest: 32 hexadecimal digits', {
    hint: 'It stands in launchwarden.chain.digest of an alert, and in each heartbeat.',
  });
}

/** The texts of the documents, one after the other: as they stand there when each is a line, else as they are unpacked. */
async function eachLine(
  context: CommandContext,
  written: string,
  take: (text: string) => void,
): Promise<void> {
  await withInput(context, { written, form: 'ecs' }, (input) => {
    for (const { text } of readLines(input.file)) if (text !== undefined && text.trim() !== '') take(text);
  });
}

/** What a line holds, taken out of what a SIEM puts around it; undefined when it is no JSON. */
function documentsIn(text: string): readonly EcsDocument[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return unwrap(parsed).map((one) => one.doc as unknown as EcsDocument);
}

function printJson(
  { ok, chains, findings }: Verification,
  { documents, broken }: { readonly documents: number; readonly broken: number },
  out: Output,
): void {
  for (const finding of findings) out.document('verify-finding/1', finding);
  out.document('verify/1', { ok, documents, unreadable: broken, chains });
}

function print(
  { ok, chains, findings }: Verification,
  { documents, broken }: { readonly documents: number; readonly broken: number },
  out: Output,
): void {
  for (const { wrong, kind, chain, alert, detail } of findings) {
    const word = wrong ? out.style('red', kind) : out.style('yellow', kind);
    const about = alert === undefined ? '' : ` (alert ${safe(alert) ?? ''})`;
    out.line(`${word}: ${safe(detail) ?? ''}${about}${chain === '' ? '' : `, chain ${safe(chain) ?? ''}`}`);
  }
  if (broken > 0)
    out.line(
      out.style(
        'yellow',
        `${things(broken, 'line is no JSON, and was', 'lines are no JSON, and were')} passed over`,
      ),
    );
  if (findings.length + broken > 0) out.line();
  for (const chain of chains) out.line(chainText(chain));
  const partly = broken > 0 || findings.some(({ kind }) => kind !== 'order');
  if (!ok)
    out.line(out.style('red', 'Something is missing, was altered, or cannot be proven to be what was sent.'));
  else if (!partly)
    out.line(
      out.style('green', `Nothing is missing and nothing was altered in ${things(documents, 'document')}.`),
    );
  else
    out.line(
      out.style('yellow', 'Nothing is missing, and nothing was altered in what could be checked: see above.'),
    );
}

function chainText(one: ChainSummary): string {
  const { chain, host, agent, first, last, alerts, documents, duplicates, heard } = one;
  const again = duplicates === 0 ? '' : `, ${counted(duplicates)} of them again`;
  const end = heard === undefined ? '' : `; the newest heartbeat is of ${safe(heard) ?? ''}`;
  return `chain ${safe(chain) ?? ''} of ${safe(host ?? agent) ?? ''}: alerts ${first} to ${last}, ${things(alerts, 'is', 'are')} here in ${things(documents, 'document')}${again}${end}`;
}
