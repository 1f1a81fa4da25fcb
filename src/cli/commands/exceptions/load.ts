import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { didYouMean } from '../../../base/nearest.js';
import { type LoadedExceptions, loadExceptions } from '../../../rules/index.js';
import type { ExceptionHits } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { type ListedException, stateOf } from './exception-document.js';

export interface ListedExceptions extends LoadedExceptions {
  readonly listed: readonly ListedException[];
}

/** The exceptions of the configuration with the counts of the agent. */
export async function loadListed(context: CommandContext): Promise<ListedExceptions> {
  const settings = await context.settings();
  const loaded = loadExceptions(settings.exceptions.folders, settings.exceptions.packs);
  const hits = await storedHits(context, settings.dataDir);
  const now = context.clock.now();
  const listed = loaded.exceptions.map((exception) => ({
    exception,
    hits: hits.get(exception.id),
    state: stateOf(exception, now),
  }));
  return { ...loaded, listed };
}

/** None where no agent has run yet. */
async function storedHits(
  context: CommandContext,
  dataDir: string,
): Promise<ReadonlyMap<string, ExceptionHits>> {
  if (!existsSync(path.join(dataDir, 'launchwarden.db'))) return new Map();
  return context.withStore((store) => new Map(store.exceptionHits.list().map((one) => [one.id, one])));
}

/** Throws a UserError that names the nearest known id. */
export function findException({ listed }: ListedExceptions, written: string): ListedException {
  const found = listed.find(({ exception }) => exception.id === written);
  if (found !== undefined) return found;
  const ids = listed.map(({ exception }) => exception.id);
  throw new UserError('exceptions/unknown', `there is no exception ${quote(written, 100)}`, {
    hint: didYouMean(written, ids) ?? 'See "launchwarden exceptions list".',
  });
}
