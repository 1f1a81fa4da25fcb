import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { didYouMean } from '../../../base/nearest.js';
import { requireTrust } from '../../../config/index.js';
import { type DestinationOptions, destinationName } from '../../../forward/index.js';
import { thisSystem } from '../../../install/index.js';
import type { CommandContext } from '../../context.js';

function unknown(written: string, known: readonly string[]): UserError {
  return new UserError('forward/unknown', `there is no destination ${quote(written)}`, {
    hint:
      didYouMean(written, known) ??
      (known.length === 0 ? 'None is configured: add a [[destination]].' : `There are: ${known.join(', ')}.`),
  });
}

/**
 * The configured destination of a name, to be opened. Throws a UserError that names the nearest, or that says who else
 * could have written what root is about to use.
 */
export async function configuredDestination(
  context: CommandContext,
  written: string,
): Promise<DestinationOptions> {
  const settings = await context.settings();
  const found = settings.destinations.find((one) => destinationName(one) === written);
  if (found === undefined) throw unknown(written, settings.destinations.map(destinationName));
  requireTrust(settings, context.io.system ?? thisSystem());
  return found;
}

/** A name that is configured, or for which something still waits. Throws a UserError that names the nearest. */
export async function knownDestination(context: CommandContext, written: string): Promise<string> {
  const settings = await context.settings();
  const stored = await context.withStore((store) => store.outbox.states().map(({ name }) => name));
  const known = [...new Set([...settings.destinations.map(destinationName), ...stored])];
  if (known.includes(written)) return written;
  throw unknown(written, known);
}
