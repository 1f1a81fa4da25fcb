import type { Threat, ThreatTechnique } from '../../event/rule-meta.js';
import type { TableReader } from './table-reader.js';

/** `[[threat]]` of a table: MITRE ATT&CK tactics with their techniques. */
export function readThreats(table: TableReader): readonly Threat[] {
  return table.tables('threat').flatMap((entry) => {
    const tactic = entry.table('tactic');
    if (tactic === undefined) {
      entry.problem('tactic', { code: 'rule/missing', message: `${entry.path}.tactic is missing` });
      return [];
    }
    return [
      {
        framework: entry.text('framework', 'MITRE ATT&CK'),
        tactic: named(tactic),
        technique: entry.tables('technique').map(readTechnique),
      },
    ];
  });
}

function readTechnique(table: TableReader): ThreatTechnique {
  const sub = table.tables('subtechnique').map(named);
  return sub.length === 0 ? named(table) : { ...named(table), subtechnique: sub };
}

function named(table: TableReader): { id: string; name: string; reference: string } {
  return { id: table.required('id'), name: table.text('name', ''), reference: table.text('reference', '') };
}
