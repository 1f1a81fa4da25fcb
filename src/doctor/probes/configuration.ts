import { defineProbe, failed, ok, warning } from '../probe.js';

export const configuration = defineProbe({
  name: 'configuration',
  section: 'Program',
  asks: 'Can the configuration be used, with all that it names?',
  async read(system) {
    const { settings } = system;
    if ('problem' in settings) return { problem: settings.problem.describe(), file: undefined, found: [] };
    return {
      problem: undefined,
      file: settings.read.configFile,
      found: await system.preflight(settings.read),
    };
  },
  judge({ problem, file, found }) {
    const cure = '"launchwarden config check" shows the place.';
    if (problem !== undefined)
      return failed(problem.split('\n')[0] ?? '', cure, problem.split('\n').slice(1));
    const lines = found.map(({ line }) => line);
    const where = file ?? 'no file: every setting is the default';
    const [first = ''] = lines;
    if (found.some(({ stops }) => stops))
      return failed(found.find(({ stops }) => stops)?.line ?? first, cure, lines);
    if (lines.length > 0) return warning(first, cure, lines.slice(1));
    return ok(where);
  },
});
