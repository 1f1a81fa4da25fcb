import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { things } from '../../../base/count.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { clip, quote } from '../../../base/escape.js';
import { silentLogger } from '../../../base/log.js';
import type { RootMap } from '../../../base/root.js';
import { parseSize } from '../../../base/size.js';
import { formatDuration, parseDuration } from '../../../base/time.js';
import { Exceptions } from '../../../detect/index.js';
import { Enricher } from '../../../enrich/index.js';
import type { InventoryEntry } from '../../../event/inventory.js';
import { Lister } from '../../../inventory/index.js';
import { MechanismPlaces, mechanisms } from '../../../mechanisms/index.js';
import { formatDiagnostic, loadExceptions } from '../../../rules/index.js';
import {
  ContentScanner,
  filesBelow,
  ItemJudge,
  type ScanVerdict,
  type ScanWork,
  scanAll,
  targetsOf,
} from '../../../scan/index.js';
import { Rights } from '../../../sensors/file-watch/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, list, value } from '../../define-command.js';
import { observedRoot } from '../../observed-root.js';
import { safe } from '../../output/output.js';
import { Progress } from '../../output/progress.js';
import { loadRuleSet } from '../../rule-set.js';
import { filePath } from '../../values.js';
import { readInventory } from '../inventory/read.js';
import { scanFields, scanLines, scanSchema, scanSummarySchema } from './scan-output.js';

const defaultBudget = 10 * 60 * 1e6;
const maxListed = 20;

function budget(text: string): number {
  const micros = parseDuration(text);
  if (micros !== undefined && micros > 0) return micros;
  throw new UserError('cli/invalid-value', `--time is ${quote(text, 100)}; expected a duration such as 10m`);
}

function fileSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UserError(
    'cli/invalid-value',
    `--max-file is ${quote(text, 100)}; expected a size such as "64 MiB"`,
  );
}

/** A path as it was written, as a canonical macOS path. Throws a UserError when nothing stands there. */
function macPathOf(written: string, root: RootMap, cwd: string): string {
  const host = path.resolve(cwd, written);
  const mac = root.contains(host) ? root.toMac(host) : host;
  if (existsSync(root.toHost(mac))) return mac;
  throw new UserError('scan/no-path', `there is nothing at ${written}`, {
    hint: root.simulated
      ? 'Below --root a path is one of the tree, such as /Users/alice.'
      : 'Leave paths out to scan every persistent item.',
  });
}

/** Every persistent item, or those that stand at one of the paths or run something there, and the files there. */
async function workOf(context: CommandContext, paths: readonly string[], root: RootMap): Promise<ScanWork> {
  const { rows } = await readInventory(context, { refresh: false, live: true });
  const items = new Map<string, InventoryEntry[]>();
  for (const { entry, gone } of rows)
    if (gone === undefined) items.set(entry.item_id, [...(items.get(entry.item_id) ?? []), entry]);
  const lister = new Lister(new Rights(root));
  if (paths.length === 0)
    return { items: [...items.values()].map((entries) => targetsOf(entries, lister)), files: [] };
  const wanted = paths.map((one) => macPathOf(one, root, context.io.cwd));
  const isBelow = (one: string | undefined) =>
    one !== undefined && wanted.some((at) => one === at || one.startsWith(at === '/' ? '/' : `${at}/`));
  const chosen = [...items.values()].filter((entries) =>
    entries.some(({ path: own, program, runs }) => [own, program, ...runs].some(isBelow)),
  );
  const files = wanted.flatMap((one) => {
    if (!statSync(root.toHost(one)).isDirectory()) return [one];
    const below = filesBelow(one, lister);
    if (below.cut !== undefined) context.io.stderr.write(`launchwarden: not scanned: ${safe(below.cut)}\n`);
    return [...below.paths];
  });
  return { items: chosen.map((entries) => targetsOf(entries, lister)), files };
}

