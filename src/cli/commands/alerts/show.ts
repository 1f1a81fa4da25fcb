import { ExitCode, UserError } from '../../../base/errors.js';
import { homeOf } from '../../../base/launch-paths.js';
import type { Alert } from '../../../event/alert.js';
import type { InventoryEntry } from '../../../event/inventory.js';
import type { Investigation } from '../../../event/investigation.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import { subjectOf } from '../../../respond/investigate/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, type Option } from '../../define-command.js';
import { paged } from '../../output/pager.js';
import { at } from '../../output/read.js';
import { launchdJobFields, launchdJobOf } from '../inventory/launchd-job.js';
import { alertFields, alertSchema } from './alert-document.js';
import { investigationFields } from './answers.js';
import { fieldNames, pickFields } from './fields.js';
import { findAlert } from './find.js';
import { filledGuide } from './guide.js';
import { nextCommand } from './next-command.js';
import { showAlert } from './show-alert.js';

interface Read {
  readonly alert: Alert;
  readonly story: Story | undefined;
  readonly entries: readonly InventoryEntry[];
  readonly investigation: Investigation | undefined;
  /** Other alerts about the same item. */
  readonly others: number;
}

async function readAlert(context: CommandContext, id: string): Promise<Read> {
  return context.withStore((store) => {
    const alert = findAlert(store, id);
    const { item } = alert;
    const rows = store.inventory.list().filter(({ gone }) => gone === undefined);
    return {
      alert,
      story: item === undefined ? undefined : store.stories.get(item),
      entries: rows.map(({ entry }) => entry),
      investigation: store.investigations.get(alert.id),
      others: item === undefined ? 0 : Math.max(0, store.alerts.count({ item }) - 1),
    };
  });
}

/** Of the alert's launch item as it is now; the documents of an alert may hold anything. */
async function jobOf(
  context: CommandContext,
  { alert, story, entries }: Pick<Read, 'alert' | 'story' | 'entries'>,
): Promise<LaunchdJob | undefined> {
  const { doc } = alert;
  const text = (name: string) => {
    const value = at(doc, `launchwarden.persistence.${name}`);
    return typeof value === 'string' ? value.slice(0, 4_096) : undefined;
  };
  const path = text('path') ?? story?.path;
  const mechanism = text('mechanism') ?? story?.mechanism;
  if (path?.startsWith('/') !== true || mechanism === undefined) return undefined;
  const home = entries.find((entry) => entry.path === path)?.home ?? homeOf(path);
  return launchdJobOf(context, { path, mechanism, ...(home === undefined ? {} : { home }) }, entries);
}

/** `--json` alone gives everything: its value is true then. */
const jsonOption = {
  flags: '--json [FIELDS]',
  summary: 'the alert as one JSON document; with names such as status,doc.file.path these fields alone',
  parse: fieldNames,
} as Option<readonly string[] | boolean | undefined>;

export const alertsShow = defineCommand({
  description:
    'The first screen says what happened, who did it, whether it runs now, how bad it is, and the one command that comes\n' +
    'next; more follows below. On a terminal it is shown page by page in $PAGER (less when that is not set; PAGER=cat for none).',
  arguments: [{ name: '[ID]', summary: 'id of an alert, or a beginning that only one has' }],
  options: {
    full: flag('--full', 'also every field of file and process, the rule, its guide, and all answers'),
    guide: flag(
      '--guide',
      "the guide of its rule alone, with what is known filled into the guide's commands",
    ),
    json: jsonOption,
  },
  examples: [
    { line: 'launchwarden alerts show 3f9a01', says: 'a beginning of the id is enough' },
    { line: 'launchwarden alerts show 3f9a01 --guide', says: 'what to look at, and what to do' },
    { line: 'launchwarden alerts show 3f9a01 --json', says: 'with the ECS document as it is forwarded' },
    { line: 'launchwarden alerts show 3f9a01 --json status,doc.file.path', says: 'these fields alone' },
  ],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options, args }) {
    const { id, json } = written(args[0], options.json);
    const { io, clock } = context;
    const read = await readAlert(context, id);
    const { alert, story, investigation } = read;
    const job = await jobOf(context, read);
    if (json !== false) {
      const fields = {
        ...alertFields(alert),
        launchd_job: launchdJobFields(job),
        investigation: investigation === undefined ? null : investigationFields(investigation),
      };
      context.out.document(alertSchema, json === true ? fields : pickFields(fields, json));
      return ExitCode.ok;
    }
    const guide = filledGuide(alert, subjectOf(alert.doc), job);
    if (options.guide && guide === undefined)
      throw new UserError('alerts/no-guide', `the rule of this alert has no guide`, {
        hint: `launchwarden alerts investigate ${alert.id.slice(0, 12)} asks what a guide would ask.`,
      });
    const next = nextCommand(context, { alert, investigation, job });
    await paged(io, (out) => {
      showAlert(
        { alert, story, job, investigation, guide, next, others: read.others, now: clock.now() },
        { out, part: options.guide ? 'guide' : options.full ? 'full' : 'usual' },
      );
    });
    return ExitCode.ok;
  },
});

/** The id, also where it stands behind `--json`, which takes what follows for names of fields. */
function written(
  id: string | undefined,
  json: readonly string[] | boolean | undefined,
): { readonly id: string; readonly json: readonly string[] | boolean } {
  if (id !== undefined) return { id, json: json ?? false };
  if (typeof json === 'object') return { id: json.join(','), json: true };
  throw new UserError('cli/missing-argument', "missing required argument 'ID'", {
    hint: 'See "launchwarden alerts list".',
  });
}
