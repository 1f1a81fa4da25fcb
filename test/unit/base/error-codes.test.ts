import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** `stage/what-is-wrong`: scripts may test a code, so all of them have one form. */
const form = /^[a-z]+(?:-[a-z]+)*\/[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Codes of the system, of Node.js and of SQLite, which an error of ours may stand for. */
const systems = /^(?:E[A-Z0-9]+|ERR_[A-Z_]+|SQLITE_[A-Z_]+)$/;
/** Where a code is always written: an error that is made, the property, a finding of a check. */
const made =
  /(?:[{,\n]\s*code: |\bUserError\(\s*|\.(?:error|warn)\(\s*[\w.]*[sS]pan,\s*)(['`])((?:[^'`\\]|\\.)*)\1/g;
/** A text of one word with a dot or a slash that is handed to a helper: `refuse('hunt/unreadable', ...)`. */
const handed = /\b(?:refuse|fail|report|problemAt)\((?:\w+,\s*|\s*)(['`])([^'`\s]+[./][^'`\s]+)\1/g;
/** These name only the second half, behind `sensor/eslogger-` and the like. */
const halves = ['sensors/endpoint-security/results.ts', 'sensors/eslogger/process.ts'];

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !halves.includes(file))
  .map((file) => ({ file, text: readFileSync(path.join('src', file), 'utf8') }));

test('every error code is stage/what-is-wrong', () => {
  const found = sources.flatMap(({ file, text }) =>
    [...text.matchAll(made), ...text.matchAll(handed)].map((match) => ({ file, code: match[2] ?? '' })),
  );
  expect(new Set(found.map(({ code }) => code)).size).toBeGreaterThan(120);
  // What a template fills in is a word of the same kind.
  const ours = found.filter(({ code }) => !systems.test(code));
  expect(ours.filter(({ code }) => !form.test(code.replace(/\$\{[^}]*\}/g, 'x')))).toEqual([]);
});

test('no code of the rule languages has a dot', () => {
  const dotted = /(['`])(?:eql|kql|\$\{(?:this\.#)?language\})\.(?:[a-z-]+|\$\{\w+\})\1/;
  expect(sources.filter(({ text }) => dotted.test(text)).map(({ file }) => file)).toEqual([]);
});
