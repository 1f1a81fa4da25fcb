// `replay` and `hunt` as whole processes, each beside the least that Node.js itself needs for the same input.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { program } from '../simulation/mac.js';
import { documents } from './documents.js';
import { median, type Row } from './row.js';

const events = 60_000;
const runs = 5;

/** Reads a file in blocks, splits it into lines and parses each: nothing that judges every event can do less. */
const bareParse = `
const fs = require('node:fs');
const file = fs.openSync(process.argv[1]);
const block = Buffer.allocUnsafe(1 << 20);
const decoder = new (require('node:string_decoder').StringDecoder)();
let held = '', count = 0;
for (let size; (size = fs.readSync(file, block)) > 0; ) {
  const lines = (held + decoder.write(block.subarray(0, size))).split('\\n');
  held = lines.pop();
  for (const line of lines) { JSON.parse(line); count++; }
}
`;

function seconds(argv: readonly string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'], maxBuffer: 1 << 30 });
  return (performance.now() - start) / 1000;
}

/** The two in turn, so that a machine that slows down slows both. */
function paired(ours: () => number, other: () => number): { ours: number; other: number; ratio: number } {
  const pairs = Array.from({ length: runs }, () => ({ ours: ours(), other: other() }));
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    other: median(pairs.map((pair) => pair.other)),
    ratio: median(pairs.map((pair) => pair.other / pair.ours)),
  };
}

export async function rows(): Promise<Row[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-replay-'));
  try {
    const capture = path.join(folder, 'capture.ndjson');
    const file = openSync(capture, 'w');
    for (const document of documents(events)) writeSync(file, `${JSON.stringify(document)}\n`);
    const config = path.join(folder, 'config.toml');
    writeFileSync(config, '');
    const replay = [program, 'replay', '--config', config, '--input', capture, '--json'];
    const whole = paired(
      () => seconds(replay),
      () => seconds(['-e', bareParse, capture]),
    );

    const small = path.join(folder, 'small.ndjson');
    writeFileSync(
      small,
      '{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":["process"]},"process":{"name":"x"}}\n',
    );
    const hunt = [
      program,
      'hunt',
      '--config',
      config,
      '--query',
      'process where process.name == "x"',
      '--input',
      small,
      '--json',
    ];
    const start = paired(
      () => seconds(hunt),
      () => seconds(['-e', '0']),
    );
    return [
      {
        name: 'replay with the two rules, whole process',
        value: events / whole.ours,
        unit: 'events/s',
        against: 'reading and JSON.parse of every line',
        ratio: whole.ratio,
      },
      {
        name: 'hunt on one event, process start to end',
        value: start.ours * 1000,
        unit: 'ms',
        against: 'node -e 0',
        ratio: 1 / start.ratio,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
