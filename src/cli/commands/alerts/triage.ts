import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { AlertStatus } from '../../../event/alert.js';
import { defineCommand, list, type OptionValues, value } from '../../define-command.js';
import { changeAlerts } from './change.js';
import { closeReason, reasonWords, tagWord } from './filters.js';
import { changeOptions, selectAlerts } from './select.js';

const options = {
  ...changeOptions,
  note: value('--note TEXT', 'why; kept with the alert', (text) => text),
} as const;

const idArgument = [
  { name: '[ID...]', summary: 'ids of alerts, or beginnings that only one has (8 characters)' },
];

const filterText =
  'Names alerts by their ids, or by a filter: without --yes a filter shows what it finds and changes nothing. What is so\n' +
  'already is said, and left as it is.';

const needs = 'root, when the agent runs as a daemon (it writes for us, through its socket)';

type Handler = Parameters<typeof defineCommand<typeof options>>[0]['handler'];

const waiting: readonly AlertStatus[] = ['open', 'acknowledged'];

const handlerFor =
  (
    action: AlertStatus,
    how: { readonly verb: string; readonly status: readonly AlertStatus[]; readonly done: string },
  ): Handler =>
  async ({ context, options: given, args }) => {
    const selection = await selectAlerts(context, args, { options: given, ...how });
    if (selection === undefined) return ExitCode.checkFailed;
    const change = { action, text: given.note ?? '', done: how.done };
    return changeAlerts(context, selection, [change], given.json);
  };

export const alertsAck = defineCommand({
  description: `${filterText} An alert that is closed stays closed.`,
  arguments: idArgument,
  options,
  examples: [
    { line: 'launchwarden alerts ack 3f9a01aa --note "asked alice"', says: 'somebody looks at it' },
    { line: 'launchwarden alerts ack --severity low --since 24h', says: 'shows which ones; --yes does it' },
  ],
  needs,
  handler: handlerFor('acknowledged', { verb: 'acknowledge', status: ['open'], done: 'acknowledged' }),
});

const closeOptions = {
  ...options,
  reason: value('--reason REASON', reasonWords.join(', '), closeReason('--reason')),
} as const;

export const alertsClose = defineCommand({
  description: `${filterText} The reason goes into the alert, and to the SIEM.`,
  arguments: idArgument,
  options: closeOptions,
  examples: [
    {
      line: 'launchwarden alerts close 3f9a01aa 77c077c0 --reason benign --note "our MDM"',
      says: 'two alerts are done with',
    },
    {
      line: 'launchwarden alerts close --tag mdm --reason false-positive',
      says: 'shows which ones; --yes does it',
    },
  ],
  needs,
  async handler({ context, options: given, args }) {
    const selection = await selectAlerts(context, args, { options: given, verb: 'close', status: waiting });
    if (selection === undefined) return ExitCode.checkFailed;
    const { reason } = given;
    const change = {
      action: 'closed' as const,
      text: given.note ?? '',
      ...(reason === undefined ? {} : { value: reason }),
      done: reason === undefined ? 'closed' : `closed as ${reason.replace('_', ' ')}`,
    };
    return changeAlerts(context, selection, [change], given.json);
  },
});

export const alertsReopen = defineCommand({
  description: filterText,
  arguments: idArgument,
  options,
  examples: [{ line: 'launchwarden alerts reopen 3f9a01aa', says: 'it was not our MDM after all' }],
  needs,
  handler: handlerFor('open', { verb: 'reopen', status: ['closed'], done: 'open' }),
});

function personOf(option: string): (text: string) => string {
  return (text) => {
    if (text !== '' && text.length <= 100 && !/[\s,]/.test(text)) return text === 'none' ? '' : text;
    throw new UserError(
      'cli/invalid-value',
      `${option} is ${quote(text, 100)}; expected a name without blanks, or none`,
    );
  };
}

const assignOptions = {
  ...options,
  to: value('--to NAME', 'who works on it; none: nobody', personOf('--to')),
} as const;

export const alertsAssign = defineCommand({
  description: `${filterText} Without --to it is yours.`,
  arguments: idArgument,
  options: assignOptions,
  examples: [
    { line: 'launchwarden alerts assign 3f9a01aa --to alice', says: 'alice works on it' },
    {
      line: 'launchwarden alerts assign --assignee none --severity high',
      says: 'what nobody works on becomes yours',
    },
  ],
  needs,
  async handler({ context, options: given, args }) {
    const selection = await selectAlerts(context, args, { options: given, verb: 'assign', status: waiting });
    if (selection === undefined) return ExitCode.checkFailed;
    const { authorOf } = await import('../../author.js');
    const to = given.to ?? authorOf(context.io);
    const done = to === '' ? 'assigned to nobody' : `assigned to ${quote(to).slice(1, -1)}`;
    const change = { action: 'assigned' as const, text: given.note ?? '', value: to, done };
    return changeAlerts(context, selection, [change], given.json);
  },
});

const tagOptions = {
  ...options,
  add: list('--add TAG', 'put it on', tagWord('--add')),
  remove: list('--remove TAG', 'take it off', tagWord('--remove')),
} as const;

function tagChanges({ add, remove, note = '' }: OptionValues<typeof tagOptions>) {
  return [
    ...add.map((tag) => ({ action: 'tagged' as const, text: note, value: tag, done: `tagged ${tag}` })),
    ...remove.map((tag) => ({
      action: 'untagged' as const,
      text: note,
      value: tag,
      done: `without tag ${tag}`,
    })),
  ];
}

export const alertsTag = defineCommand({
  description: `${filterText} "alerts list --tag" finds them again.`,
  arguments: idArgument,
  options: tagOptions,
  examples: [
    { line: 'launchwarden alerts tag 3f9a01aa --add incident-7,mdm', says: 'two tags' },
    { line: 'launchwarden alerts tag --tag mdm --remove mdm', says: 'from all that have it; --yes does it' },
  ],
  needs,
  async handler({ context, options: given, args }) {
    const changes = tagChanges(given);
    if (changes.length === 0)
      throw new UserError('alerts/no-tag', 'no tag is named', { hint: 'Write --add TAG or --remove TAG.' });
    const selection = await selectAlerts(context, args, {
      options: given,
      verb: 'tag',
      status: ['open', 'acknowledged', 'closed'],
    });
    if (selection === undefined) return ExitCode.checkFailed;
    return changeAlerts(context, selection, changes, given.json);
  },
});
