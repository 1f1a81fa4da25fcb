import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';

/** A rule file of Elastic's repositories. */
export interface ForeignRule {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly type: string;
}

interface Tables {
  readonly rule?: {
    readonly rule_id?: string;
    readonly id?: string;
    readonly name?: string;
    readonly type?: string;
    readonly tags?: readonly string[];
    readonly os_list?: readonly string[];
    readonly threat?: readonly Threat[];
  };
  readonly threat?: readonly Threat[];
}

interface Threat {
  readonly tactic?: { readonly id?: string };
}

const persistence = 'TA0003';

/**
 * The rules below a folder that are about persistence on macOS: by their own tactic, and by the folder, tag or list of
 * systems that says which Mac they are for. Building blocks, retired rules and hunting queries are left out.
 */
export function persistenceRules(folder: string): ForeignRule[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) =>
        name.endsWith('.toml') && !/(?:^|\/)(?:_deprecated|rules_building_block|hunting)\//.test(name),
    )
    .sort();
  return files.flatMap((name) => ruleIn(path.join(folder, name)));
}

function ruleIn(file: string): ForeignRule[] {
  let tables: Tables;
  try {
    tables = parse(readFileSync(file, 'utf8')) as Tables;
  } catch {
    return [];
  }
  const { rule } = tables;
  const id = rule?.rule_id ?? rule?.id;
  if (rule === undefined || id === undefined) return [];
  const threats = [...(rule.threat ?? []), ...(tables.threat ?? [])];
  if (!threats.some(({ tactic }) => tactic?.id === persistence)) return [];
  const isMac = rule.tags?.includes('OS: macOS') === true || rule.os_list?.includes('macos') === true;
  return isMac ? [{ id, name: rule.name ?? id, file, type: rule.type ?? 'eql' }] : [];
}

/** Copies of the files as they are, in a folder of their own. */
export function copied(rules: readonly ForeignRule[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { file, id } of rules) copyFileSync(file, path.join(folder, `${id}.toml`));
}
