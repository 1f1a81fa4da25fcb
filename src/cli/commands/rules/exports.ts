import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { reasonOf, UserError } from '../../../base/errors.js';
import type { Diagnostic, Rule } from '../../../rules/index.js';

const maxBytes = 64 * 1024 * 1024;

/** Whether a path is that of an export of Kibana, by its name. */
export function isExport(file: string): boolean {
  return (
    /\.(?:ndjson|json)$/i.test(file) && statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true
  );
}

/** The rules of exports as rule files that are not written yet, and why some are left out. Throws a UserError. */
export async function exportedSources(files: readonly string[]): Promise<{
  readonly sources: readonly { readonly rule: Rule; readonly text: string }[];
  readonly diagnostics: readonly Diagnostic[];
}> {
  const { exportedRules, readRuleFile } = await import('../../../rules/index.js');
  const sources = new Map<string, { rule: Rule; text: string }>();
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const found = exportedRules(textOf(file));
    if (found === undefined || found.length === 0) {
      throw new UserError('rules/no-export', `${file} holds no rules of Kibana`, {
        hint: 'Export them in Kibana: Rules, Bulk actions, Export.',
      });
    }
    for (const { name, toml } of found) {
      const read = readRuleFile(toml, `${file} (${name.slice(0, 100)})`);
      if ('diagnostics' in read) diagnostics.push(...read.diagnostics);
      else {
        const { rule } = read;
        const meta = { ...rule.meta, file: path.join(path.dirname(file), `${fileName(rule)}.toml`) };
        sources.set(meta.id, { rule: { ...rule, meta }, text: toml });
      }
    }
  }
  return { sources: [...sources.values()], diagnostics };
}

/** Of the rule's name, as Elastic names its files. */
function fileName({ meta }: Rule): string {
  const words = meta.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return words.slice(0, 80) || meta.id.replace(/[^A-Za-z0-9-]/g, '_');
}

function textOf(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > maxBytes) throw new Error('it is no regular file, or too large');
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError('rules/not-found', `cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
