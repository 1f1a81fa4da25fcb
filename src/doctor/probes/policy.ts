import { formatDuration } from '../../base/time.js';
import { policyCondition } from '../../policy/index.js';
import { defineProbe, failed, notHere, ok, warning } from '../probe.js';
import { settingsOf } from '../system.js';

export const policy = defineProbe({
  name: 'policy',
  section: 'Program',
  asks: 'Is the policy of the fleet in force, and confirmed lately?',
  read(system) {
    const settings = settingsOf(system);
    const now = system.clock.now() / 1000;
    const { policy: source, policyInForce, problems } = settings;
    return policyCondition({ dataDir: system.dataDir, source, policyInForce, problems, now });
  },
  judge({ wanted, inForce, expired, ageMs, reasons }) {
    const [first, ...more] = reasons;
    if (!wanted && first === undefined) return notHere('none is configured');
    const cure = '"sudo launchwarden policy status" says more; "launchwarden reload" asks the server now.';
    if (first !== undefined) return expired ? failed(first, cure, more) : warning(first, cure, more);
    if (inForce === undefined) return warning('none is in force yet', cure);
    const age = ageMs === undefined ? 'never' : `${formatDuration(Math.floor(ageMs) * 1000)} ago`;
    return ok(`version ${inForce.version}, confirmed ${age}, good until ${inForce.expires}`);
  },
});
