import { things } from '../../../base/count.js';
import { clip } from '../../../base/escape.js';
import { findingMeaning, findingWeight } from '../../../event/findings.js';
import type { InventoryEntry } from '../../../event/inventory.js';
import type { FileScan, ScanVerdict } from '../../../scan/index.js';
import { safe } from '../../output/output.js';
import type { Style } from '../../output/style.js';
import { severityStyle, shortId } from '../alerts/alert-line.js';
import { mechanismName } from '../inventory/document.js';

export const scanSchema = 'scan/1';
export const scanSummarySchema = 'scan_summary/1';

const maxShown = 10;

/** One verdict as a JSON document. */
export function scanFields({ word, item, files, rules, cut }: ScanVerdict): object {
  const [first] = item ?? [];
  return {
    verdict: word,
    kind: first === undefined ? 'file' : 'item',
    ...(first === undefined
      ? { path: files[0]?.path }
      : {
          item_id: first.item_id,
          mechanism: first.mechanism,
          path: first.path,
          labels: unique(item ?? [], (one) => [one.label]),
          runs: unique(item ?? [], (one) => one.runs),
          findings: unique(item ?? [], (one) => one.findings),
        }),
    rules: rules.map(({ rule, about, exception }) => ({
      id: rule.id,
      name: rule.name,
      severity: rule.severity,
      about,
      exception: exception ?? null,
    })),
    files: files.map(fileFields),
    ...(cut === undefined ? {} : { left_out: cut }),
  };
}

function fileFields({ path, size, sha256, listed, yara, left, missing }: FileScan): object {
  return {
    path,
    size: size ?? null,
    sha256: sha256 ?? null,
    hash_list: listed === undefined ? null : listed,
    yara: yara.map(({ rule, file, tags, description, strings }) => ({
      rule,
      file,
      tags,
      description: description ?? null,
      strings,
    })),
    left_out: left ?? null,
    missing: missing ?? false,
  };
}

function unique(
  item: readonly InventoryEntry[],
  of: (entry: InventoryEntry) => readonly (string | undefined)[],
): string[] {
  return [...new Set(item.flatMap(of).filter((one) => one !== undefined))] as string[];
}

/** Lines about one verdict, for people. */
export function scanLines({ word, item, files, rules, cut }: ScanVerdict, style: Style): string[] {
  const [first] = item ?? [];
  const path = safe(first?.path ?? files[0]?.path) ?? '';
  const name = first === undefined ? 'file' : mechanismName(first.mechanism);
  const id = first === undefined ? '' : `  ${style('dim', shortId(first.item_id))}`;
  const lines = [
    `${style(word === 'match' ? 'red' : word === 'odd' ? 'yellow' : 'dim', word.padEnd(5))}  ${name}  ${style('bold', path)}${id}`,
  ];
  const say = (text: string) => lines.push(`       ${text}`);
  for (const { path: at, listed, yara } of files) {
    const where = at === first?.path || first === undefined ? 'it' : (safe(at) ?? '');
    if (listed !== undefined) {
      const called = listed.name === '' ? '' : ` as "${safe(clip(listed.name, 100))}"`;
      say(`hash list: ${where} is listed${called} (${safe(listed.file)}:${listed.line})`);
    }
    for (const match of yara.slice(0, maxShown)) {
      const about = match.description === undefined ? '' : `: ${safe(clip(match.description, 120))}`;
      say(`YARA: ${where} matches ${safe(match.rule)}${about} (${safe(match.file)})`);
    }
    if (yara.length > maxShown) say(`YARA: and ${things(yara.length - maxShown, 'more rule')}`);
  }
  for (const { rule, about, exception } of rules) {
    if (about !== 'item') continue;
    const hidden = exception === undefined ? '' : ` (hidden by exception ${safe(exception)})`;
    say(`rule: ${style(severityStyle[rule.severity], rule.severity)} ${safe(rule.name)}${hidden}`);
  }
  if (word !== 'quiet')
    for (const finding of unique(item ?? [], (one) => one.findings)) {
      if (findingWeight(finding) <= 0) continue;
      say(`finding: ${findingMeaning(finding) ?? safe(finding)} (${findingWeight(finding)})`);
    }
  if (cut !== undefined) say(`not scanned: ${safe(cut)}`);
  return lines;
}
