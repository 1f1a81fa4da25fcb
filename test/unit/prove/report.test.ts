import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judged, notAsked } from '../../../src/prove/question.js';
import { questions } from '../../../src/prove/questions/index.js';
import { redactor, reportText, summary } from '../../../src/prove/report.js';

describe('names', () => {
  const redact = redactor(
    ['alice', 'Bob.Smith', 'root', '_spotlight', 'a', ''],
    ['alices-mac.local', 'alices-mac'],
  );

  test.each([
    ['/Users/alice/x and /Users/carol/y', '/Users/<user>/x and /Users/<user>/y'],
    ['uid=501(ALICE) by bob.smith', 'uid=501(<user>) by <user>'],
    ['on Alices-Mac.local: x', 'on <host>: x'],
    ['malice and alice2 are others', 'malice and alice2 are others'],
    ['/Users/Shared/x of root, _spotlight', '/Users/Shared/x of root, _spotlight'],
    ['file:///Users/alice/Library', 'file:///Users/<user>/Library'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });
});

test('a report holds what was asked, and nothing that was found can pass for it', () => {
  const [first, second] = questions;
  if (first === undefined || second === undefined) throw new Error('no questions');
  const asked = { tookMs: 7, resumed: false, left: [] };
  const hostile = 'found\n## links: as expected\u001b[2J by alice';
  const text = reportText(
    { version: '1.2.3', system: 'macOS 26.1 (25B78) arm64', node: 'v20.20.2', simulated: false },
    [
      { ...asked, question: first, answer: judged(false, hostile, ['```', '/Users/alice']) },
      {
        ...asked,
        question: second,
        answer: notAsked('alice is at the screen'),
        left: ['remove /Users/alice/x'],
      },
    ],
    redactor(['alice'], []),
  );
  expect(text).toContain('- 0 as expected, 1 different, 1 could not be asked');
  expect(text).toContain(`## ${first.name}: different`);
  expect(text).toContain(`## ${second.name}: could not be asked`);
  expect(text).toContain('- could not be undone:\n\n        remove /Users/<user>/x');
  expect(text).not.toContain('alice');
  expect(text).not.toContain('\u001b');
  const headings = text.split('\n').filter((line) => line.startsWith('#'));
  expect(headings).toHaveLength(3);
  for (const line of text.split('\n')) if (line.includes('```')) expect(line).toMatch(/^ {8}/);
});

test('the summary says when nothing was proven', () => {
  const counts = { 'as-expected': 0, different: 0, 'not-asked': 3 };
  expect(summary(counts, false)).toContain('nothing was proven');
  expect(summary({ ...counts, 'as-expected': 1 }, false)).not.toContain('proven');
  expect(summary({ ...counts, 'as-expected': 1 }, true)).toContain('nothing was proven');
});

describe('README', () => {
  const readme = readFileSync('README.md', 'utf8');
  const section = /\n## What it cannot do\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
  const named = [...section.matchAll(/`prove: ([a-z,\s-]+)`/g)].flatMap(([, names = '']) =>
    names.split(/,\s+/),
  );

  test('names every question behind the claim that it settles', () => {
    expect([...new Set(named)].sort()).toEqual(questions.map(({ name }) => name).sort());
  });

  test('every claim that is unproven names one, or the command that settles it', () => {
    const claims = section.split(/\n- /).slice(1);
    const unproven = claims.filter((claim) => /unproven|unknown|never run on a mac/i.test(claim));
    expect(unproven.length).toBeGreaterThan(3);
    const settled =
      /`prove: |`(?:sudo )?(?:launchwarden )?(?:respond|forward test|alerts investigate|upgrade)\b/;
    expect(unproven.filter((claim) => !settled.test(claim))).toEqual([]);
  });
});

test('docs/prove.md has a line for every question', () => {
  const rows = [...readFileSync('docs/prove.md', 'utf8').matchAll(/^\| `([a-z-]+)` \|/gm)].map(
    ([, name]) => name,
  );
  expect([...rows].sort()).toEqual(questions.map(({ name }) => name).sort());
});
