import { ExitCode } from '../../../base/errors.js';
import type { SettingOrigin, Settings } from '../../../config/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';

/** `managed: FILE`, `policy version 12: FILE:1:1`, `FILE:1:1`, `default`, `flag`. */
function whence(settings: Settings, { origin, at }: SettingOrigin): string {
  const place = at === undefined ? '' : `:${at.line}:${at.column}`;
  if (origin === 'managed') return `managed: ${settings.managedFile}`;
  if (origin === 'file') return `${settings.configFile}${place}`;
  if (origin !== 'policy') return origin;
  return `policy version ${settings.policyInForce?.held?.version}${place}`;
}

export const configShow = defineCommand({
  description:
    'The command line wins over managed preferences (MDM), those over the policy of the fleet, that over the configuration\n' +
    'file, the file over the default. What of them cannot be used is said on standard error.',
  options: {
    origin: flag('--origin', 'where each value comes from'),
    json: flag('--json', 'one JSON document a setting (NDJSON)'),
  },
  examples: [{ line: 'launchwarden config show --origin', says: 'which file and line set what' }],
  async handler({ context, options }) {
    const { out } = context;
    const settings = await context.settings();
    for (const problem of settings.problems) context.io.stderr.write(`${safe(problem.describe())}\n`);
    const rows = settings.origins.map((one) => ({ ...one, whence: whence(settings, one) }));
    if (options.json) {
      for (const { key, value, origin, whence } of rows) {
        const from = options.origin ? { origin, ...(whence === origin ? {} : { at: whence }) } : {};
        out.document('setting/1', { key, value: value ?? null, ...from });
      }
      return ExitCode.ok;
    }
    const columns = [{ title: 'SETTING' }, { title: 'VALUE', flexible: true }];
    const cells = rows.map(({ key, value, whence }) => [
      safe(key) ?? '',
      safe(JSON.stringify(value)) ?? '',
      ...(options.origin ? [safe(whence) ?? ''] : []),
    ]);
    const shown = options.origin ? [...columns, { title: 'ORIGIN', flexible: true }] : columns;
    for (const line of tableLines(shown, cells, out)) out.line(line);
    return ExitCode.ok;
  },
});
