import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Tree } from './tree.js';

const count = 100;

// In a process of its own, whose heap nobody else uses.
const script = `
import { RootMap } from './src/base/root.ts';
import { InventoryScan } from './src/inventory/index.ts';
import { mechanisms } from './src/mechanisms/index.ts';
const read = () => [...new InventoryScan({ root: new RootMap(process.argv[1]), mechanisms, homes: [] }).all()].flatMap((item) => item?.entries ?? []);
const before = (gc(), process.memoryUsage().heapUsed);
const kept = read();
gc();
console.log(JSON.stringify({ entries: kept.length, megabytes: (process.memoryUsage().heapUsed - before) / 1e6 }));
`;

test('what the inventory keeps of large lists is no part of their texts', () => {
  const tree = new Tree();
  const pad = 'p'.repeat(700_000);
  for (let n = 0; n < count; n++)
    tree.write(
      `/Library/LaunchDaemons/com.example.daemon.number.${n}.plist`,
      `<plist><dict><key>Label</key><string>com.example.daemon.number.${n}</string><key>ProgramArguments</key><array>
<string>/usr/local/bin/program.number.${n}</string><string>--with-an-argument-of-${n}</string></array>
<key>UserName</key><string>a-user-with-a-long-name-${n}</string><key>pad</key><string>${pad}</string></dict></plist>`,
    );
  const flags = ['--expose-gc', '--import', './test/helpers/typescript.mjs', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '--eval', script, tree.folder], {
    encoding: 'utf8',
  });
  const { entries, megabytes } = JSON.parse(output) as { entries: number; megabytes: number };
  expect(entries).toBe(count);
  // 70 MB and more when a text keeps its list.
  expect(megabytes).toBeLessThan(15);
});
