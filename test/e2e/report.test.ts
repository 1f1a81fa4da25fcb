import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Detection } from '../../src/event/alert.js';
import { cli, tempFolder } from '../helpers/run-cli.js';
import {
  detection,
  fileEvent,
  plistPath,
  processEvent,
  rule,
  storedAlerts,
} from '../unit/cli/alert-fixture.js';

/** A browser of this machine: Chromium, as Debian packages it. */
const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);
const skipped = browser === undefined ? ' (skipped: there is no Chromium)' : '';

const attack =
  '"><script>parent.attacked=true;document.title="attacked"</script><img src=x onerror="parent.attacked=true">';
const hostileName = `\u202eevil\u200b\n${attack}${'\u05d0'.repeat(40)}${'x'.repeat(10_000)}`;

function hostileAlert(): Detection {
  const file = fileEvent('f1', {
    path: `/Users/alice/Library/LaunchAgents/${hostileName}.plist`,
    owner: attack,
  });
  const json = JSON.stringify({
    Label: hostileName,
    ProgramArguments: ['/bin/sh', hostileName],
    [attack]: { [attack]: 1 },
  });
  file.doc.launchwarden = {
    ...file.doc.launchwarden,
    findings: ['remote-script', attack],
    plist: {
      label: hostileName,
      program_arguments: ['/bin/sh', '-c', hostileName],
      runs: [hostileName],
      json,
    },
  };
  const call = processEvent('p1', {
    name: attack,
    executable: `/private/tmp/${hostileName}`,
    args: ['launchctl', 'load', hostileName],
    command_line: `launchctl load ${hostileName}`,
    parent: { pid: 7, entity_id: 'e7', executable: attack, args: [hostileName] },
  });
  const note = `## ${attack}\n- \`launchctl bootout DOMAIN/LABEL\` ${attack}\n\n${hostileName}\n\`\`\`\n${attack}\n\`\`\``;
  return detection({
    rule: { ...rule, name: attack, description: hostileName, note, falsePositives: [attack] },
    events: [file, call],
    candidates: [],
  });
}

interface Seen {
  readonly width: number;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly scripts: number;
  readonly images: number;
  readonly handlers: number;
  readonly title: string;
  readonly text: string;
  readonly background: string;
  readonly headings: readonly string[];
  /** Of the two drawings of the timeline those that are shown. */
  readonly drawings: number;
  /** Elements that stand out to the right. */
  readonly beyond: readonly string[];
}

/** A page with the width of the frame that it is opened in. */
type Frame = readonly [page: string, width: number];

/** Opens pages of one folder in frames, and tells what a reader of each would see. */
function seenBy(
  opened: readonly Frame[],
  flags: readonly string[] = [],
): { readonly attacked: boolean; readonly frames: readonly Seen[] } {
  const folder = path.dirname(opened[0]?.[0] ?? '');
  const harness = path.join(folder, 'harness.html');
  const frames = opened.map(
    ([page, width]) => `<iframe src="${path.basename(page)}" width="${width}" height="900"></iframe>`,
  );
  writeFileSync(
    harness,
    `<!DOCTYPE html><meta charset="utf-8"><body>${frames.join('')}
<script>function beyondOf(inside, width) {
  const found = new Set();
  const walker = inside.createTreeWalker(inside.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = inside.createRange();
    range.selectNodeContents(walker.currentNode);
    const within = walker.currentNode.parentElement;
    if (within.closest('svg') === null && [...range.getClientRects()].some(({ right }) => right > width + 1))
      found.add(within.tagName + '.' + within.className + ' in ' + within.parentElement.tagName + '.' + within.parentElement.className);
  }
  return [...found].slice(0, 8);
}
addEventListener('load', () => {
  const frames = [...document.querySelectorAll('iframe')].map((frame) => {
    const inside = frame.contentDocument, root = inside.documentElement;
    return { width: frame.width * 1, scrollWidth: root.scrollWidth, clientWidth: root.clientWidth,
      scripts: inside.scripts.length, images: inside.images.length,
      handlers: [...inside.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on') || name === 'style' || name === 'href' || name === 'src')).length,
      title: inside.title, text: root.innerText,
      background: frame.contentWindow.getComputedStyle(root).backgroundColor,
      headings: [...inside.querySelectorAll('h2')].map((one) => one.textContent),
      beyond: beyondOf(inside, root.clientWidth),
      drawings: [...inside.querySelectorAll('svg.line')].filter((one) => one.getBoundingClientRect().height > 0).length };
  });
  const out = document.createElement('pre');
  out.id = 'out';
  out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify({ attacked: window.attacked === true, frames }))));
  document.body.replaceChildren(out);
});</script>`,
  );
  const dom = execFileSync(
    browser ?? '',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--allow-file-access-from-files',
      '--virtual-time-budget=10000',
      `--user-data-dir=${path.join(folder, 'profile')}`,
      ...flags,
      '--dump-dom',
      `file://${harness}`,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
  );
  const [, text = ''] = /<pre id="out">([^<]*)<\/pre>/.exec(dom) ?? [];
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as never;
}

