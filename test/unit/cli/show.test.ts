import { describe, expect, test } from 'vitest';
import type { CliIo } from '../../../src/cli/io.js';
import { paged, pagerOf } from '../../../src/cli/output/pager.js';
import type { Detection } from '../../../src/event/alert.js';
import { foreignLetters } from '../../../src/mechanisms/look-alike.js';
import { cli, documents } from '../../helpers/run-cli.js';
import { detection, fileEvent, plistPath, processEvent, rule, storedAlerts } from './alert-fixture.js';

const plain = { columns: 80, env: { NO_COLOR: '1' } };
const long = `${'x'.repeat(300)}\n\u202e  Next      rm -rf / ${'y'.repeat(10_000)}`;

/** Rows of a terminal of 80 cells that the first screen takes. */
function firstScreen(stdout: string): { readonly rows: number; readonly text: string } {
  const text = stdout.slice(0, stdout.indexOf('\n\n'));
  const rows = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil([...line].length / 80)), 0);
  return { rows, text };
}

const hostile = (): Detection => {
  const file = fileEvent('f1', { path: `/Users/alice/Library/LaunchAgents/${long}.plist`, owner: long });
  const words = [
    'remote-script',
    'apple-label',
    'dyld-environment',
    'network-download',
    'hidden-name',
    'symlink',
    'fifo',
  ];
  file.doc.launchwarden = {
    ...file.doc.launchwarden,
    findings: words,
    plist: { label: long, program_arguments: [long, long], json: JSON.stringify({ Label: long, X: [long] }) },
  };
  return detection({
    rule: { ...rule, name: long },
    events: [
      file,
      processEvent('p1', { name: long, args: [long], command_line: long, parent: { executable: long } }),
    ],
    candidates: [],
  });
};

describe('the first screen of alerts show', () => {
  test.each([
    ['an ordinary alert', () => detection()],
    ['an alert of hostile texts', hostile],
    ['an alert without a file', () => detection({ events: [processEvent()], candidates: [] })],
    ['a summary', () => detection({ kind: 'summary', events: [], candidates: [], suppressed: 9 })],
  ])('%s fits into 80x24, and answers every question', async (_, make) => {
    const { code, stdout } = await cli(
      ['alerts', 'show', '3f9a', '--data-dir', storedAlerts([make()])],
      plain,
    );
    expect(code).toBe(0);
    const { rows, text } = firstScreen(stdout);
    expect(rows).toBeLessThanOrEqual(23);
    const labels = text.split('\n').map((line) => line.slice(0, 9).trimEnd());
    for (const label of ['What', 'When', 'Who', 'Now', 'How bad', 'State', 'Next'])
      expect(labels).toContain(label);
    expect(labels.filter((label) => label === 'Next')).toHaveLength(1);
    expect(stdout).not.toMatch(/[\u202e\u0007]/);
    expect(text).toMatch(/^Next {6}launchwarden alerts investigate 3f9a01aa3f9a /m);
  });

  test('says of an alert that was closed and opened again that it was, and by whom', async () => {
    const dataDir = storedAlerts([detection()]);
    const at = ['3f9a01aa', '--data-dir', dataDir];
    expect((await cli(['alerts', 'close', ...at, '--reason', 'benign'], plain)).code).toBe(0);
    expect((await cli(['alerts', 'reopen', ...at], plain)).code).toBe(0);
    const { text } = firstScreen((await cli(['alerts', 'show', ...at], plain)).stdout);
    expect(text).toMatch(/^State {5}opened again by /m);
  });

  test('says created of what is new, and changed of what was there', async () => {
    const shown = async (created: string) => {
      const file = fileEvent('f1', { created, ctime: '2026-11-22T05:40:13.281123Z' });
      const dataDir = storedAlerts([detection({ events: [file, processEvent()], candidates: [] })]);
      return firstScreen((await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir], plain)).stdout).text;
    };
    expect(await shown('2026-11-22T05:40:13.281000Z')).toContain('A launch agent was created');
    expect(await shown('2025-01-01T00:00:00.000000Z')).toContain('A launch agent was changed');
  });

  test('letters that look like others are marked', async () => {
    const file = fileEvent();
    file.doc.launchwarden = { ...file.doc.launchwarden, plist: { label: 'com.аpple.x' } };
    const dataDir = storedAlerts([detection({ events: [file, processEvent()], candidates: [] })]);
    const { stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir], plain);
    expect(firstScreen(stdout).text).toContain('Look-alike letters: а (U+0430) for a');
    expect(foreignLetters('/Users/χρήστης/Библиотека/com.müller.plist')).toEqual([]);
    expect(foreignLetters('ａpple аррӏе').map(({ like }) => like)).toEqual(['a', 'a', 'p', 'l', 'e']);
  });
});

