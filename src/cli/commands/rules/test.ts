import path from 'node:path';
import { ExitCode } from '../../../base/errors.js';
import { Detector } from '../../../detect/index.js';
import { compareEvents } from '../../../event/event.js';
import type { Rule, RuleTest } from '../../../rules/index.js';
import { captureEvent } from '../../../sensors/capture/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { loadRuleSet } from '../../rule-set.js';
import { filePath } from '../../values.js';
import { reportDiagnostics } from './diagnostics.js';

/** How many alerts the events of a test give; repeats on the same file are no alerts of their own. */
function alertsOf(rule: Rule, test: RuleTest): number {
  const alerts = new Set<string>();
  const detector = new Detector({ rules: [rule], onDetection: ({ id }) => alerts.add(id) });
  const events = test.events.map((doc, index) => captureEvent(JSON.stringify(doc), index)!);
  for (const event of events.sort(compareEvents)) detector.process(event);
  detector.finish();
  return alerts.size;
}

async function chosenRules(context: CommandContext, paths: readonly string[]) {
  if (paths.length === 0) {
    const set = await loadRuleSet(context);
    return { ...set, rules: set.rules.map(({ rule }) => rule) };
  }
  const { loadRules } = await import('../../../rules/index.js');
  return loadRules(paths.map((one) => path.resolve(context.io.cwd, one)));
}

export const rulesTest = defineCommand({
  description:
    'Runs the events that rules carry ([[rule.launchwarden.test]]) through the engine and compares the number of alerts.\n' +
    'Without PATH: all configured rules. Exit code 1 when a test fails or a file is no valid rule.',
  arguments: [
    { name: '[PATH...]', summary: 'rule files, and folders that hold some', check: filePath('PATH') },
  ],
  options: { json: flag('--json', 'one JSON document a test (NDJSON)') },
  examples: [{ line: 'launchwarden rules test my-rules', says: 'before they are imported' }],
  async handler({ context, options, args }) {
    const { out } = context;
    const loaded = await chosenRules(context, args);
    let failed = 0;
    let passed = 0;
    let without = 0;
    for (const rule of loaded.rules) {
      const tests = rule.launchwarden?.tests ?? [];
      if (tests.length === 0) without++;
      for (const test of tests) {
        const alerts = alertsOf(rule, test);
        const ok = alerts === test.matches;
        if (ok) passed++;
        else failed++;
        const { id, file, name } = rule.meta;
        if (options.json) {
          out.document('rule-test/1', {
            rule: id,
            file,
            test: test.name,
            ok,
            expected: test.matches,
            alerts,
          });
          continue;
        }
        const mark = ok ? out.style('green', 'ok    ') : out.style('red', 'failed');
        const why = ok ? '' : `: ${alerts} alerts, expected ${test.matches}`;
        out.line(`${mark}  ${safe(name) ?? ''}: ${safe(test.name) ?? ''}${why}`);
      }
    }
    if (!options.json) out.line(`${passed} passed, ${failed} failed; ${without} rules carry no test`);
    const broken = reportDiagnostics(context, loaded);
    return failed > 0 || broken ? ExitCode.checkFailed : ExitCode.ok;
  },
});
