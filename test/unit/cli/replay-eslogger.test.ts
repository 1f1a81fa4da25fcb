import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { execLine, file, line, processObject, type Token, token } from '../../helpers/eslogger-lines.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { launchAgentPlist } from '../../simulation/mac.js';

// Shapes: eslogger's key names and the C structs; "close" lines are unproven, as no public recording of one is known.
const plist = '/Users/alice/Library/LaunchAgents/com.example.plist';
const shell: Token = { pid: 600, pidversion: 60 };
const at = (second: number) =>
  `2025-08-07T15:${String(13 + Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}.000000000Z`;

const write = (second: number) =>
  line(
    'close',
    { modified: true, target: file(plist, '70', { st_ctimespec: at(second) }), was_mapped_writable: false },
    { time: at(second), process: processObject(shell, '/bin/zsh') },
  );

const load = (second: number, verb = 'load') =>
  execLine(['launchctl', verb, plist], {
    time: at(second),
    target: processObject({ pid: 601, pidversion: 601 }, '/bin/launchctl', {
      parent_audit_token: token(shell),
    }),
  });

async function replay(...lines: readonly string[]) {
  return replayWith([], ...lines);
}

async function replayWith(more: readonly string[], ...lines: readonly string[]) {
  const folder = tempFolder();
  const input = path.join(folder, 'recording.jsonl');
  const config = path.join(folder, 'config.toml');
  writeFileSync(input, lines.join('\n'));
  writeFileSync(config, '');
  return cli(['replay', '--config', config, '--format', 'eslogger', '--input', input, '--json', ...more]);
}

interface Alert {
  readonly rule_name: string;
  readonly severity: string;
  readonly doc: { readonly Events: { readonly process?: { readonly name?: string } }[] };
}

/** Those of the first source rule: other built-in rules have more to say. */
const ofSourceRule = (stdout: string) =>
  (documents(stdout) as unknown as Alert[]).filter(
    ({ rule_name }) => rule_name === 'Launch agent written and loaded within a minute',
  );

test('a recording of eslogger goes through the same rules, and the writer is known', async () => {
  const { code, stdout } = await replay(write(0), load(10));
  expect(code).toBe(0);
  const [alert, ...more] = ofSourceRule(stdout);
  expect(more).toEqual([]);
  expect(alert?.severity).toBe('low');
  expect(alert?.doc.Events.map((event) => event.process?.name)).toEqual(['zsh', 'launchctl']);
});

test.each([
  ['a load after the minute', [write(0), load(61)]],
  ['another verb', [write(0), load(10, 'list')]],
  ['a load before the write', [load(0), write(10)]],
])('%s gives none of the source rule', async (_name, lines) => {
  const { code, stdout } = await replay(...lines);
  expect(code).toBe(0);
  expect(ofSourceRule(stdout)).toEqual([]);
});

test('the same recording gives the same bytes, and lines without an event are counted', async () => {
  const lines = [write(0), 'junk', '{"event":{}}', load(10)];
  const [one, two] = [await replay(...lines), await replay(...lines)];
  expect(one.stdout).toBe(two.stdout);
  expect(one.stdout).not.toBe('');
  expect(one.stderr).toBe('launchwarden: 2 lines held no event\n');
});

test('an unknown format is refused with the known ones', async () => {
  const { code, stderr } = await cli(['replay', '--input', 'x', '--format', 'esloger']);
  expect(code).toBe(2);
  expect(stderr).toContain('eslogger');
});

test("Elastic's present form of the rule, writer is launchctl's parent, fires with the property lists at hand", async () => {
  const root = tempFolder();
  mkdirSync(path.join(root, path.dirname(plist)), { recursive: true });
  writeFileSync(path.join(root, plist), launchAgentPlist('com.example'));
  const rule = path.join(tempFolder(), 'rule.toml');
  const query = `sequence with maxspan=30s
  [file where event.action == "launch_daemon"] by process.entity_id
  [process where event.type == "start" and process.name == "launchctl" and process.args : "load"] by process.parent.entity_id`;
  writeFileSync(
    rule,
    `[rule]\nrule_id = "r"\nname = "r"\ndescription = "r"\nauthor = ["t"]\nlicense = "x"\ntype = "eql"\nlanguage = "eql"\nseverity = "low"\nrisk_score = 21\nquery = '''\n${query}\n'''\n`,
  );
  const found = async (...lines: string[]) =>
    documents((await replayWith(['--rules', rule, '--root', root], ...lines)).stdout).length;
  expect(await found(write(0), load(10))).toBe(1);
  expect(await found(write(0), load(31))).toBe(0);
});
