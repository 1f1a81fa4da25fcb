import path from 'node:path';
import { things } from '../../../base/count.js';
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
import { whyNot } from '../../why-not.js';
import { reportDiagnostics } from './diagnostics.js';

interface TestRun {
  /** Repeats on the same file are no alerts of their own. */
  readonly alerts: number;
  /** Why there are not as many as there should be; empty when there are. */
  readonly reasons: readonly string[];
}

function runTest(rule: Rule, test: RuleTest): TestRun {
  const alerts = new Map<string, readonly string[]>();
  const detector = new Detector({
    rules: [rule],
    onDetection: ({ id, events }) =>
      alerts.set(
        id,
        events.flatMap((event) => event?.id ?? []),
      ),
  });
  const events = test.events.map((doc, index) => captureEvent(JSON.stringify(doc), index)!);
  for (const event of [...events].sort(compareEvents)) detector.process(event);
  detector.finish();
  const { size } = alerts;
  if (size === test.matches) return { alerts: size, reasons: [] };
  if (size < test.matches) return { alerts: size, reasons: whyNot(rule, events) };
  const matched = [...alerts.values()].slice(0, 5).map((ids) => {
    const numbers = ids.map((id) => events.findIndex((event) => event.id === id) + 1);
    return `an alert of ${numbers.map((number) => `event ${number}`).join(', ')}`;
  });
  return { alerts: size, reasons: matched };
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
    'A test that fails says which step, which times or which keys kept it from matching. Without PATH: all configured rules.\n' +
    'Exit code 1 when a test fails or a file is no valid rule.',
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
        const { alerts, reasons } = runTest(rule, test);
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
            reasons,
          });
          continue;
        }
        const mark = ok ? out.style('green', 'ok    ') : out.style('red', 'failed');
        const why = ok ? '' : `: ${alerts} ${alerts === 1 ? 'alert' : 'alerts'}, expected ${test.matches}`;
        out.line(`${mark}  ${safe(name) ?? ''}: ${safe(test.name) ?? ''}${why}`);
        for (const line of reasons) out.line(`        ${safe(line) ?? ''}`);
      }
    }
    if (!options.json)
      out.line(
        `${passed} passed, ${failed} failed; ${things(without, 'rule carries', 'rules carry')} no test`,
      );
    const broken = reportDiagnostics(context, loaded);
    return failed > 0 || broken ? ExitCode.checkFailed : ExitCode.ok;
  },
});
