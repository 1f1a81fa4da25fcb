import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { RuleAttack } from '../elastic/attacks.js';
import { playRules } from '../elastic/campaign.js';
import { persistenceRules } from '../elastic/checkout.js';
import { standInLaunchctl } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/foreign-rules.test.ts needs a C compiler for its launchctl\n');

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-checkout-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tactic = (id: string) =>
  `[[rule.threat]]\nframework = "MITRE ATT&CK"\n[rule.threat.tactic]\nid = "${id}"\nname = "x"\nreference = "https://attack.mitre.org/tactics/${id}/"\n`;

function rule(name: string, query: string, { system = 'macOS', tacticId = 'TA0003' } = {}): void {
  const file = path.join(folder, 'rules', 'macos', `${name}.toml`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    `[metadata]\ncreation_date = "2026/01/01"\nmaturity = "production"\nupdated_date = "2026/01/01"\n[rule]
author = ["x"]\ndescription = "x"\nname = "${name}"\nrule_id = "${name}"\nrisk_score = 21\nseverity = "low"
type = "eql"\nlanguage = "eql"\ntags = ["OS: ${system}"]\nquery = '''\n${query}\n'''\n${tactic(tacticId)}`,
  );
}

// As in a checkout of somebody else's: what each tier sees, what one of them cannot, and what has another attack.
rule('by-path', 'file where event.type != "deletion" and file.path like "/private/etc/emond.d/rules/*"');
rule('by-writer', 'file where file.path like "/private/var/at/tabs/*" and process.name == "python3"');
rule('by-parent', 'process where event.type == "start" and process.parent.name == "emond"');
rule('by-excluded-writer', 'file where file.path like "/private/etc/periodic/*" and not process.name == "x"');
rule('of-something-else', 'process where event.type == "start" and process.name == "no-such-program"');
rule('without-attack', 'process where event.type == "start" and process.name == "x"');
rule('of-windows', 'process where process.name == "x"', { system: 'Windows' });
rule('of-discovery', 'process where process.name == "x"', { tacticId: 'TA0007' });

const python = { image: '/opt/homebrew/bin/python3', args: ['x.py'], signed: 'ad-hoc' } as const;
const writes = (where: string): RuleAttack => ({
  what: 'a file is written',
  play: async (stage) => stage.write(`${where}/${stage.label}`, 'x\n', await stage.run(python)),
});
const attacks: Readonly<Record<string, RuleAttack>> = {
  'by-path': writes('/private/etc/emond.d/rules'),
  'by-writer': writes('/private/var/at/tabs'),
  'by-parent': {
    what: 'the event monitor starts a shell',
    play: async (stage) => {
      await stage.run({ image: '/sbin/emond', starts: [{ image: '/bin/sh', args: ['-c', stage.label] }] });
    },
  },
  'by-excluded-writer': writes('/private/etc/periodic/daily'),
  'of-something-else': writes('/private/etc/emond.d/rules'),
};

test('of a checkout the rules about persistence on macOS are taken', () => {
  expect(persistenceRules(folder).map(({ id }) => id)).toEqual([
    'by-excluded-writer',
    'by-parent',
    'by-path',
    'by-writer',
    'of-something-else',
    'without-attack',
  ]);
});

test.skipIf(!compiler)(
  'each is judged by a real attack, and one that does not fire is not taken for one that does',
  async () => {
    const rows = await playRules(persistenceRules(folder), {
      attacks,
      tiers: ['scan', 'eslogger'],
      patienceMs: 1_500,
    });
    expect(Object.fromEntries(rows.map(({ id, verdicts }) => [id, verdicts]))).toEqual({
      'by-path': { scan: 'fired', eslogger: 'fired' },
      'by-writer': { scan: 'blind', eslogger: 'fired' },
      'by-parent': { scan: 'fired', eslogger: 'fired' },
      'by-excluded-writer': { scan: 'partly', eslogger: 'fired' },
      'of-something-else': { scan: 'silent', eslogger: 'silent' },
      'without-attack': { scan: 'unplayed', eslogger: 'unplayed' },
    });
    const why = Object.fromEntries(rows.map((row) => [row.id, row.why]));
    expect(why['by-writer']?.scan).toContain('it needs process.name');
    expect(why['by-path']).toEqual({});
  },
  120_000,
);
