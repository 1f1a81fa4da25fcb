import { ExitCode, UserError } from '../../base/errors.js';
import { RootMap } from '../../base/root.js';
import { formatDuration, parseDuration } from '../../base/time.js';
import { brokenText, type CanaryResult, type CanaryStep, runCanary } from '../../canary/index.js';
import { thisSystem } from '../../install/index.js';
import { defineCommand, flag, value } from '../define-command.js';
import { notRunning } from '../not-running.js';
import { type Output, safe } from '../output/output.js';
import { pad } from '../output/width.js';

const defaultTimeoutMs = 60_000;
const longestTimeoutMs = 540_000;

export const canary = defineCommand({
  description:
    'Writes a harmless launch item (it runs /usr/bin/true) under a label of its own, loads it, waits for the alert and for\n' +
    'each destination to acknowledge it, and takes the item away again. Each step is printed with its time; where the chain\n' +
    'broke, why and what to do. The alert is marked (labels.launchwarden_canary), closed at once, and of the lowest priority.\n' +
    'Exit code 0 when the whole chain holds, 1 when it broke, 3 when no agent runs.',
  options: {
    timeout: value('--timeout TIME', 'how long the chain may take (60s)', readTimeout),
    json: flag('--json', 'the result as one JSON document'),
  },
  examples: [
    { line: 'sudo launchwarden canary', says: 'is everything seen, judged, stored and delivered?' },
    { line: 'sudo launchwarden canary --json', says: 'the same for a script' },
  ],
  needs: 'a running agent; root when it runs as root',
  async handler({ context, options }) {
    const { io, out, clock } = context;
    const { dataDir, root } = await context.settings();
    if (io.platform !== 'darwin' && root === undefined)
      throw new UserError('canary/no-mac', 'the canary is a launch item: it needs launchd', {
        hint: 'On another system name a tree with --root that has a stand-in for launchctl.',
      });
    const show = (step: CanaryStep) => options.json || printStep(step, out);
    const signal = io.interruption();
    const result = await runCanary({
      dataDir,
      root: new RootMap(root),
      clock,
      uid: (io.system ?? thisSystem()).uid,
      timeoutMs: options.timeout ?? defaultTimeoutMs,
      ask: (op, args) => context.askDaemon(op, args),
      signal,
      onStep: show,
      onCleaned: (line) => options.json || out.line(`cleaned up after an earlier run: ${safe(line)}`),
    });
    if (result === undefined) throw await notRunning(context);
    if (options.json) out.document('canary/1', result);
    else printEnd(result, out, signal.aborted);
    return result.ok ? ExitCode.ok : ExitCode.checkFailed;
  },
});

function readTimeout(text: string): number {
  const micros = parseDuration(text);
  const milliseconds = micros === undefined ? 0 : Math.round(micros / 1000);
  if (milliseconds >= 1_000 && milliseconds <= longestTimeoutMs) return milliseconds;
  throw new UserError('cli/invalid-value', `--timeout is no time between 1s and 9m`, {
    hint: 'Write it with a unit: 90s, 2m.',
  });
}

const width = 10;

function printStep({ link, destination, ok, after_ms, detail, cure }: CanaryStep, out: Output): void {
  const word = out.style(ok ? 'green' : 'red', pad(ok ? 'ok' : 'BROKEN', 7));
  const time = after_ms === undefined ? '' : `after ${formatDuration(after_ms * 1000)}`;
  const text = [destination === undefined ? '' : `to ${safe(destination)}`, safe(detail) ?? '']
    .filter((one) => one !== '')
    .join(', ');
  out.line(`${word} ${pad(link, width)} ${pad(time, 14)} ${text}`.trimEnd());
  if (cure !== undefined)
    out.line(`${' '.repeat(8)}${' '.repeat(width)} ${pad('', 14)} to do: ${safe(cure)}`);
}

function printEnd(result: CanaryResult, out: Output, aborted: boolean): void {
  if (aborted) out.line('\nInterrupted: the canary was taken away, and says nothing.');
  else if (result.ok) out.line('\nThe whole chain holds.');
  else out.line(out.style('red', `\nThe chain is broken: ${safe(brokenText(result)) ?? ''}.`));
}
