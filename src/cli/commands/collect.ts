import path from 'node:path';
import { ExitCode } from '../../base/errors.js';
import { collectBundle } from '../../respond/collect/index.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import { observedRoot } from '../observed-root.js';
import { safe } from '../output/output.js';
import { filePath } from '../values.js';
import { writeArchive } from '../write-archive.js';
import { shortId } from './alerts/alert-line.js';
import { findAlert } from './alerts/find.js';

const maxShown = 20;

async function systemFacts(context: CommandContext): Promise<Record<string, unknown>> {
  const root = await observedRoot(context);
  const status = await context.askDaemon('status', undefined).catch(() => undefined);
  const { platform, arch, versions } = process;
  return {
    launchwarden: context.version,
    runs_on: { platform, arch, node: versions.node },
    root: root.simulated ? root.root : null,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    agent: status?.result ?? 'does not run, or may not be asked',
  };
}

export const collect = defineCommand({
  description:
    'Writes one archive (.tar.gz, mode 0600) with all that is known about an alert, for somebody who was not there: the alert,\n' +
    'events, a timeline, answers of the investigation, every version of its files with their bytes, facts about the Mac.\n' +
    'With --redact user names, homes, host names and addresses are replaced, the same by the same; look through it all the\n' +
    'same before you hand it on.',
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has' }],
  options: {
    output: value(
      '--output FILE',
      'instead of launchwarden-ID.tar.gz here; must not exist',
      filePath('--output'),
    ),
    redact: flag('--redact', 'without user names, homes, host names and addresses'),
    json: flag('--json', 'one JSON document about the archive'),
  },
  examples: [
    { line: 'sudo launchwarden collect 3f9a01c2', says: 'into the current folder' },
    { line: 'sudo launchwarden collect 3f9a01c2 --redact --output /tmp/case.tar.gz', says: 'for a vendor' },
  ],
  needs: 'read access to the data directory',
  async handler({ context, options, args: [written = ''] }) {
    const system = await systemFacts(context);
    const done = await context.withStore(async (store) => {
      const alert = findAlert(store, written);
      const output = path.resolve(
        context.io.cwd,
        options.output ?? `launchwarden-${shortId(alert.id)}.tar.gz`,
      );
      const now = context.clock.now();
      const bundle = collectBundle({
        store,
        alert,
        now,
        system: { ...system, host: alert.doc.host ?? null },
        redact: options.redact,
      });
      return {
        alert,
        output,
        bundle,
        ...(await writeArchive(() => bundle.files(), output, {
          ...{ seconds: now / 1e6, stage: 'collect' },
          signal: context.io.interruption(),
        })),
      };
    });
    const { alert, output, bundle, bytes, sha256 } = done;
    if (options.json) {
      context.out.document('collect/1', {
        alert: alert.id,
        output,
        bytes,
        sha256,
        redacted: options.redact,
        left_out: bundle.leftOut,
      });
      return ExitCode.ok;
    }
    context.out.line(`${safe(output)}: ${(bytes / 1024).toFixed(0)} KiB, sha256 ${sha256}`);
    if (bundle.leftOut.length > 0) context.out.line('Not in it:');
    for (const { what, why } of bundle.leftOut.slice(0, maxShown))
      context.out.line(`  ${safe(what)}: ${safe(why)}`);
    if (bundle.leftOut.length > maxShown)
      context.out.line(`  and ${bundle.leftOut.length - maxShown} more (left-out.json)`);
    return ExitCode.ok;
  },
});
