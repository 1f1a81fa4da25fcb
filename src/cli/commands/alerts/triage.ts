import type { AlertStatus } from '../../../event/alert.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { changeAlerts } from './change.js';

const options = {
  note: value('--note TEXT', 'why; kept with the alert', (text) => text),
  json: flag('--json', 'the changed alerts, one JSON document a line'),
} as const;

const idArgument = [{ name: 'ID...', summary: 'id of an alert, or a beginning that only one has' }];

const needs = 'root, when the agent runs as a daemon (it writes for us, through its socket)';

const handlerFor =
  (status: AlertStatus): Parameters<typeof defineCommand<typeof options>>[0]['handler'] =>
  ({ context, options: { note, json }, args }) =>
    changeAlerts(context, args, { action: status, text: note ?? '', json });

export const alertsAck = defineCommand({
  arguments: idArgument,
  options,
  examples: [{ line: 'launchwarden alerts ack 3f9a01 --note "asked alice"', says: 'somebody looks at it' }],
  needs,
  handler: handlerFor('acknowledged'),
});

export const alertsClose = defineCommand({
  arguments: idArgument,
  options,
  examples: [
    { line: 'launchwarden alerts close 3f9a01 77c0 --note "our MDM"', says: 'two alerts are done with' },
  ],
  needs,
  handler: handlerFor('closed'),
});

export const alertsReopen = defineCommand({
  arguments: idArgument,
  options,
  examples: [{ line: 'launchwarden alerts reopen 3f9a01', says: 'it was not our MDM after all' }],
  needs,
  handler: handlerFor('open'),
});