async function judgeFor(context: CommandContext, root: RootMap): Promise<ItemJudge> {
  const settings = await context.settings();
  const set = await loadRuleSet(context);
  const errors = set.diagnostics.filter(({ severity }) => severity === 'error');
  for (const one of errors.slice(0, maxListed)) context.io.stderr.write(`${formatDiagnostic(one)}\n`);
  const loaded = loadExceptions(settings.exceptions.folders, settings.exceptions.packs);
  const { userHomes } = await import('../../../agent/homes.js');
  const homes = userHomes(root, context.clock, silentLogger);
  const homePaths = () => homes().map(({ path: home }) => home);
  const places = new MechanismPlaces(mechanisms, homePaths);
  return new ItemJudge({
    root,
    rules: set.rules.filter(({ enabled }) => enabled).map(({ rule }) => rule),
    exceptions: new Exceptions(loaded.exceptions),
    places,
    now: context.clock.now(),
    enricher: new Enricher({
      root,
      clock: context.clock,
      version: context.version,
      agentId: 'scan',
      hostId: 'scan',
      boot: 'scan',
      places,
    }),
  });
}

interface Tally {
  match: number;
  odd: number;
  quiet: number;
  readonly files: Set<string>;
  bytes: number;
  readonly left: Map<string, string>;
}

function count(tally: Tally, { word, files }: ScanVerdict): void {
  tally[word]++;
  for (const { path: at, size = 0, left, sha256 } of files) {
    if (left !== undefined) tally.left.set(at, left);
    if (sha256 === undefined || tally.files.has(at)) continue;
    tally.files.add(at);
    tally.bytes += size;
  }
}

export const scan = defineCommand({
  description:
    'Reads every persistent item, its file or bundle and all that it runs, and compares them with hash lists, YARA rules, the\n' +
    'detection rules and the findings. VERDICT: "match" when a list, a YARA rule or a detection rule about the item names it,\n' +
    '"odd" when its findings weigh as much as those of rare software, "quiet" otherwise. With PATH only the items that stand or\n' +
    'run something there, and the files there. Nothing is changed or stored. Exit code 1 when something\n' +
    'was found, or when nothing of a list or YARA file could be used.',
  arguments: [{ name: '[PATH...]', summary: 'files and folders, instead of every persistent item' }],
  options: {
    hashes: list(
      '--hashes FILE',
      'a list of SHA-256 hashes, beside those of [scan] hashes',
      filePath('--hashes'),
    ),
    yara: list(
      '--yara PATH',
      'a file or folder of YARA rules, beside those of [scan] yara',
      filePath('--yara'),
    ),
    time: value('--time DURATION', 'for all of it (10m): what is left out then is named', budget),
    maxFile: value('--max-file SIZE', 'a larger file is only hashed ("64 MiB")', fileSize),
    all: flag('--all', 'quiet items too'),
    json: flag('--json', 'one JSON document an item, and a summary (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden scan', says: 'everything that persists on this Mac' },
    {
      line: 'sudo launchwarden scan --hashes known-bad.txt --yara rules',
      says: 'with lists and rules of your own',
    },
    { line: 'launchwarden scan --root /Volumes/Backup --json', says: 'of another volume' },
  ],
  needs: 'read access to the files (root); for YARA rules the package @virustotal/yara-x',
  async handler({ context, options, args }) {
    const { out, io, clock } = context;
    const settings = await context.settings();
    const root = await observedRoot(context);
    const beside = (file: string) => path.resolve(io.cwd, file);
    const content = await ContentScanner.open({
      root,
      hashes: [...settings.scan.hashes, ...options.hashes.map(beside)],
      yara: [...settings.scan.yara, ...options.yara.map(beside)],
      maxFileBytes: options.maxFile ?? settings.scan.maxFileBytes,
      memoryBytes: settings.scan.memoryBytes,
      fileMs: settings.scan.fileMs,
    });
    const progress = new Progress(io.stderr, clock, 2);
    const tally: Tally = { match: 0, odd: 0, quiet: 0, files: new Set(), bytes: 0, left: new Map() };
    const begun = clock.monotonic();
    try {
      for (const one of content.refused.slice(0, maxListed)) {
        const at = [one.file, one.line, 'column' in one ? one.column : undefined];
        io.stderr.write(
          `${safe(at.filter((part) => part !== undefined).join(':'))}: ${safe(clip(one.message, 300))} [scan/refused]\n`,
        );
      }
      const judge = await judgeFor(context, root);
      const work = await workOf(context, args, root);
      const verdicts = scanAll(work, {
        content,
        judge,
        clock,
        signal: io.interruption(),
        budgetMs: (options.time ?? defaultBudget) / 1000,
        onProgress: progress.update,
      });
      for await (const verdict of verdicts) {
        count(tally, verdict);
        if (verdict.word === 'quiet' && !options.all && !options.json) continue;
        progress.end();
        if (options.json) out.document(scanSchema, scanFields(verdict));
        else for (const line of scanLines(verdict, out.style)) out.line(line);
      }
      progress.end();
      const took = clock.monotonic() - begun;
      if (options.json) out.document(scanSummarySchema, summaryFields(tally, { content, judge, took }));
      else for (const line of summaryLines(tally, { content, judge, took })) out.line(line);
    } finally {
      progress.end();
      await content.close();
    }
    return tally.match + tally.odd + content.unused.length > 0 ? ExitCode.checkFailed : ExitCode.ok;
  },
});

