import { driverProblem } from '../../store/index.js';
import { defineProbe, failed, ok } from '../probe.js';

export const sqlite = defineProbe({
  name: 'sqlite',
  section: 'Program',
  asks: 'Does the SQLite library load?',
  read: () => driverProblem(),
  judge: (problem) =>
    problem === undefined
      ? ok('it loads')
      : failed(problem, 'Run "node scripts/build.mjs" in the program\'s folder: it must fit this Node.js.'),
});
