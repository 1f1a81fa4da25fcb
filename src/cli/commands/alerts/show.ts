import { ExitCode, UserError } from '../../../base/errors.js';
import type { Alert } from '../../../event/alert.js';
import type { Investigation } from '../../../event/investigation.js';
import type { Story } from '../../../event/story.js';
import type { LaunchdJob } from '../../../inventory/index.js';
import { subjectOf } from '../../../respond/investigate/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag, type Option } from '../../define-command.js';
import { paged } from '../../output/pager.js';
import { launchdJobFields } from '../inventory/launchd-job.js';
import { alertFields, alertSchema } from './alert-document.js';
import { investigationFields } from './answers.js';
import { fieldNames, pickFields } from './fields.js';
import { findAlert } from './find.js';
import { filledGuide } from './guide.js';
import { jobOfAlert } from './job.js';
import { nextCommand } from './next-command.js';
import { showAlert } from './show-alert.js';

interface Read {
  readonly alert: Alert;
  readonly story: Story | undefined;
  readonly job: LaunchdJob | undefined;
  readonly investigation: Investigation | undefined;
  /** Other alerts about the same item. */
  readonly others: number;
}

async function readAlert(context: CommandContext, id: string): Promise<Read> {
  return context.withStore(async (store) => {
    const alert = findAlert(store, id);
    const { item } = alert;
    const story = item === undefined ? undefined : store.stories.get(item);
    return {
      ...{ alert, story },
      job: await jobOfAlert(context, store, { alert, story }),
      investigation: store.investigations.get(alert.id),
      others: item === undefined ? 0 : Math.max(0, store.alerts.count({ item }) - 1),
    };
  });
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
    const { alert, story, job, investigation, others } = await readAlert(context, id);
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
    const next = nextCommand(context, { alert, investigation });
    await paged(io, (out) => {
      showAlert(
        { alert, story, job, investigation, guide, next, others, now: clock.now() },
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
