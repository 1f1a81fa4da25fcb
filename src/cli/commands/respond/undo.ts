import { allResponses } from '../../../respond/index.js';
import { defineCommand } from '../../define-command.js';
import { actNeeds, actOptions, undo } from './act.js';
import { findResponse } from './list.js';

export const respondUndo = defineCommand({
  description:
    'Takes a response back, the last step first, and ends what it watches for. A step that cannot be undone is said, and\n' +
    'the others are. Nothing is put where something else stands by now. Exceptions make no difference to it.',
  arguments: [{ name: 'ID', summary: 'id of a response, or a beginning that only one has' }],
  options: actOptions,
  examples: [
    { line: 'sudo launchwarden respond undo 7be1a05d --dry-run', says: 'what would be put back' },
    { line: 'sudo launchwarden respond undo 7be1a05d', says: 'everything back where it was' },
  ],
  needs: actNeeds,
  handler: ({ context, options, args: [written = ''] }) =>
    undo(context, options, (dataDir) => findResponse(allResponses(dataDir), written)),
});
