import { things } from '../../../base/count.js';
import { ExitCode } from '../../../base/errors.js';
import { formatMicros } from '../../../base/time.js';
import { isolatedUntil, quarantined } from '../../../respond/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { Sheet } from '../../output/sheet.js';
import { armedWatches, responsesHere } from './list.js';

const schema = 'response-status/1';

export const respondStatus = defineCommand({
  options: { json: flag('--json', 'one JSON document') },
  examples: [{ line: 'sudo launchwarden respond status', says: 'what is in force now' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options: { json } }) {
    const { respond } = await context.settings();
    const responses = await responsesHere(context);
    const inside = responses.flatMap((one) =>
      quarantined(one).map((move) => ({ response: one.id, ...move })),
    );
    const isolated = responses.map(isolatedUntil).find((until) => until !== undefined);
    const cutOff = responses.filter(({ state }) => state === 'running' || state === 'undoing');
    const watches = await armedWatches(context);
    const { automatic, perHour, isolation } = respond;
    if (json) {
      context.out.document(schema, {
        quarantined: inside.map(({ response, path, box, sha256 }) => ({
          response,
          path,
          box,
          sha256: sha256 ?? null,
        })),
        isolated_until: isolated === undefined ? null : formatMicros(isolated),
        isolation_enabled: isolation.enabled,
        cut_off: cutOff.map(({ id }) => id),
        watches: watches.map(({ response, kind, value, hits }) => ({ response, kind, value, hits })),
        automatic,
        per_hour: perHour,
      });
      return ExitCode.ok;
    }
    const sheet = new Sheet(context.out);
    sheet.section('Responses', (lines) => {
      lines.field('quarantined', inside.length === 0 ? 'nothing' : undefined);
      for (const { path, response } of inside)
        lines.field('quarantined', `${safe(path)} (response ${response})`);
      lines.field(
        'network',
        isolated === undefined
          ? `open${isolation.enabled ? '' : ' (isolation is switched off)'}`
          : `cut off until ${formatMicros(isolated)}`,
      );
      lines.field('cut off', cutOff.map(({ id }) => id).join(', '));
      for (const { kind, value, hits } of watches)
        lines.field(
          'watches for',
          `${kind} ${safe(value)}${hits === 0 ? '' : `: came back ${things(hits, 'time')}`}`,
        );
    });
    sheet.section('By itself', (lines) => {
      if (automatic.length === 0) lines.field('automatic', 'nothing');
      else lines.field('limit', `${perHour} an hour`);
      for (const { rule, action, shadow } of automatic)
        lines.field(
          'automatic',
          `${safe(rule)}: ${action}${shadow && action !== 'notify' ? ' (shadow mode: only tells)' : ''}`,
        );
    });
    return ExitCode.ok;
  },
});
