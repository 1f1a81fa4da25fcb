import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const count = 40;

// In a process of its own, whose heap nobody else uses. Rules that look back hold every event of a launch item for minutes.
const script = `
import { launchItemFacts } from './src/mechanisms/launch-item-facts.ts';
const texts = (n, make) => Array.from({ length: 1_500 }, (_, at) => '<string>' + make(n, at) + '</string>').join('');
const same = () => 'y'.repeat(60);
const other = (n, at) => String(n).padStart(20, 'a') + String(at).padStart(40, 'b');
const list = (n, make) =>
  '<plist><dict><key>Label</key><string>com.example.agent.number.' + n + '</string><key>ProgramArguments</key><array>' +
  texts(n, make) + '</array><key>WatchPaths</key><array>' + texts(n, make) + '</array></dict></plist>';
const facts = (n, make) =>
  launchItemFacts(
    { path: '/Library/LaunchAgents/com.example.' + n + '.plist', type: 'file' },
    { bytes: Buffer.from(list(n, make)), size: 1, truncated: false },
  );
const kilobytes = (make) => {
  const kept = [];
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < ${count}; n++) kept.push(facts(n, make));
  // Rules and the store read the text, which puts it into one piece.
  const read = kept.filter((one) => /agent.number/.test(one?.plist?.json)).length;
  gc();
  const used = (process.memoryUsage().heapUsed - before) / 1000 / kept.length;
  return { used, json: kept[0].plist.json, read };
};
for (let n = 0; n < 10; n++) facts(n, other);
console.log(JSON.stringify({ same: kilobytes(same), other: kilobytes(other) }));
`;

interface Kept {
  readonly used: number;
  readonly json: string;
  readonly read: number;
}

test('what an event says of a large list takes little memory, whatever the list holds', () => {
  const flags = ['--expose-gc', '--import', './test/helpers/typescript.mjs', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8' });
  const { same, other } = JSON.parse(output) as { same: Kept; other: Kept };
  for (const { json, read } of [same, other]) {
    expect(read).toBe(count);
    // It was cut, and says so, in letters that leave one byte to each of the others.
    expect(json).toMatch(/^[\0-\x7f]+$/);
    expect(JSON.stringify(JSON.parse(json))).toContain('…');
  }
  // The text of the list is 17 kB. In two bytes a character, or with a copy of each repeated argument, it is 42; 60 for other ones.
  expect(same.used).toBeLessThan(34);
  expect(other.used).toBeLessThan(52);
});
