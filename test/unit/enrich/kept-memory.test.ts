import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

// In a process of its own, whose heap nobody else uses: what is kept of many large lists must not keep the lists alive.
const script = `
import { systemClock } from './src/base/clock.ts';
import { RootMap } from './src/base/root.ts';
import { Enricher } from './src/enrich/enricher.ts';
const [count, form] = [Number(process.argv[1]), process.argv[2]];
const enricher = new Enricher({ root: new RootMap(), clock: systemClock, version: '1', agentId: 'a', hostId: 'h', boot: 'b', host: {}, users: { user() {}, group() {} } });
const pad = 'p'.repeat(700_000);
const label = (n) => 'com.example.with.a.long.label.' + n;
const forms = {
  xml: (n) => \`<plist><dict><key>Label</key><string>\${label(n)}</string><key>Program</key><string>/usr/local/bin/program.number.\${n}</string><key>ProgramArguments</key><array><string>/bin/sh -c something \${n}</string><string>-c</string><string>/tmp/.hidden/\${n}/run and so on</string></array><key>pad</key><string>\${pad}</string></dict></plist>\`,
  text: (n) => \`{ Label = "\${label(n)}"; Program = "/usr/local/bin/program.number.\${n}"; ProgramArguments = ("/bin/sh and more", "-c", "/tmp/.hidden/\${n}/run"); pad = "\${pad}"; }\`,
};
const kept = [];
const before = (gc(), process.memoryUsage().heapUsed);
for (let n = 0; n < count; n++) {
  const path = \`/Library/LaunchDaemons/\${n}.plist\`;
  const bytes = Buffer.from(forms[form](n));
  const doc = { event: { id: String(n), category: ['file'], action: 'modification' }, file: { path, type: 'file' } };
  kept.push(enricher.enrich({ event: { id: String(n), time: 1, nanos: 0, sequence: n, doc }, content: { bytes, size: bytes.length, truncated: false } }));
}
gc();
const labels = new Set(kept.map(([event]) => event.doc.launchwarden.plist.label)).size;
console.log(JSON.stringify({ labels, megabytes: (process.memoryUsage().heapUsed - before) / 1e6 }));
`;

test.each(['xml', 'text'])('what is kept of 200 lists of 0.7 MB is no part of their texts: %s', (form) => {
  const count = 200;
  const flags = ['--expose-gc', '--import', './test/helpers/typescript.mjs', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '--eval', script, String(count), form], {
    encoding: 'utf8',
  });
  const { labels, megabytes } = JSON.parse(output) as { labels: number; megabytes: number };
  expect(labels).toBe(count);
  // 140 MB and more when a text keeps its list; some MB of documents otherwise.
  expect(megabytes).toBeLessThan(20);
});

const tableScript = `
import { ProcessTable } from './src/enrich/process-table.ts';
const table = new ProcessTable(256);
const tell = (n) => table.complete({
  event: { category: ['process'], type: ['start'], action: 'exec' },
  process: { pid: n % 200, entity_id: String(n % 200), args: ['program', 'x'.repeat(100) + n] },
});
for (let n = 0; n < 1_000; n++) tell(n);
const before = (gc(), process.memoryUsage().heapUsed);
for (let n = 0; n < 100_000; n++) tell(n);
gc();
console.log(JSON.stringify({ size: table.size, megabytes: (process.memoryUsage().heapUsed - before) / 1e6 }));
`;

test('processes that are told again and again take no more memory than once', () => {
  const flags = ['--expose-gc', '--import', './test/helpers/typescript.mjs', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '--eval', tableScript], { encoding: 'utf8' });
  const { size, megabytes } = JSON.parse(output) as { size: number; megabytes: number };
  expect(size).toBe(200);
  // 35 MB when the table keeps what it has replaced.
  expect(megabytes).toBeLessThan(5);
});
