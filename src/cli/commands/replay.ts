import path from 'node:path';
import { ExitCode, UserError } from '../../base/errors.js';
import { Detector } from '../../detect/index.js';
import { type Alert, alertDocument, type Detection } from '../../event/alert.js';
import { compareEvents } from '../../event/event.js';
import { priorityIn } from '../../event/priority.js';
import { type Diagnostic, formatDiagnostic, loadRules, type Rule } from '../../rules/index.js';
import type { CapturedEvent } from '../../sensors/capture/index.js';
import { readFor, searchedWords, takeInOrder, tellSkipped, withInput } from '../capture-input.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, list, value } from '../define-command.js';
import { takeRecording } from '../eslogger-input.js';
import { safe } from '../output/output.js';
import { tableLines } from '../output/table.js';
import { loadRuleSet } from '../rule-set.js';
import { filePath, oneOf } from '../values.js';
import { alertFields, alertSchema } from './alerts/alert-document.js';
import { alertColumns, alertRow } from './alerts/alert-line.js';
import { tellPassedOver } from './rules/diagnostics.js';

async function chosenRules(context: CommandContext, paths: readonly string[]): Promise<readonly Rule[]> {
  const refuse = (diagnostics: readonly Diagnostic[]) => {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return;
    const files = new Set(errors.map(({ file }) => file)).size;
    const what = `${files} rule ${files === 1 ? 'file' : 'files'} cannot be used here`;
    throw new UserError('rules/invalid', [what, ...errors.map((one) => formatDiagnostic(one))].join('\n'), {
      hint: 'Mend or leave out these files: see "launchwarden rules check".',
    });
  };
  if (paths.length > 0) {
    const loaded = loadRules(paths.map((one) => path.resolve(context.io.cwd, one)));
    // Of nothing but such rules there is nothing to replay.
    refuse([...loaded.diagnostics, ...(loaded.rules.length === 0 ? loaded.passedOver : [])]);
    if (loaded.rules.length === 0) {
      throw new UserError('rules/none', `there is no rule file in ${paths.join(', ')}`, {
        hint: 'Rule files end in .toml.',
      });
    }
    tellPassedOver(context, loaded.passedOver);
    return loaded.rules.filter((rule) => {
      if (rule.off)
        context.io.stderr.write(
          `launchwarden: ${safe(rule.meta.name)} is off: enabled = false in its file\n`,
        );
      return rule.off !== true;
    });
  }
  const set = await loadRuleSet(context);
  refuse(set.diagnostics);
  tellPassedOver(context, set.passedOver);
  return set.rules.filter(({ enabled }) => enabled).map(({ rule }) => rule);
}

/**
 * The rules over one capture, from the first event to the last. Of several documents with one `event.id` each further one is
 * a revision of the event.
 */
class Replay {
  readonly #detector: Detector;
  /** The newest state of each alert, in the order in which they came up. */
  readonly alerts = new Map<string, Detection>();
  /** Events of one and the same moment: handed on by id, so that the order of the lines does not matter. */
  #tied: CapturedEvent[] = [];

  constructor(rules: readonly Rule[]) {
    this.#detector = new Detector({
      rules,
      onDetection: (detection) => this.alerts.set(detection.id, detection),
    });
  }

  take(event: CapturedEvent): void {
    const [first] = this.#tied;
    if (first !== undefined && compareEvents(first, event) !== 0) this.#flush();
    this.#tied.push(event);
  }

  finish(): void {
    this.#flush();
    this.#detector.finish();
  }

  #flush(): void {
    if (this.#tied.length > 1)
      this.#tied.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.line - b.line));
    for (const event of this.#tied) this.#detector.judge(event);
    this.#tied = [];
  }
}

/** The alert as the store would hold it had it been committed at its own event time. */
function asAlert(detection: Detection, version: string): Alert {
  const { rule, time } = detection;
  const context = { version, agentId: 'replay', created: time, sensors: ['capture'], simulated: false };
  const doc = alertDocument(detection, context);
  return {
    id: detection.id,
    revision: 1,
    ruleId: rule.id,
    ruleName: rule.name,
    severity: rule.severity,
    riskScore: rule.riskScore,
    priority: priorityIn(doc, rule.severity),
    time,
    created: time,
    updated: time,
    status: 'open',
    doc,
    notes: [],
    tags: [],
  };
}

export const replay = defineCommand({
  description:
    'Runs a capture of events through the rules in event time and prints the alerts. Nothing is stored. The same capture\n' +
    'gives the same output, byte for byte; events that are out of order are put in order first. The form is recognised by the\n' +
    'content: ECS documents one a line, over several lines or in arrays, answers and hits of Elasticsearch and Kibana, what\n' +
    "Filebeat and Splunk made of events, what Apple's eslogger printed (property lists are read from the folder that --root\n" +
    'names), alerts and events exported from here; plain, gzip or UTF-16.',
  options: {
    input: value('--input FILE', 'the capture; "-" is standard input', filePath('--input')),
    format: value(
      '--format FORMAT',
      'ecs or eslogger, where the content does not tell',
      oneOf('--format', ['ecs', 'eslogger']),
    ),
    rules: list(
      '--rules PATH',
      'only the rules of this file or folder, instead of the configured ones',
      filePath('--rules'),
    ),
    json: flag('--json', 'one JSON document an alert (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden replay --input capture.ndjson', says: 'with the configured rules' },
    {
      line: 'launchwarden replay --input - --rules my-rules --json',
      says: 'from a pipe, with rules that are being written',
    },
  ],
  needs: 'only the file, on any system',
  async handler({ context, options }) {
    const { out, version, io } = context;
    const { input, json } = options;
    if (input === undefined) {
      throw new UserError('replay/no-input', '--input is needed', { hint: 'Name a file of events, or "-".' });
    }
    const rules = await chosenRules(context, options.rules);
    const { root } = await context.settings();
    await withInput(context, { written: input, form: options.format }, (capture, progress) => {
      let run = new Replay(rules);
      const tally =
        capture.form === 'eslogger'
          ? takeRecording(capture.file, (event) => run.take(event), {
              version,
              root,
              onProgress: progress.update,
            })
          : takeInOrder(
              capture.file,
              {
                take: (event) => run.take(event),
                restart() {
                  run = new Replay(rules);
                },
              },
              readFor(
                rules.map(({ query }) => query),
                progress.update,
              ),
            );
      run.finish();
      progress.end();
      const alerts = [...run.alerts.values()].map((detection) => asAlert(detection, version));
      if (json) for (const alert of alerts) out.document(alertSchema, alertFields(alert));
      else if (alerts.length === 0) out.line(`No alerts in ${searchedWords(tally)}.`);
      else
        for (const line of tableLines(
          alertColumns(out),
          alerts.map((alert) => alertRow(alert, out)),
          out,
        ))
          out.line(line);
      tellSkipped(tally, capture, io.stderr);
    });
    return ExitCode.ok;
  },
});
