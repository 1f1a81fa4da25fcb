import { things } from '../../../base/count.js';
import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { doesText, lastingOf, type Metadata, type Response } from '../../../respond/index.js';
import type { ReinfectionWatch } from '../../../store/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { type Section, Sheet } from '../../output/sheet.js';
import { responseFields, responseSchema } from './document.js';
import { armedWatches, findResponse, responsesHere } from './list.js';

export const respondShow = defineCommand({
  arguments: [{ name: 'ID', summary: 'id of a response, or a beginning that only one has' }],
  options: { json: flag('--json', 'one JSON document') },
  examples: [{ line: 'sudo launchwarden respond show 7be1a05d', says: 'its steps, and what it watches for' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options: { json }, args: [written = ''] }) {
    const response = findResponse(await responsesHere(context), written);
    const watches = (await armedWatches(context)).filter((one) => one.response === response.id);
    if (json) {
      const armed = watches.map(({ kind, value, hits, last }) => ({
        kind,
        value,
        hits,
        last_hit: last === undefined ? null : formatMicros(last),
      }));
      context.out.document(responseSchema, { ...responseFields(response), watch: armed });
      return ExitCode.ok;
    }
    const sheet = new Sheet(context.out);
    sheet.section(`Response ${response.id}`, (lines) => overview(response, lines));
    for (const [index, record] of response.records.entries())
      sheet.section(`Step ${index + 1}: ${record.step.kind}`, (lines) => step(record, lines));
    sheet.section('Watches for', (lines) => {
      for (const one of watches) lines.line(watchText(one));
    });
    return ExitCode.ok;
  },
});

function overview(
  { verb, about, state, time, author, automatic, alert, item, remarks, simulated }: Response,
  lines: Section,
) {
  lines.field('what', safe(verb));
  lines.field('about', safe(about));
  lines.field('state', state);
  lines.field('when', formatMicros(time));
  lines.field('by', `${safe(author)}${automatic ? ' (automatic)' : ''}`);
  lines.field('alert', alert);
  lines.field('item', item);
  if (simulated) lines.field('on', 'a folder tree (--root), not a Mac');
  for (const one of remarks) lines.field('note', safe(one));
}

function step({ step: what, state, says, deed, undo }: Response['records'][number], lines: Section): void {
  lines.field('does', safe(doesText(what)));
  lines.field('state', state);
  lines.field('says', safe(says));
  if (deed?.kind === 'move') metadata(deed.was, lines);
  if (undo !== undefined)
    lines.field('undo', `${undo.state}${undo.says === undefined ? '' : `: ${safe(undo.says)}`}`);
  lines.field('lasting', lastingOf(what));
}

function metadata(was: Metadata, lines: Section): void {
  lines.field('type', was.type);
  lines.field('sha256', was.sha256);
  lines.field('size', was.type === 'file' ? things(was.size, 'byte') : undefined);
  lines.field('owner', `${was.uid}:${was.gid}, mode ${was.mode.toString(8).padStart(4, '0')}`);
  lines.field('modified', formatMicros(Number(BigInt(was.modified) / 1000n)));
  lines.field(
    'attributes',
    was.xattrs.map(({ name, size }) => `${safe(name)} (${things(size, 'byte')})`).join(', '),
  );
  lines.field('acl', safe(was.acl));
}

function watchText({ kind, value, hits, last }: ReinfectionWatch): string {
  const seen =
    last === undefined ? 'not seen since' : `seen ${things(hits, 'time')}, last ${formatMicros(last)}`;
  return `${kind}  ${safe(value)}  (${seen})`;
}