test('the guide has the id, the label, the path and the domain that are known', async () => {
  const note =
    'Run `launchwarden alerts ack ID`, `codesign -dv PATH`, `launchctl bootout DOMAIN/LABEL`, `ls FILE`. ID stays.';
  const path = "/Users/alice/Library/LaunchAgents/it's $(x).plist";
  const file = fileEvent('f1', { path });
  const dataDir = storedAlerts([
    detection({ rule: { ...rule, note }, events: [file, processEvent()], candidates: [] }),
  ]);
  const { stdout } = await cli(['alerts', 'show', '3f9a', '--guide', '--data-dir', dataDir]);
  const text = stdout.replace(/\s+/g, ' ');
  expect(text).toContain('`launchwarden alerts ack 3f9a01aa3f9a`');
  expect(text).toContain('`codesign -dv /bin/sh`');
  expect(text).toContain('bootout gui/501/com.evil.agent`');
  expect(text).toContain("`ls '/Users/alice/Library/LaunchAgents/it'\\''s $(x).plist'`");
  expect(text).toContain('ID stays.');
  const none = await cli([
    'alerts',
    'show',
    '3f9a',
    '--guide',
    '--data-dir',
    storedAlerts([detection({ rule: { ...rule, note: '' } })]),
  ]);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('[alerts/no-guide]') });
});

test('--json takes names of fields, wherever the id stands', async () => {
  const dataDir = storedAlerts();
  const shown = async (...argv: string[]) =>
    documents((await cli(['alerts', 'show', ...argv, '--data-dir', dataDir])).stdout)[0];
  expect(await shown('3f9a', '--json', 'status,doc.file.path,doc.none,doc.file.size')).toEqual({
    schema: 'launchwarden.alert/1',
    status: 'open',
    doc: { file: { path: plistPath, size: 512 }, none: null },
  });
  expect(await shown('--json', '3f9a')).toMatchObject({ status: 'open', investigation: null });
  const wrong = await cli(['alerts', 'show', '3f9a', '--json', 'a b', '--data-dir', dataDir]);
  expect(wrong).toMatchObject({ code: 2 });
  expect(await cli(['alerts', 'show', '--data-dir', dataDir])).toMatchObject({ code: 2 });
});

test('every key of the property list is shown, each on one line', async () => {
  const file = fileEvent();
  const json = JSON.stringify({
    Label: 'x',
    ProgramArguments: ['/bin/sh', '-c', `curl ${'a'.repeat(100)}`],
    Odd: { deep: [1] },
  });
  file.doc.launchwarden = { ...file.doc.launchwarden, plist: { label: 'x', json } };
  const dataDir = storedAlerts([detection({ events: [file, processEvent()], candidates: [] })]);
  const { stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir], plain);
  expect(stdout).toMatch(/^ {2}Odd +\{"deep":\[1\]\}$/m);
  expect(stdout).toMatch(/^ {2}ProgramArguments +\["\/bin\/sh","-c","curl a{100}"\]$/m);
});

describe('the pager', () => {
  const io = (env: Record<string, string>, isTTY = true) => {
    const pages: { readonly pager: readonly string[]; readonly text: string }[] = [];
    let written = '';
    const made = {
      env,
      stdout: { write: (text: string) => (written += text), isTTY, columns: 80, rows: 5 },
      page: async (pager: readonly string[], text: string) => {
        pages.push({ pager, text });
        return pager[0] !== 'missing';
      },
    } as unknown as CliIo;
    return { made, pages, written: () => written };
  };
  const print = (lines: number) => (out: { line(text: string): void }) => {
    for (let line = 0; line < lines; line++) out.line('x');
  };

  test('is an argument vector, and none without a terminal', () => {
    expect(pagerOf(io({ PAGER: 'less -R;rm $(x)' }).made)).toEqual(['less', '-R;rm', '$(x)']);
    expect(pagerOf(io({}).made)).toEqual(['less']);
    for (const env of [{ PAGER: '' }, { PAGER: 'cat' }, { TERM: 'dumb' }])
      expect(pagerOf(io(env).made)).toBeUndefined();
    expect(pagerOf(io({}, false).made)).toBeUndefined();
  });

  test('shows what is longer than the screen, and nothing is lost when it cannot be started', async () => {
    const short = io({});
    await paged(short.made, print(3));
    expect([short.pages, short.written()]).toEqual([[], 'x\nx\nx\n']);
    const much = io({});
    await paged(much.made, print(9));
    expect([much.pages, much.written()]).toEqual([[{ pager: ['less'], text: 'x\n'.repeat(9) }], '']);
    const missing = io({ PAGER: 'missing' });
    await paged(missing.made, print(9));
    expect(missing.written()).toBe('x\n'.repeat(9));
  });
});
