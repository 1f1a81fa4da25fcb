import path from 'node:path';
import { expect, test } from 'vitest';
import { type CatalogEntry, catalog } from '../../../src/cli/catalog.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { fakeSystem } from '../install/fake-system.js';
import { detection, fileEvent, storedAlerts } from './alert-fixture.js';
import { putExampleFiles } from './example-files.js';

/** Examples that are not run here, by how their line begins, with the reason. */
const skipped: Readonly<Record<string, string>> = {
  'launchwarden prove': 'asks the machine at hand, for minutes',
  'launchwarden run': 'runs until it is stopped: run.test.ts',
  'launchwarden install': 'writes below /Library: install.test.ts',
  'launchwarden upgrade': 'writes below /Library: install.test.ts',
  'launchwarden uninstall': 'writes below /Library: install.test.ts',
  'launchwarden respond kill': 'ends processes: its own tests',
  'launchwarden respond all': 'ends processes: its own tests',
  'launchwarden respond isolate': 'changes the firewall: its own tests',
  'launchwarden forward test': 'opens what is configured: forward.test.ts',
  'launchwarden config init': 'asks on a terminal, and keeps what is there',
  'launchwarden siem elastic-assets --install': 'needs Elasticsearch',
};

/** A folder with all that the examples name: alerts, rules, captures, a configuration, a tree that stands for a Mac. */
function surroundings() {
  const folder = tempFolder();
  const dataDir = storedAlerts([
    detection(),
    detection({ id: '77c0'.repeat(8), events: [fileEvent('f2')], candidates: [] }),
  ]);
  const event = JSON.stringify({
    '@timestamp': '2026-01-31T12:00:00Z',
    event: { category: ['file'] },
    file: { path: '/x.plist' },
  });
  putExampleFiles(folder, `${event}\n`);
  return { folder, dataDir, tree: path.join(folder, 'mac') };
}

interface CommandExamples {
  readonly name: string;
  readonly lines: readonly string[];
}

async function allExamples(entry: CatalogEntry, words: readonly string[]): Promise<CommandExamples[]> {
  const command = await entry.load?.();
  const own =
    command === undefined ? [] : [{ name: words.join(' '), lines: command.examples.map(({ line }) => line) }];
  const below = await Promise.all(
    (entry.commands ?? []).map((one) => allExamples(one, [...words, one.name])),
  );
  return [...own, ...below.flat()];
}

const all = await allExamples(catalog, []);

test.each(all)('the examples of $name run', { timeout: 60_000 }, async ({ name, lines }) => {
  for (const written of lines) {
    const line = written.replace(/^sudo /, '');
    if (Object.keys(skipped).some((one) => line.startsWith(one))) continue;
    const { folder, dataDir, tree } = surroundings();
    const places = line
      .replaceAll('/tmp/mac', tree)
      .replaceAll('/Volumes/Backup', tree)
      .replaceAll('/tmp/case', path.join(folder, 'case'));
    const words = (places.match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replace(/^"(.*)"$/, '$1'));
    // A rule is written where none is.
    const argv = words.map((word) =>
      line.startsWith('launchwarden rules new') && word === 'mine.toml' ? 'other.toml' : word,
    );
    const root = argv.includes('--root') ? [] : ['--root', tree];
    const run = await cli([...argv, ...root], {
      cwd: folder,
      user: 'tester',
      stdin: '',
      env: { LAUNCHWARDEN_CONFIG: path.join(folder, 'config.toml'), LAUNCHWARDEN_DATA_DIR: dataDir },
      system: fakeSystem({ uid: 501 }),
      signal: AbortSignal.abort(),
    });
    expect(run.code, `${line}\n${run.stderr}`).not.toBe(70);
    // What it names may be missing here; how it is written must be right.
    expect(run.stderr, line).not.toMatch(/\[cli\//);
    if (works.test(name)) expect(run.code, `${line}\n${run.stderr}`).toBeLessThan(2);
  }
});

/** Commands whose examples find here all that they name: none may end in an error of use. */
const works =
  /^(?:alerts (?!escalate|report|investigate)|config|coverage|version|rules|hunt|replay|exceptions (?:list|test|review)|forward status|outbox dead (?:list|export|purge)|inventory (?:list|mechanisms|export))/;

test('every reason to skip is about an example', () => {
  const lines = all.flatMap(({ lines: own }) => own).map((line) => line.replace(/^sudo /, ''));
  for (const begin of Object.keys(skipped))
    expect(
      lines.some((line) => line.startsWith(begin)),
      begin,
    ).toBe(true);
});
