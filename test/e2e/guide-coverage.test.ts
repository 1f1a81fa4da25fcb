import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noAddon } from '../helpers/respond-place.js';
import { cli } from '../helpers/run-cli.js';
import { standInLaunchctlProgram } from '../helpers/stand-in-launchctl.js';
import {
  AgentProcess,
  alertsAbout,
  launchAgentPlist,
  listAlerts,
  repository,
  SimulatedMac,
  waitFor,
} from '../simulation/mac.js';

const run = promisify(execFile);
const page = readFileSync(path.join(repository, 'docs', 'guide-coverage.md'), 'utf8');

interface Row {
  readonly section: string;
  readonly id: string;
  readonly commands: readonly string[];
}

function rowsOf(text: string): Row[] {
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const [section = ''] = part.split('\n');
      return [...part.matchAll(/^\| ([AD]\d[a-c]?) \|.*$/gm)].map(([line, id = '']) => ({
        section,
        id,
        commands: [...line.matchAll(/`launchwarden ([^`]+)`/g)].map(([, command = '']) => command),
      }));
    });
}

const rows = rowsOf(page);

/** Sentences of each step in the guides of the two source rules: of A and of D. */
const sentences: Readonly<Record<string, readonly [readonly number[], readonly number[]]>> = {
  'Possible investigation steps': [
    [2, 2, 1, 1, 1],
    [1, 1, 1, 1, 1, 1],
  ],
  'False positive analysis': [
    [2, 2, 2, 2, 2],
    [2, 2, 2, 2],
  ],
  'Response and remediation': [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 2, 1, 2, 1, 1, 1],
  ],
};

test('every sentence of both guides has a row, and every row a command', () => {
  const wanted = Object.entries(sentences).flatMap(([section, guides]) =>
    guides.flatMap((steps, guide) =>
      steps.flatMap((count, step) =>
        Array.from({ length: count }, (_, index) => {
          const letter = count === 1 ? '' : 'abc'[index];
          return `${section} ${guide === 0 ? 'A' : 'D'}${step + 1}${letter}`;
        }),
      ),
    ),
  );
  expect(rows.map(({ section, id }) => `${section} ${id}`)).toEqual(wanted);
  expect(rows.filter(({ commands }) => commands.length === 0)).toEqual([]);
});

/** What the words of a command stand for, by the rule that the row is about. */
type Names = Readonly<Record<string, string>>;

const agentPath = '/Users/alice/Library/LaunchAgents/com.example.attacker.plist';
const bundle = '/Library/DirectoryServices/PlugIns/Attacker.dsplug';

describe('on a tree that was attacked', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  let names: Readonly<Record<'A' | 'D', Names>>;

  beforeAll(async () => {
    mac = new SimulatedMac();
    mac.write(agentPath, launchAgentPlist('com.example.attacker', ['/usr/bin/true']));
    mac.write(
      '/private/tmp/payload.plist',
      launchAgentPlist('com.example.attacker', ['/bin/sh', '-c', 'true']),
    );
    mac.write('/private/tmp/x.dsplug/Contents/Info.plist', launchAgentPlist('plugin'));
    const config = [
      `[exceptions]\nfolder = ${JSON.stringify(path.join(mac.base, 'exceptions'))}`,
      '[respond.isolation]\nenabled = true',
      `[[destination]]\nname = "siem"\ntype = "file"\npath = ${JSON.stringify(path.join(mac.base, 'siem', 'alerts.ndjson'))}`,
    ];
    mkdirSync(path.join(mac.base, 'siem'));
    agent = await AgentProcess.start({ mac, config: `${config.join('\n')}\n` });
    // What was there before the attack is what is restored.
    await waitFor('the first version of the agent to be kept', async () => {
      const listed = await cli(['evidence', 'list', agentPath, '--json', '--data-dir', mac.dataDir]);
      return listed.code === 0 && listed.stdout !== '' ? true : undefined;
    });
    const script = '/bin/cp "$1" "$2" && "$3" load "$2"; exit 0';
    await run('/bin/sh', [
      '-c',
      script,
      'sh',
      mac.host('/private/tmp/payload.plist'),
      mac.host(agentPath),
      mac.launchctl,
    ]);
    mkdirSync(path.dirname(mac.host(bundle)), { recursive: true });
    cpSync(mac.host('/private/tmp/x.dsplug'), mac.host(bundle), { recursive: true });
    await agent.settled();
    // A bundle is kept once nothing in it changed for a while; a baseline of before that knows of no version of it.
    await waitFor('the bundle to be kept whole', async () => {
      const listed = await cli(['evidence', 'list', bundle, '--json', '--data-dir', mac.dataDir]);
      return (
        /"kind":"bundle"[^\n]*"kept":"whole"|"kept":"whole"[^\n]*"kind":"bundle"/.test(listed.stdout) ||
        undefined
      );
    });
    const alertOf = (file: string) =>
      waitFor(`an alert about ${file}`, () => alertsAbout(listAlerts(mac), file)[0]?.id);
    // From here on launchd and pf are asked as on a Mac.
    standInLaunchctlProgram(mac.launchctl);
    const service = { file: '/System/Library/LaunchDaemons/com.apple.opendirectoryd.plist', pid: 0 };
    writeFileSync(`${mac.launchctl}.state`, JSON.stringify({ 'com.apple.opendirectoryd': service }));
    const pfctl = mac.write(
      '/sbin/pfctl',
      `#!${process.execPath}\nprocess.stdout.write('anchor "com.apple/*" all\\n');\n`,
    );
    chmodSync(pfctl, 0o755);
    names = {
      A: { ID: await alertOf(agentPath), PATH: agentPath },
      D: { ID: await alertOf(bundle), BUNDLE: bundle, PATH: bundle },
    };
  }, 180_000);

  afterAll(async () => {
    await agent?.stop();
    mac?.remove();
  });

  /** Each command once, with the rule that asks for it first. */
  const commands = new Map(
    rows.flatMap(({ id, commands: all }) => all.map((command) => [command, id[0]] as const)).reverse(),
  );
  const skip = (command: string) => command.startsWith('respond ') && noAddon !== undefined;

  test('each command works', async () => {
    let archive = 0;
    const failed: unknown[] = [];
    for (const [line, rule] of [...commands].reverse()) {
      if (skip(line)) continue;
      const known = names[rule as 'A' | 'D'];
      const argv = splitWords(line).map((word) => known[word] ?? word);
      if (argv[0] === 'collect') argv.push('--output', path.join(mac.base, `${archive++}.tar.gz`));
      if (argv[0] === 'baseline' && argv[1] === 'save') argv.push('--replace');
      if (argv[1] === 'kill') argv.push('--root-scope', String(process.pid));
      const files = [
        '--config',
        path.join(mac.base, 'config.toml'),
        '--data-dir',
        mac.dataDir,
        '--root',
        mac.root,
      ];
      const { code, stdout, stderr } = await cli([...argv, ...files], { cwd: mac.base });
      const compares = argv[0] === 'scan' || (argv[0] === 'baseline' && argv[1] === 'diff');
      if (code !== 0 && !(compares && code === 1))
        failed.push({ line, code, stderr, stdout: stdout.slice(-500) });
    }
    expect(failed).toEqual([]);
    expect(commands.size).toBeGreaterThan(30);
  }, 300_000);
});

/** Words of a command line, with double quotes around what holds blanks. */
function splitWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}