interface Done {
  readonly content: ContentScanner;
  readonly judge: ItemJudge;
  /** Milliseconds. */
  readonly took: number;
}

function summaryFields({ match, odd, quiet, files, bytes, left }: Tally, { content, judge, took }: Done) {
  return {
    match,
    odd,
    quiet,
    files: files.size,
    bytes,
    took_ms: Math.round(took),
    hashes: content.counts.hashes,
    yara_files: content.counts.yara,
    rules_asked: judge.asked,
    rules_passed_over: judge.passedOver,
    refused: content.refused,
    unused: content.unused,
    left_out: [...left].map(([at, reason]) => ({ path: at, reason })),
  };
}

function summaryLines({ match, odd, quiet, files, bytes, left }: Tally, { content, judge, took }: Done) {
  const { hashes, yara } = content.counts;
  const with_ = [
    `${things(judge.asked, 'rule')} (${things(judge.passedOver, 'needs more than one event and is', 'need more than one event and are')} not asked)`,
    hashes === 0 ? 'no hashes' : `${hashes} ${hashes === 1 ? 'hash' : 'hashes'}`,
    yara === 0 ? 'no YARA rules' : `${yara} YARA ${yara === 1 ? 'file' : 'files'}`,
  ];
  const found =
    match + odd === 0 ? 'Nothing found' : `${match} ${match === 1 ? 'match' : 'matches'}, ${odd} odd`;
  const lines = [
    `${found}${match + odd === 0 && left.size > 0 ? ' in what was scanned' : ''}, ${quiet} quiet; ` +
      `${files.size} ${files.size === 1 ? 'file' : 'files'} (${(bytes / 2 ** 20).toFixed(1)} MiB) in ${formatDuration(Math.round(took) * 1000)}.`,
    `By ${with_.join(', ')}.`,
    ...content.unused.slice(0, maxListed).map((one) => `Not used: nothing in ${safe(one)} can be.`),
  ];
  if (left.size > 0) {
    lines.push(`${left.size} ${left.size === 1 ? 'file was' : 'files were'} not scanned, or not in full:`);
    for (const [at, reason] of [...left].slice(0, maxListed)) lines.push(`  ${safe(at)}: ${safe(reason)}`);
    if (left.size > maxListed) lines.push(`  and ${left.size - maxListed} more (--json lists them)`);
  }
  return lines;
}
