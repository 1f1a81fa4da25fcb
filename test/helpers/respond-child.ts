// A response in a process of its own that kills itself at a given point: the Nth call that touches the disk.
//
//   node --import ./typescript.mjs respond-child.ts ROOT DATA N (run MACPATH... | undo ID)
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [root = '', dataDir = '', at = '0', verb = '', ...rest] = process.argv.slice(2);
let left = Number(at);

/** Dies before the Nth call is done. */
function point(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
}

const { fsyncSync, writeSync } = fs;
fs.fsyncSync = (file: number) => {
  point();
  fsyncSync(file);
};
fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
  point();
  return writeSync(...args);
}) as typeof writeSync;
syncBuiltinESMExports();

const { openMachine } = await import('../../src/agent/respond-machine.js');
const { systemClock } = await import('../../src/base/clock.js');
const { RootMap } = await import('../../src/base/root.js');
const { allResponses, Engine } = await import('../../src/respond/index.js');

const machine = openMachine({
  root: new RootMap(root),
  clock: systemClock,
  dataDir,
  store: {} as never,
  willPlace: async () => {},
});
const changing = ['createFile', 'makeFolder', 'rename', 'remove', 'makeLink', 'setFacts', 'copyMetadata'];
const files = new Proxy(machine.files, {
  get(target, name) {
    const call = Reflect.get(target, name) as (...args: unknown[]) => unknown;
    if (!changing.includes(String(name))) return call;
    return (...args: unknown[]) => {
      point();
      return call(...args);
    };
  },
});
const engine = new Engine({ machine: { ...machine, files }, tell: async () => {} });
if (verb === 'run') {
  const steps = rest.map((macPath) => ({ kind: 'quarantine' as const, path: macPath, expect: {} }));
  await engine.run(
    { verb: 'quarantine', about: rest[0] ?? '', steps, watch: [], remarks: [] },
    { author: 'child' },
  );
} else {
  const response = allResponses(dataDir).find(({ id }) => id === rest[0]);
  if (response !== undefined) await engine.undo(response, { author: 'child' });
}
// What was not reached: the caller knows that all points have been tried.
process.stdout.write(`left ${left}\n`);
