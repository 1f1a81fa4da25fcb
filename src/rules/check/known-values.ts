import { nearest } from '../../base/nearest.js';

/** Values that ECS allows, of fields with a closed list of them (ecs "Event Categorization Fields", 8.11). */
const closed: Readonly<Record<string, readonly string[]>> = {
  'event.kind': ['alert', 'asset', 'enrichment', 'event', 'metric', 'state', 'pipeline_error', 'signal'],
  'event.outcome': ['failure', 'success', 'unknown'],
  'event.type': [
    ...[
      'access',
      'admin',
      'allowed',
      'change',
      'connection',
      'creation',
      'deletion',
      'denied',
      'device',
      'end',
    ],
    ...['error', 'group', 'indicator', 'info', 'installation', 'protocol', 'start', 'user'],
    // Older sensors of Elastic said these of processes.
    ...['process_started', 'already_running', 'image-load', 'fork', 'exec'],
  ],
};

/** Of open lists: values that people write for others. */
const mistaken: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'event.action': {
    creation: 'On macOS a new file is a "modification"; event.type "creation" tells it from a change.',
    created: 'On macOS a new file is a "modification"; event.type "creation" tells it from a change.',
    create: 'On macOS a new file is a "modification"; event.type "creation" tells it from a change.',
    deleted: 'It is "deletion".',
    renamed: 'It is "rename".',
    modified: 'It is "modification".',
    start: 'On macOS a process that starts is an "exec"; event.type is "start".',
    execve: 'It is "exec".',
  },
};

/** What to write in place of a value that a field never has; undefined when it may have it. */
export function neverValue(field: string, value: string): string | undefined {
  const instead = mistaken[field];
  if (instead !== undefined && Object.hasOwn(instead, value)) return instead[value];
  const known = Object.hasOwn(closed, field) ? closed[field] : undefined;
  if (known === undefined || known.includes(value)) return undefined;
  const near = nearest(value, known);
  return near === undefined ? `It is one of ${known.join(', ')}.` : `Did you mean "${near}"?`;
}
