import path from 'node:path';
import { keepAnswers, keepAnswersOp } from '../../../agent/answers.js';
import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import {
  listHistory,
  nearbyOf,
  type ProcessNode,
  processTreeOf,
  subjectOf,
} from '../../../respond/investigate/index.js';
import type { Store } from '../../../store/index.js';
import { openCase } from '../../case.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { paged } from '../../output/pager.js';
import { type AlertReport, alertPage } from '../../report/alert-report.js';
import { writePage } from '../../report/write-page.js';
import { filePath } from '../../values.js';
import { launchdJobFields } from '../inventory/launchd-job.js';
import { alertFields } from './alert-document.js';
import { investigationFields } from './answers.js';
import { findAlert } from './find.js';
import { whoDidIt } from './first-screen.js';
import { filledGuide } from './guide.js';
import { investigateAlert } from './investigate.js';
import { jobOfAlert } from './job.js';
import { nextCommand } from './next-command.js';
import { showAlert } from './show-alert.js';
import { headline } from './words.js';

export interface Gathered extends AlertReport {
  /** Nobody had asked before: the answers are to be kept. */
  readonly isNew: boolean;
  readonly others: number;
}

/** Everything that a report says about an alert; asks what nobody has asked yet. */
export async function gatherReport(
  context: CommandContext,
  store: Store,
  { alert, fresh }: { readonly alert: Alert; readonly fresh: boolean },
): Promise<Gathered> {
  const about = subjectOf(alert.doc);
  const story = alert.item === undefined ? undefined : store.stories.get(alert.item);
  const stored = fresh ? undefined : store.investigations.get(alert.id);
  const investigation = stored ?? (await investigateAlert(context, alert, store));
  const job = await jobOfAlert(context, store, { alert, story });
  const from = await openCase(context, store, alert);
  return {
    ...{ alert, about, story, job, investigation },
    headline: headline(alert, about, story),
    who: whoDidIt(alert, about),
    nearby: nearbyOf(from).nearby,
    processes: processTreeOf(from),
    list: listHistory(from),
    guide: filledGuide(alert, about, job),
    next: nextCommand(context, { alert, investigation }),
    version: context.version,
    now: context.clock.now(),
    isNew: stored === undefined,
    others: alert.item === undefined ? 0 : Math.max(0, store.alerts.count({ item: alert.item }) - 1),
  };
}

/** Gathers a report and keeps answers that are new. */
export async function reportOf(context: CommandContext, id: string, fresh: boolean): Promise<Gathered> {
  const gathered = await context.withStore((store) =>
    gatherReport(context, store, { alert: findAlert(store, id), fresh }),
  );
  if (gathered.isNew)
    await writeThroughDaemon(context, {
      op: keepAnswersOp,
      args: gathered.investigation,
      direct: (store) => keepAnswers(store, gathered.investigation),
    });
  return gathered;
}

function reportFields({
  alert,
  headline: what,
  who,
  job,
  investigation,
  nearby,
  processes,
  list,
  next,
}: Gathered): object {
  return {
    what,
    who,
    next,
    alert: alertFields(alert),
    launchd_job: launchdJobFields(job),
    investigation: investigationFields(investigation),
    nearby: nearby.map(({ time, kind, what: says, why, worrying }) => ({
      ...{ time: formatMicros(time), kind, what: says, why, worrying },
    })),
    processes: processes.map(processFields),
    changes:
      list === undefined
        ? null
        : {
            version: list.at.id,
            before: list.before?.id ?? null,
            keys: list.changes ?? null,
            why: list.why ?? null,
          },
  };
}

function processFields({ id, isMatch, children, ...rest }: ProcessNode): object {
  return { entity_id: id, ...rest, matched: isMatch, children: children.map(processFields) };
}

export const alertsReport = defineCommand({
  description:
    'One page to send to somebody: what happened, a timeline, who started whom, the property list with what changed in it,\n' +
    'the answers of the investigation, and everything that was done. It runs no scripts, loads nothing, and can be printed.\n' +
    'Without --html the same is printed here. An alert that nobody has investigated is investigated first.',
  arguments: [{ name: 'ID', summary: 'id of an alert, or a beginning that only one has' }],
  options: {
    html: value('--html FILE', 'write the page into this new file', filePath('--html')),
    fresh: flag('--fresh', 'ask all questions again, also when there are answers'),
    force: flag('--force', 'replace the file when it is there'),
    json: flag('--json', 'the same as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden alerts report 3f9a01 --html alert.html', says: 'a page for a browser' },
    { line: 'sudo launchwarden alerts report 3f9a01', says: 'everything, on the terminal' },
  ],
  needs: 'the right to read the files that the alert is about, and the data directory (root)',
  async handler({ context, options: { html, fresh, force, json }, args: [id = ''] }) {
    const { io, out } = context;
    const report = await reportOf(context, id, fresh);
    if (json) {
      out.document('alert-report/1', reportFields(report));
      if (html === undefined) return ExitCode.ok;
    } else if (html === undefined) {
      await paged(io, (to) => showAlert(report, { out: to, part: 'full' }));
      return ExitCode.ok;
    }
    const file = path.resolve(io.cwd, html);
    writePage(file, alertPage(report), force);
    if (!json) out.line(`Written to ${file}`);
    return ExitCode.ok;
  },
});
