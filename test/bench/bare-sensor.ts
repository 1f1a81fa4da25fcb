// A process that only makes events of what an eslogger writes, and keeps none: what seeing costs. `node bare-sensor.js ESLOGGER`
import { systemClock } from '../../dist/base/clock.js';
import { RootMap } from '../../dist/base/root.js';
import { EsloggerReader } from '../../dist/sensors/eslogger/index.js';
import { PacedLines } from '../../dist/sensors/eslogger/paced-lines.js';
import { EsloggerProcess } from '../../dist/sensors/eslogger/process.js';
import { maxLineLength } from '../../dist/sensors/eslogger/read-line.js';
import { LineSplitter } from '../../dist/sensors/eslogger/split-lines.js';

const reader = new EsloggerReader({ root: new RootMap(), boot: 'bench' });
const lines = new PacedLines(systemClock, (line) => void reader.read(line));
const splitter = new LineSplitter(maxLineLength, {
  onLine: (line) => lines.write(line),
  onOversized: () => reader.skipOversized(),
});
const running = new EsloggerProcess(process.argv[2] ?? '', ['exec', 'exit'], (chunk) =>
  splitter.write(chunk),
);
process.on('message', () => process.send?.(reader.counters));
process.on('disconnect', () => void running.stop().then(() => process.exit(0)));
