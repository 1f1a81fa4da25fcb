import { RootMap } from '../../dist/base/root.js';
import { type Addon, loadAddon, unpack } from '../../dist/sensors/addon/index.js';
import { esKinds } from '../../dist/sensors/endpoint-security/index.js';
import { readRecord } from '../../dist/sensors/endpoint-security/read-record.js';
import { EsloggerReader, readEsloggerLine } from '../../dist/sensors/eslogger/index.js';
import { closeLine, execLine } from '../helpers/eslogger-lines.js';
import { median, type Row } from './row.js';

interface Double {
  play(messages: readonly object[], repeat: number): void;
  playing(): boolean;
  objects(batch: Uint8Array): object[];
}
const stallMs = 10_000;

type DoubleAddon = Addon & { readonly EndpointSecurityDouble?: new () => Double };

export async function rows(): Promise<Row[]> {
  const loaded = loadAddon();
  if (loaded.state !== 'loaded') {
    console.error(`skipped: figures of the native addon: ${loaded.reason}`);
    return esloggerRows();
  }
  return [...stallRows(loaded.addon), ...bridgeRows(loaded.addon), ...esloggerRows()];
}

// -- addon to JavaScript ---------------------------------------------------------------------------------------------

/** About 600 bytes, with 6 arguments. */
const execMessage = {
  kind: esKinds.indexOf('exec'),
  timeUs: 1_700_000_000_123_456,
  process: {
    pid: 4_711,
    pidversion: 99,
    parentPid: 400,
    parentPidversion: 40,
    responsiblePid: 300,
    responsiblePidversion: 30,
    executable: '/Applications/Some App.app/Contents/Library/Helpers/launchctl',
    signingId: 'com.example.some-app.helper',
    teamId: 'EQHXZ8M8AV',
    startUs: 1_700_000_000_000_000,
  },
  args: ['launchctl', 'load', '-w', '-S', 'Aqua', '/Users/alice/Library/LaunchAgents/com.example.plist'],
  workingDirectory: '/Users/alice/Library/Application Support',
};

function connect(addon: DoubleAddon, queueBytes: number) {
  if (addon.EndpointSecurityDouble === undefined) return undefined;
  const double = new addon.EndpointSecurityDouble();
  const client = new addon.EndpointSecurityClient(
    { processKinds: [execMessage.kind], fileKinds: [], prefixes: [], literals: [], queueBytes },
    () => {},
    double,
  );
  client.start();
  return { double, client };
}

/** Batches of exec messages as the double delivers them. */
function batches(addon: DoubleAddon, count: number): { buffers: Uint8Array[]; double: Double } | undefined {
  const connected = connect(addon, 1 << 30);
  if (connected === undefined) return undefined;
  const { double, client } = connected;
  double.play([execMessage], count);
  while (double.playing());
  const buffers: Uint8Array[] = [];
  for (let batch = client.take(); batch !== undefined; batch = client.take()) buffers.push(batch);
  client.stop();
  return { buffers, double };
}

function bridgeRows(addon: DoubleAddon): Row[] {
  const count = 100_000;
  const made = batches(addon, count);
  if (made === undefined) return [];
  const rate = (run: (batch: Uint8Array) => void) => {
    const start = performance.now();
    for (const batch of made.buffers) run(batch);
    return (count * 1_000) / (performance.now() - start);
  };
  let sink: unknown;
  const packed: number[] = [];
  const objects: number[] = [];
  // In turns, so that a machine that slows down slows both.
  for (let round = 0; round < 7; round++) {
    packed.push(
      rate((batch) =>
        unpack(batch, (record) => {
          sink = readRecord(record);
        }),
      ),
    );
    objects.push(
      rate((batch) => {
        sink = made.double.objects(batch);
      }),
    );
  }
  if (sink === undefined) throw new Error('nothing was read');
  return [
    {
      name: 'addon to JavaScript, exec messages of 6 arguments',
      value: median(packed),
      unit: 'events/s',
      against: 'objects made by Node-API calls',
      ratio: median(packed) / median(objects),
    },
  ];
}

/** Messages keep coming while JavaScript stands still: what is beyond the queue is dropped, and counted. */
function stallRows(addon: DoubleAddon): Row[] {
  const queueMb = 32;
  const connected = connect(addon, queueMb << 20);
  if (connected === undefined) return [];
  const { double, client } = connected;
  const before = process.memoryUsage().rss;
  const end = performance.now() + stallMs;
  let sent = 0;
  let most = 0;
  while (performance.now() < end) {
    double.play([execMessage], 10_000);
    sent += 10_000;
    while (double.playing());
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  let taken = 0;
  for (let batch = client.take(); batch !== undefined; batch = client.take()) unpack(batch, () => taken++);
  client.stop();
  const { dropped = 0 } = client.counters();
  return [
    {
      name: `memory while JavaScript stands still for ${stallMs / 1000} s`,
      value: most / 1024 / 1024,
      unit: 'MB',
      against: `the queue's ${queueMb} MB`,
      ratio: most / 1024 / 1024 / queueMb,
    },
    { name: 'messages sent to it meanwhile', value: sent, unit: 'messages' },
    {
      name: 'of them neither delivered nor counted as dropped',
      value: sent - taken - dropped,
      unit: 'messages',
    },
  ];
}

// -- eslogger --------------------------------------------------------------------------------------------------------

function esloggerRows(): Row[] {
  const env = Array.from({ length: 25 }, (_, index) => `VARIABLE_${index}=/usr/local/value/of/${index}`);
  const lines: string[] = [];
  for (let index = 0; index < 4_000; index++) {
    const plist = `/Users/alice/Library/LaunchAgents/com.example.${index}.plist`;
    lines.push(
      index % 2 === 0
        ? execLine(['launchctl', 'load', '-w', plist], { globalSequence: index, more: { env } })
        : closeLine(plist, { globalSequence: index, inode: String(70_000_000 + index) }),
    );
  }
  let sink: unknown;
  const rate = (run: (line: string) => void) => {
    const start = performance.now();
    for (const line of lines) run(line);
    return (lines.length * 1_000) / (performance.now() - start);
  };
  const parse: number[] = [];
  const read: number[] = [];
  const observe: number[] = [];
  for (let round = 0; round < 9; round++) {
    parse.push(
      rate((line) => {
        sink = JSON.parse(line);
      }),
    );
    read.push(
      rate((line) => {
        sink = readEsloggerLine(line);
      }),
    );
    const reader = new EsloggerReader({ root: new RootMap(), boot: 'bench' });
    observe.push(
      rate((line) => {
        sink = reader.read(line);
      }),
    );
  }
  if (sink === undefined) throw new Error('nothing was read');
  const against = 'JSON.parse of the same lines';
  return [
    {
      name: 'eslogger lines read (exec and close by turns)',
      value: median(read),
      unit: 'lines/s',
      against,
      ratio: median(read) / median(parse),
    },
    {
      name: 'eslogger lines made into events',
      value: median(observe),
      unit: 'lines/s',
      against,
      ratio: median(observe) / median(parse),
    },
  ];
}
