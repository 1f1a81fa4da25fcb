import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, reasonOf, UserError } from '../../../base/errors.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath, oneOf } from '../../values.js';

const queries = {
  file: {
    query:
      'file where host.os.type == "macos" and event.type != "deletion" and\n  file.path : ("/Library/LaunchDaemons/*.plist")',
    event:
      '{ "@timestamp" = "2026-01-31T12:00:00Z", event.category = ["file"], event.type = ["change"], event.action = "modification", file.path = "/Library/LaunchDaemons/com.example.plist", host.id = "mac-1", host.os.type = "macos" }',
    other:
      '{ "@timestamp" = "2026-01-31T12:00:00Z", event.category = ["file"], event.type = ["change"], event.action = "modification", file.path = "/tmp/com.example.plist", host.id = "mac-1", host.os.type = "macos" }',
  },
  process: {
    query:
      'process where host.os.type == "macos" and event.type == "start" and\n  process.name == "launchctl" and process.args : ("load", "bootstrap")',
    event:
      '{ "@timestamp" = "2026-01-31T12:00:00Z", event.category = ["process"], event.type = ["start"], event.action = "exec", process.name = "launchctl", process.args = ["launchctl", "load", "/tmp/x.plist"], host.id = "mac-1", host.os.type = "macos" }',
    other:
      '{ "@timestamp" = "2026-01-31T12:00:00Z", event.category = ["process"], event.type = ["start"], event.action = "exec", process.name = "launchctl", process.args = ["launchctl", "list"], host.id = "mac-1", host.os.type = "macos" }',
  },
} as const;

/** A rule file that compiles and whose tests pass, to be changed. */
function ruleText(name: string, kind: keyof typeof queries): string {
  const { query, event, other } = queries[kind];
  return `[metadata]
maturity = "production"

[rule]
rule_id = "${randomUUID()}"
name = ${JSON.stringify(name)}
description = """
What it looks for, and why that matters.
"""
type = "eql"
language = "eql"
severity = "medium"
risk_score = 47
author = []
license = ""
false_positives = ["Who does this on purpose."]
references = []
note = """
What to look at when it matches.
"""
query = '''
${query}
'''

[[rule.threat]]
framework = "MITRE ATT&CK"

[rule.threat.tactic]
id = "TA0003"
name = "Persistence"
reference = "https://attack.mitre.org/tactics/TA0003/"

[[rule.launchwarden.test]]
name = "what it is for"
matches = 1
events = [
  ${event},
]

[[rule.launchwarden.test]]
name = "what it leaves alone"
matches = 0
events = [
  ${other},
]
`;
}

export const rulesNew = defineCommand({
  description:
    'Writes a rule file to begin with: it compiles, and carries tests that pass. "rules fields" lists what a query can read.',
  arguments: [
    {
      name: 'FILE',
      summary: 'where it is to stand (.toml); nothing is written over',
      check: filePath('FILE'),
    },
  ],
  options: {
    name: value('--name TEXT', 'name of the rule; the name of the file when it is left out', (text) => text),
    about: value('--about KIND', 'file (default) or process', oneOf('--about', ['file', 'process'])),
    json: flag('--json', 'the file as one JSON document'),
  },
  examples: [
    { line: 'launchwarden rules new mine.toml --about process', says: 'then: rules test mine.toml' },
  ],
  async handler({ context, options, args: [written = ''] }) {
    const file = path.resolve(context.io.cwd, written);
    if (!file.endsWith('.toml'))
      throw new UserError('rules/cannot-write', `${file} does not end in .toml`, {
        hint: 'Rule files do: name it so.',
      });
    if (existsSync(file))
      throw new UserError('rules/cannot-write', `${file} is there already`, { hint: 'Name another file.' });
    const base = path.basename(file, '.toml').replaceAll(/[-_]+/g, ' ');
    const name = options.name ?? `${base.charAt(0).toUpperCase()}${base.slice(1)}`;
    try {
      writeFileSync(file, ruleText(name, options.about ?? 'file'), { flag: 'wx', mode: 0o644 });
    } catch (error) {
      throw new UserError('rules/cannot-write', `cannot write ${file}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    if (options.json) context.out.document('rule-file/1', { file, name });
    else context.out.line(`${safe(file)}  write the query, then: launchwarden rules test ${safe(written)}`);
    return ExitCode.ok;
  },
});
