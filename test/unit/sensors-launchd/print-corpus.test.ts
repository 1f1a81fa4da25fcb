import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDomain, readService } from '../../../src/sensors/launchd-state/read-print.js';

// Outputs of `launchctl print` in the shape of macOS 12 to 27, written after public reports: none was taken from a Mac.
interface Case {
  readonly file: string;
  readonly target: string;
  readonly status: number | null;
  readonly stderr?: string;
  readonly expected: unknown;
}

const folder = 'test/fixtures/launchd/print';
const cases = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Case[];
const answerOf = ({ file, status, stderr = '' }: Case) => ({
  status,
  stdout: readFileSync(path.join(folder, file), 'utf8'),
  stderr,
});

describe('outputs of launchctl print are read as they are meant', () => {
  test.each(cases.filter(({ file }) => file.startsWith('service')))('$file', (one) => {
    expect(readService(answerOf(one), one.target)).toEqual(one.expected);
  });

  test.each(cases.filter(({ file }) => file.startsWith('domain')))('$file', (one) => {
    const read = readDomain(answerOf(one));
    expect(read === undefined ? null : { ...read, labels: Object.fromEntries(read.labels) }).toEqual(
      one.expected,
    );
  });

  test('the corpus is whole', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
    const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
    expect(files.sort()).toEqual(cases.map(({ file }) => file).sort());
  });
});
