import { recordsAt, stringAt } from '../../base/value-at.js';
import { defineProbe, failed, ok, unknown, warning } from '../probe.js';

export const sensors = defineProbe({
  name: 'sensors',
  section: 'Sensors',
  asks: 'Does every sensor run, and is any of them blind somewhere?',
  read: (system) => system.agent(),
  judge(agent) {
    if (agent.state !== 'runs') return unknown('no agent answers');
    const all = recordsAt(agent.status, 'sensors');
    const silent = all.filter((one) => one['running'] !== true && one['unavailable'] !== true);
    const blind = all.flatMap((one) =>
      recordsAt(one, 'blind').map((spot) => `${one['kind']} is blind in ${spot['place']}: ${spot['reason']}`),
    );
    const degraded = all.flatMap((one) => {
      const text = stringAt(one, 'degraded');
      return text === undefined ? [] : [`${one['kind']}: ${text}`];
    });
    const names = all.filter((one) => one['running'] === true).map((one) => String(one['kind']));
    if (silent.length > 0 || all.length === 0)
      return failed(
        all.length === 0 ? 'no sensor runs' : `${silent.map((one) => one['kind']).join(', ')} does not run`,
        'The log says why; "launchwarden reload" tries again.',
        [...blind, ...degraded],
      );
    if (blind.length + degraded.length > 0)
      return warning([...blind, ...degraded][0] ?? '', undefined, [...blind, ...degraded].slice(1));
    return ok(names.join(', '));
  },
});
