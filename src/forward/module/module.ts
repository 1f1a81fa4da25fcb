import { pathToFileURL } from 'node:url';
import type * as v from 'valibot';
import { messageOf, UserError } from '../../base/errors.js';
import { OwnershipCheck, realFiles } from '../../base/ownership.js';
import type { Destination } from '../destination.js';
import type { moduleOptions } from './options.js';

export type ModuleOptions = v.InferOutput<typeof moduleOptions>;

/** What a destination module exports as its default. */
export type DestinationFactory = (context: {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: string;
}) =>
  | (Pick<Destination, 'send'> & Partial<Destination>)
  | Promise<Pick<Destination, 'send'> & Partial<Destination>>;

/** The module runs as we do: neither it nor a folder above it may be changed by anyone else. */
function checkOwner(file: string): void {
  new OwnershipCheck(realFiles, {
    owners: [...new Set([0, process.geteuid?.() ?? 0])],
    stickyPasses: true,
    refuse: (place, reason, cause) =>
      new UserError('forward/unsafe-module', `${place} ${reason}; the destination module ${file} is run`, {
        hint: 'Keep it in a folder that only root may write to.',
        cause,
      }),
  }).path(file);
}

/**
 * Loads a destination that somebody else wrote. Throws a UserError when that cannot be done. `attempt`: Node.js remembers a
 * module that it loaded, or could not load, under its address, so that each further attempt needs another one.
 */
export async function openModule(
  name: string,
  options: ModuleOptions,
  how: { readonly version: string; readonly attempt: number },
): Promise<Destination> {
  const fail = (message: string, cause?: unknown) =>
    new UserError('forward/module', `destination "${name}": ${message}`, {
      hint: 'A destination module has a default export: ({ name, settings, version }) => ({ send, probe?, close?, limits?, network? }).',
      cause,
    });
  checkOwner(options.path);
  let made: Partial<Destination>;
  try {
    const address = pathToFileURL(options.path);
    if (how.attempt > 0) address.search = `attempt=${how.attempt}`;
    const loaded = (await import(address.href)) as { default?: unknown };
    if (typeof loaded.default !== 'function') throw new Error('it has no default export that is a function');
    made = await (loaded.default as DestinationFactory)({
      name,
      settings: options.settings,
      version: how.version,
    });
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (typeof made?.send !== 'function') throw fail('what it made has no "send"');
  const { send } = made;
  return {
    name,
    type: 'module',
    // Across a network unless it says otherwise: simulated events are kept back then.
    network: made.network !== false,
    limits: { maxItems: made.limits?.maxItems ?? 100, maxBytes: made.limits?.maxBytes ?? 1024 * 1024 },
    ...(made.stream === undefined ? {} : { stream: (item) => String(made.stream?.(item)).slice(0, 200) }),
    send: (items, signal) => send.call(made, items, signal),
    probe: async (signal) => made.probe?.(signal) ?? { ok: true, detail: 'the module has no probe' },
    close: async () => made.close?.(),
  };
}
