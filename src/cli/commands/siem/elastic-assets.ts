import { ExitCode } from '../../../base/errors.js';
import { silentLogger } from '../../../base/log.js';
import { elasticAssets, installElasticAssets } from '../../../forward/index.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { configuredDestination } from '../forward/destinations.js';

export const siemElasticAssets = defineCommand({
  description:
    'Prints the templates and the pipeline that the data streams need, one JSON document a line, in the order in which they\n' +
    'are installed. With --install they are put into the Elasticsearch of a configured destination; exit code 3 when that\n' +
    'fails.',
  options: {
    install: value('--install DESTINATION', 'put them there', (text) => text),
    json: flag('--json', 'with --install: one JSON document a template (NDJSON); as without it otherwise'),
  },
  examples: [
    { line: 'launchwarden siem elastic-assets', says: 'for your own tooling' },
    {
      line: 'sudo launchwarden siem elastic-assets --install siem',
      says: 'its key must be allowed to manage templates',
    },
  ],
  async handler({ context, options }) {
    const { out, clock, version, io } = context;
    if (options.install === undefined) {
      for (const { path, body } of elasticAssets()) out.document('elastic-asset/1', { path, body });
      return ExitCode.ok;
    }
    const destination = await configuredDestination(context, options.install);
    const results = await installElasticAssets(
      destination,
      { clock, log: silentLogger, version },
      io.interruption(),
    );
    for (const { path, ok, detail } of results)
      if (options.json) out.document('elastic-asset-result/1', { path, ok, detail });
      else
        out.line(
          `${ok ? out.style('green', 'ok    ') : out.style('red', 'failed')}  ${safe(path)}  ${safe(detail) ?? ''}`,
        );
    return results.every(({ ok }) => ok) ? ExitCode.ok : ExitCode.unreachable;
  },
});
