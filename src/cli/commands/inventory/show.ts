import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { formatMicros } from '../../../base/time.js';
import { findingMeaning } from '../../../event/findings.js';
import { mechanisms, techniques } from '../../../mechanisms/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { leastToRead } from '../../ids.js';
import { safe } from '../../output/output.js';
import { Sheet } from '../../output/sheet.js';
import { shortId } from '../alerts/alert-line.js';
import { inventoryFields, inventorySchema, mechanismName } from './document.js';
import { launchdJobFields, launchdJobOf, launchdJobSection } from './launchd-job.js';
import { type Judged, judged } from './list.js';
import { readInventory, readOptions } from './read.js';

function find(all: readonly Judged[], written: string): Judged[] {
  const items = new Set(
    all
      .map(({ row: { entry } }) => entry)
      .filter(({ item_id, path, label }) =>
        written === ''
          ? false
          : (written.length >= leastToRead && item_id.startsWith(written)) ||
            path === written ||
            label === written,
      )
      .map(({ item_id }) => item_id),
  );
  if (items.size === 1) return all.filter(({ row: { entry } }) => items.has(entry.item_id));
  const problem = items.size === 0 ? 'there is no item' : `${items.size} items are called`;
  throw new UserError('inventory/unknown-item', `${problem} ${quote(written, 100)}`, {
    hint: 'Name it by its id, path or label: see "launchwarden inventory list --all".',
  });
}

function section({ row, verdict }: Judged, sheet: Sheet): void {
  const { entry, by, firstSeen, lastSeen, changed, gone, baseline } = row;
  sheet.section(safe(entry.label) ?? safe(entry.key) ?? safe(entry.path) ?? '', (lines) => {
    lines.field('verdict', `${verdict.word}${verdict.level === undefined ? '' : ` ${verdict.level}`}`);
    for (const id of verdict.alerts.slice(0, 10)) lines.field('alert', shortId(id));
    lines.field('runs', entry.runs.map((one) => safe(one)).join(', '));
    lines.field('when', entry.when.join(', '));
    lines.field('as', safe(entry.as));
    lines.field('enabled', entry.enabled === undefined ? undefined : entry.enabled ? 'yes' : 'no');
    for (const word of entry.findings) lines.field('finding', `${word}: ${findingMeaning(word) ?? ''}`);
    lines.field('sha256', entry.sha256);
    lines.field('program', safe(entry.program));
    lines.field('its sha256', entry.program_sha256);
    lines.field(
      'signer',
      safe(entry.signer?.subject_name ?? entry.signer?.signing_id ?? entry.signer?.status),
    );
    lines.field('mode', `${entry.mode}, owner ${entry.uid}`);
    lines.field(
      'first seen',
      baseline ? `${formatMicros(firstSeen)} (it was there before)` : formatMicros(firstSeen),
    );
    lines.field('changed', formatMicros(changed));
    lines.field('last seen', formatMicros(lastSeen));
    lines.field('gone', gone === undefined ? undefined : formatMicros(gone));
    lines.field(
      'brought by',
      by === undefined ? undefined : safe(`${by.executable ?? 'a process'}, user ${by.user ?? 'unknown'}`),
    );
    lines.field('to remove', safe(entry.removal));
  });
}

export const inventoryShow = defineCommand({
  arguments: [{ name: 'ITEM', summary: 'id of an item or its beginning, a path, or a label' }],
  options: { ...readOptions, json: flag('--json', 'one JSON document an entry (NDJSON)') },
  examples: [
    { line: 'launchwarden inventory show 3f9a01', says: 'an id as the listing shows it' },
    { line: 'launchwarden inventory show /private/etc/crontab', says: 'all entries of a file' },
  ],
  needs: 'read access to the data directory, or without an agent to the files themselves (root)',
  async handler({ context, options, args: [written = ''] }) {
    const { rows } = await readInventory(context, options);
    const found = find(await judged(context, rows), written);
    const present = rows.filter(({ gone }) => gone === undefined).map(({ entry }) => entry);
    const job = found[0] && (await launchdJobOf(context, found[0].row.entry, present));
    if (options.json)
      for (const { row, verdict } of found)
        context.out.document(inventorySchema, {
          ...inventoryFields(row, verdict),
          launchd_job: launchdJobFields(job),
        });
    else {
      const sheet = new Sheet(context.out);
      const entry = found[0]?.row.entry;
      const mechanism = mechanisms.find(({ id }) => id === entry?.mechanism);
      sheet.section('Item', (lines) => {
        lines.field('id', entry?.item_id);
        lines.field('mechanism', mechanismName(entry?.mechanism ?? ''));
        lines.field('ATT&CK', mechanism?.techniques.map((id) => `${id} ${techniques[id]}`).join(', '));
        lines.field('path', safe(entry?.path));
        lines.field('home', safe(entry?.home));
      });
      for (const one of found) section(one, sheet);
      launchdJobSection(sheet, job);
    }
    return ExitCode.ok;
  },
});
