import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mutedRules, tierOf } from '../../../agent/rules.js';
import { things } from '../../../base/count.js';
import { ExitCode, reasonOf, UserError } from '../../../base/errors.js';
import { type Settings, writeConfigFile } from '../../../config/index.js';
import type { SensorKind } from '../../../event/event.js';
import { degradedReasons, type Rule } from '../../../rules/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { counted, safe } from '../../output/output.js';
import { listAt } from '../../output/read.js';
import { pad } from '../../output/width.js';
import { changeRuleLists, editableConfig, sayRestart } from '../../rule-config.js';
import { listed, loadRuleSet, type RuleSet } from '../../rule-set.js';
import { runningSensors } from '../../tiers.js';
import { filePath } from '../../values.js';
import { ignoredKeys, reportDiagnostics } from './diagnostics.js';
import { exportedSources, isExport } from './exports.js';

/** A rule, and the text of its file. */
interface Source {
  readonly rule: Rule;
  readonly text: string;
}

interface Import extends Source {
  readonly target: string;
  /** What the running sensors do not see of it. */
  readonly reasons: readonly string[];
  /** False also when the agent will keep it off because of them. */
  readonly enabled: boolean;
  /** Keys in which the rule of this id that is there already differs; empty: it is the same. Undefined: it is new. */
  readonly changes: readonly string[] | undefined;
}

/** The keys in which two texts of a rule differ, with what stands there before and after where that is short. */
function changesOf(before: Rule, after: Rule): string[] {
  const keys = Object.keys({ ...before.meta, ...after.meta }) as (keyof Rule['meta'])[];
  return keys.flatMap((key) => {
    const [old, now] = [
      JSON.stringify(before.meta[key]) ?? 'none',
      JSON.stringify(after.meta[key]) ?? 'none',
    ];
    if (key === 'file' || old === now) return [];
    return old.length + now.length > 80 ? [key] : [`${key} ${old} -> ${now}`];
  });
}

/** Beside its own earlier import, or under the name it came with unless another rule has that. */
function targetFor(rule: Rule, folder: string, taken: ReadonlyMap<string, string>): string {
  for (const [file, id] of taken) if (id === rule.meta.id && path.dirname(file) === folder) return file;
  const base = path
    .basename(rule.meta.file, '.toml')
    .replace(/[^\w.-]/g, '_')
    .slice(0, 100);
  const plain = path.join(folder, `${base}.toml`);
  return taken.has(plain)
    ? path.join(folder, `${base}-${rule.meta.id.slice(0, 8).replace(/[^\w-]/g, '_')}.toml`)
    : plain;
}

function planImports(
  sources: readonly Source[],
  how: {
    readonly set: RuleSet;
    readonly folder: string;
    readonly kinds: readonly SensorKind[];
    readonly settings: Settings['rules'];
  },
): Import[] {
  const muted = mutedRules(
    sources.map(({ rule }) => rule),
    how.settings,
    how.kinds,
  );
  const taken = new Map(how.set.rules.map(({ rule }) => [rule.meta.file, rule.meta.id]));
  return sources.map(({ rule, text }) => {
    const known = how.set.rules.find((one) => one.rule.meta.id === rule.meta.id);
    const file = known?.rule.meta.file;
    if (file !== undefined && path.dirname(file) !== how.folder) {
      throw new UserError('rules/duplicate-id', `the id of ${rule.meta.file} is already that of ${file}`, {
        hint: 'Leave it out, or give it an id of its own.',
      });
    }
    const target = targetFor(rule, how.folder, taken);
    taken.set(target, rule.meta.id);
    const reasons = degradedReasons(rule, tierOf(how.kinds, rule));
    const { enabled } = listed(rule, how.settings);
    const changes = known === undefined ? undefined : changesOf(known.rule, rule);
    return { rule, text, target, reasons, enabled: enabled && !muted.has(rule.meta.id), changes };
  });
}

