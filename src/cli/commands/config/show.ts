import { ExitCode } from '../../../base/errors.js';
import type { SettingOrigin, Settings } from '../../../config/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';

function whence({ configFile }: Settings, { origin, at }: SettingOrigin): string {
  if (origin !== 'file' || configFile === undefined || at === undefined) return origin;
  return `${configFile}:${at.line}:${at.column}`;
}

export const configShow = defineCommand({
  description: 'The command line wins over the configuration file, the file over the default.',
  options: {
    origin: flag('--origin', 'where each value comes from'),
    json: flag('--json', 'one JSON document a setting (NDJSON)'),
  },
  examples: [{ line: 'launchwarden config show --origin', says: 'which file and line set what' }],
  async handler({ context, options }) {
    const { out } = context;
    const settings = await context.settings();
    const rows = settings.origins.map((one) => ({ ...one, whence: whence(settings, one) }));
    if (options.json) {
      for (const { key, value, origin, whence } of rows) {
        const from = options.origin ? { origin, ...(origin === 'file' ? { at: whence } : {}) } : {};
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
