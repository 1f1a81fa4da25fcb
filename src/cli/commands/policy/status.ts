import { ExitCode } from '../../../base/errors.js';
import { formatDuration } from '../../../base/time.js';
import { type PolicyCondition, policyCondition } from '../../../policy/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';

function ago(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${formatDuration(Math.floor(ms) * 1000)} ago`;
}

function document(url: string | null, condition: PolicyCondition): object {
  const { inForce, onTrial, expired, ageMs, checkedMs, bad, failure, reasons } = condition;
  const seconds = (ms: number | undefined) => (ms === undefined ? null : Math.floor(ms / 1000));
  return {
    url,
    version: inForce?.version ?? null,
    issued: inForce?.issued ?? null,
    expires: inForce?.expires ?? null,
    applied: inForce?.applied ?? null,
    signed_by: inForce?.keys ?? [],
    on_trial: onTrial,
    expired,
    age_seconds: seconds(ageMs),
    checked_seconds: seconds(checkedMs),
    failure,
    rolled_back: bad,
    reasons,
  };
}

function print(out: Output, url: string, condition: PolicyCondition): void {
  const { inForce, onTrial, ageMs, checkedMs, failure, reasons } = condition;
  out.line(`from       ${safe(url)}`);
  if (inForce === undefined) out.line('in force   none');
  else {
    out.line(
      `in force   version ${inForce.version}${onTrial ? ' (on trial)' : ''}, signed by key ${inForce.keys.map(safe).join(' and ')}`,
    );
    out.line(`           issued ${safe(inForce.issued)}, good until ${safe(inForce.expires)}`);
    out.line(`           put in force ${safe(inForce.applied)}`);
  }
  out.line(`confirmed  ${ago(ageMs)} (asked ${ago(checkedMs)})`);
  if (failure !== null) {
    out.line(`last try   ${safe(failure.message)} [${safe(failure.code)}], ${failure.times} in a row`);
    if (typeof failure.hint === 'string') out.line(`           ${safe(failure.hint)}`);
  }
  for (const reason of reasons) out.line(`${out.style('yellow', '!')}          ${safe(reason)}`);
}

export const policyStatus = defineCommand({
  description:
    'Which version of the policy is in force, how old that is, and why the newest one is not. Exit code 1 when the policy is not\n' +
    'as it should be. "launchwarden reload" asks the server at once.',
  options: { json: flag('--json', 'one JSON document') },
  examples: [{ line: 'sudo launchwarden policy status', says: 'on a Mac of the fleet' }],
  needs: 'the right to read the data folder (sudo)',
  async handler({ context, options }) {
    const { out } = context;
    const settings = await context.settings();
    const now = context.clock.now() / 1000;
    const { dataDir, policy: source, policyInForce, problems } = settings;
    const all = policyCondition({ dataDir, source, policyInForce, problems, now });
    const url = settings.policy?.url ?? null;
    if (options.json) out.document('policy-status/1', document(url, all));
    else if (url === null) {
      out.line(`No policy is fetched${all.reasons.length > 0 ? '.' : ': [policy] url is not set.'}`);
      for (const reason of all.reasons) out.line(`${safe(reason)}`);
    } else print(out, url, all);
    return all.reasons.length > 0 ? ExitCode.checkFailed : ExitCode.ok;
  },
});