export const rulesImport = defineCommand({
  description:
    'Copies valid rule files into the folder "rules" beside the configuration file, which is added to [rules] folders; of an\n' +
    'export of Kibana (.ndjson, .json) it makes rule files. A rule\n' +
    'that the running sensors cannot supply is off, with the reason, as long as they cannot, or until it is enabled by name.\n' +
    'A rule that is there and would change is left as it is, with what would change, until --force. Exit code 1 when a file was\n' +
    'left out.',
  arguments: [
    { name: 'PATH...', summary: 'rule files, and folders that hold some', check: filePath('PATH') },
  ],
  options: {
    force: flag('--force', 'write over rules that are there already'),
    dryRun: flag('--dry-run', 'only say what would be done'),
    json: flag('--json', 'one JSON document a rule (NDJSON)'),
  },
  examples: [
    { line: 'sudo launchwarden rules import detection-rules/rules/macos', says: "a copy of Elastic's" },
  ],
  needs: 'the right to write beside the configuration file',
  async handler({ context, options: { dryRun, force, json }, args }) {
    const { loadRules } = await import('../../../rules/index.js');
    const paths = args.map((one) => path.resolve(context.io.cwd, one));
    const exported = await exportedSources(paths.filter(isExport));
    const loaded = loadRules(paths.filter((one) => !isExport(one)));
    const settings = await context.settings();
    const config = editableConfig(context, settings);
    const folder = path.join(path.dirname(config), 'rules');
    const { tier, kinds } = await runningSensors(context);
    const set = await loadRuleSet(context);
    const sources = [...loaded.rules.map(fileSource), ...exported.sources];
    const imports = planImports(sources, { set, folder, kinds, settings: settings.rules });
    const stays = ({ changes }: Import) => changes !== undefined && changes.length > 0 && !force;
    const written = imports.filter((one) => !stays(one));
    if (!dryRun && written.length > 0) {
      place(written, folder);
      if (!settings.rules.folders.includes(folder)) changeRuleLists(config, { addFolder: 'rules' });
      await sayRestart(context);
    }
    for (const one of imports) {
      const { rule, target, reasons, enabled, changes } = one;
      const { id, name } = rule.meta;
      const action = stays(one)
        ? 'left'
        : changes === undefined
          ? 'new'
          : changes.length > 0
            ? 'changed'
            : 'same';
      if (json) {
        context.out.document('rule-import/1', {
          id,
          name,
          file: target,
          enabled,
          action,
          changes: changes ?? [],
          tier,
          reasons,
          not_done: ignoredKeys(rule),
        });
        continue;
      }
      context.out.line(`${enabled ? 'on ' : 'off'}  ${pad(action, 7)}  ${safe(name)}  ${safe(target)}`);
      for (const change of changes ?? [])
        context.out.line(`     ${stays(one) ? 'would change' : 'changes'}: ${safe(change)}`);
      for (const reason of listAt({ reasons }, 'reasons'))
        context.out.line(`     degraded at ${tier}: ${reason}`);
      for (const ignored of ignoredKeys(rule)) context.out.line(`     warning: ${safe(ignored)}`);
    }
    const leftOut = [...loaded.diagnostics, ...loaded.passedOver, ...exported.diagnostics];
    if (imports.length === 0 && leftOut.length === 0) {
      throw new UserError('rules/none', 'there is no rule file in what is to be imported', {
        hint: 'Rule files end in .toml; exports of Kibana in .ndjson.',
      });
    }
    const left = imports.length - written.length;
    if (!json) {
      const count = (of: (one: Import) => boolean) => counted(written.filter(of).length);
      const files = new Set(leftOut.map(({ file }) => file)).size;
      context.out.line(
        `${dryRun ? 'Would import: ' : ''}${count(({ changes }) => changes === undefined)} new, ` +
          `${count(({ changes }) => (changes?.length ?? 0) > 0)} changed, ${count(({ changes }) => changes?.length === 0)} the same; ` +
          `${counted(left)} left as ${left === 1 ? 'it is' : 'they are'}${left === 0 ? '' : ` (--force writes over ${left === 1 ? 'it' : 'them'})`}, ${things(files, 'file')} left out; ` +
          `${counted(imports.filter(({ enabled }) => enabled).length)} on, ${counted(imports.filter(({ enabled }) => !enabled).length)} off`,
      );
    }
    const broken = reportDiagnostics(context, { diagnostics: leftOut, passedOver: [] }) || left > 0;
    return broken ? ExitCode.checkFailed : ExitCode.ok;
  },
});

function fileSource(rule: Rule): Source {
  return { rule, text: readFileSync(rule.meta.file, 'utf8') };
}

function place(imports: readonly Import[], folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    for (const { text, target } of imports) writeConfigFile(target, text);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('rules/cannot-import', `cannot copy rules into ${folder}: ${reasonOf(error)}`, {
      hint: 'It belongs to root: use sudo.',
      cause: error,
    });
  }
}
