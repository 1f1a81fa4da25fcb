import type { Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';
import type { Store } from '../store/index.js';

const key = 'rules.running';
const named = 10;

/**
 * Compares the rules that run with those that ran before, as the store has them, and remembers them. What does not run any
 * more is a gap since `before`, whoever took it away: a file, a setting, an error in it. May throw what the store fails with.
 */
export function rulesGone(
  { meta }: Pick<Store, 'meta'>,
  running: ReadonlyMap<string, string>,
  { before, now }: { readonly before: Micros; readonly now: Micros },
): Gap | undefined {
  const known = readRules(meta.get(key));
  const text = JSON.stringify([...running].sort());
  if (meta.get(key) !== text) meta.set(key, text);
  const gone = known.filter(([id]) => !running.has(id)).map(([, name]) => name);
  if (gone.length === 0) return undefined;
  const more = gone.length > named ? ` and ${gone.length - named} more` : '';
  const detail = `${gone.length === 1 ? 'a rule that ran before does not run' : `${gone.length} rules that ran before do not run`}: ${gone.slice(0, named).join(', ')}${more}`;
  return { sensor: 'agent', reason: 'rules-gone', from: Math.min(before, now), to: now, detail };
}

function readRules(text: string | undefined): (readonly [string, string])[] {
  try {
    const list = JSON.parse(text ?? '[]') as unknown;
    return Array.isArray(list) ? list.filter((one) => Array.isArray(one) && one.length === 2) : [];
  } catch {
    return [];
  }
}