async function reportOf(found: Detection, folder = tempFolder()): Promise<string> {
  mkdirSync(path.join(folder, 'root'), { recursive: true });
  const file = path.join(folder, 'report.html');
  const dataDir = storedAlerts([found]);
  const { code, stderr } = await cli(
    [
      ...['alerts', 'report', '3f9a01aa', '--html', file, '--data-dir', dataDir],
      ...['--root', path.join(folder, 'root')],
    ],
    { cwd: folder },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return file;
}

const fileName = '"><img src=x onerror=parent.attacked=true>\u202e';

/** A page about a tree with hostile names. */
async function hostReport(folder: string): Promise<string> {
  for (const place of ['Library/LaunchAgents', 'Library/LaunchDaemons']) {
    mkdirSync(path.join(folder, 'root', place), { recursive: true });
    writeFileSync(
      path.join(folder, 'root', place, `${fileName}.plist`),
      `<plist><dict><key>Label</key><string>com.apple.${'x'.repeat(500)}</string><key>Program</key><string>/private/tmp/&lt;b&gt;</string></dict></plist>`,
    );
  }
  const file = path.join(folder, 'mac.html');
  const argv = ['report', '--host', '--data-dir', storedAlerts([hostileAlert()])];
  const made = await cli([...argv, '--root', path.join(folder, 'root'), '--html', file]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  return file;
}

describe(`reports in a browser${skipped}`, () => {
  test.skipIf(browser === undefined)(
    'hostile text is text, and everything fits, wide and narrow, light and dark',
    async () => {
      const folder = tempFolder();
      const mac = await hostReport(folder);
      const file = await reportOf(hostileAlert(), folder);
      expect(readFileSync(file, 'utf8')).not.toMatch(/[\u202e\u200b]/);
      expect(statSync(file).size).toBeLessThan(500 * 1024);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const light = seenBy([
        [file, 1_200],
        [file, 700],
        [file, 340],
        [mac, 1_200],
        [mac, 340],
      ]);
      expect(light.attacked).toBe(false);
      expect(light.frames.map(({ width }) => width)).toEqual([1_200, 700, 340, 1_200, 340]);
      for (const { beyond, scrollWidth, clientWidth, scripts, images, handlers } of light.frames) {
        expect(beyond).toEqual([]);
        expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
        expect({ scripts, images, handlers }).toEqual({ scripts: 0, images: 0, handlers: 0 });
      }
      for (const { title, text, headings, drawings } of light.frames.slice(0, 3)) {
        expect(title).toContain('<script>');
        expect(text).toContain('<script>parent.attacked=true');
        expect(text).toContain('\\u{202e}evil\\u{200b}\\n');
        const sections = [
          'In short',
          'Timeline',
          'Processes',
          'What it does',
          'Questions and answers',
          'Guide',
        ];
        expect(headings).toEqual(expect.arrayContaining(sections));
        expect(drawings).toBe(1);
      }
      for (const { text, headings } of light.frames.slice(3)) {
        expect(text).toContain('<img src=x onerror=parent.attacked=true>\\u{202e}');
        const sections = ['Open alerts', 'Launch agent: 1', 'Launch daemon: 1', 'What is watched'];
        expect(headings).toEqual(expect.arrayContaining(sections));
      }
      const dark = seenBy([[file, 1_200]], ['--blink-settings=preferredColorScheme=0']);
      expect(dark.frames[0]?.background).not.toBe(light.frames[0]?.background);
    },
    300_000,
  );

  test.skipIf(browser === undefined)(
    'a report can be printed',
    async () => {
      const file = await reportOf(detection());
      const pdf = path.join(path.dirname(file), 'report.pdf');
      const profile = `--user-data-dir=${path.join(path.dirname(file), 'print')}`;
      execFileSync(
        browser ?? '',
        ['--headless', '--no-sandbox', '--disable-gpu', profile, `--print-to-pdf=${pdf}`, `file://${file}`],
        { stdio: 'ignore', timeout: 120_000 },
      );
      expect(readFileSync(pdf).subarray(0, 5).toString('latin1')).toBe('%PDF-');
    },
    180_000,
  );
});

test('about this Mac: the figures on the terminal, and nothing without --host', async () => {
  const folder = tempFolder();
  await hostReport(folder);
  const argv = ['report', '--host', '--data-dir', storedAlerts([hostileAlert()])];
  const { code, stdout } = await cli([...argv, '--root', path.join(folder, 'root')]);
  expect(code).toBe(0);
  expect(stdout).toContain('2 items (0 of macOS itself left out), 2 odd or with an alert, 1 open alert.');
  expect(await cli(['report', '--data-dir', folder])).toMatchObject({ code: 2 });
});

test('the page is one file with a strict policy, and an existing one is not overwritten', async () => {
  const file = await reportOf(detection());
  const source = readFileSync(file, 'utf8');
  expect(source).toMatch(
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'">/,
  );
  expect(source).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|a)\b|\sstyle=|url\(/i);
  expect(source).toContain(plistPath);
  const again = await cli(['alerts', 'report', '3f9a01aa', '--html', file, '--data-dir', storedAlerts()]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('[report/file]') });
  expect(readFileSync(file, 'utf8')).toBe(source);
  const forced = await cli([
    'alerts',
    'report',
    '3f9a01aa',
    '--html',
    file,
    '--force',
    '--data-dir',
    storedAlerts(),
  ]);
  expect(forced.code).toBe(0);
}, 60_000);

test('without --html the same stands on the terminal, and the answers are kept', async () => {
  const dataDir = storedAlerts();
  const { code, stdout } = await cli(['alerts', 'report', '3f9a01aa', '--data-dir', dataDir]);
  expect(code).toBe(0);
  expect(stdout).toContain('Whom does it concern');
  expect(stdout).toContain('Investigation guide');
  const stored = await cli([
    'alerts',
    'investigate',
    '3f9a01aa',
    '--stored',
    '--json',
    '--data-dir',
    dataDir,
  ]);
  expect(JSON.parse(stored.stdout)).toMatchObject({
    schema: 'launchwarden.investigation/1',
    author: 'tester',
    answers: expect.arrayContaining([expect.objectContaining({ step: 'scope' })]),
  });
}, 60_000);
