// `npm run bench [-- --json] [-- --only NAME[,NAME]]`
//
// Prints figures, each beside something measured in the same run: machines differ, ratios travel. Nothing here fails
// on a slow machine. Suites: see `suites`.
import type { Row } from './row.js';

const suites: Record<string, () => Promise<{ rows(): Promise<Row[]> }>> = {
  engine: () => import('./engine.js'),
  replay: () => import('./replay.js'),
  files: () => import('./file-watch.js'),
  agent: () => import('./agent.js'),
  forward: () => import('./forward.js'),
  native: () => import('./native.js'),
  flood: () => import('./flood.js'),
  catching: () => import('./catching.js'),
  alerts: () => import('./alerts.js'),
  investigate: () => import('./investigate.js'),
};

const json = process.argv.includes('--json');
const position = process.argv.indexOf('--only');
const wanted = position === -1 ? Object.keys(suites) : (process.argv[position + 1] ?? '').split(',');
for (const name of wanted) {
  if (suites[name] === undefined) {
    console.error(`bench: no suite "${name}"; there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
}

const rounded = (value: number) =>
  Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));

for (const name of wanted) {
  const suite = await suites[name]?.();
  for (const row of (await suite?.rows()) ?? []) {
    if (json) {
      console.log(JSON.stringify({ suite: name, ...row }));
      continue;
    }
    const beside =
      row.against === undefined ? '' : `  (${rounded(row.ratio ?? Number.NaN)} of ${row.against})`;
    console.log(
      `${name.padEnd(8)} ${row.name.padEnd(58)} ${String(rounded(row.value)).padStart(12)} ${row.unit}${beside}`,
    );
  }
}
// Suites may leave timers of child processes behind.
process.exit(0);
