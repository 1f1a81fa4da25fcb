import { setTimeout as wait } from 'node:timers/promises';
import type { AlertQuery, Store } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { counted } from '../../output/output.js';
import { type ListedStory, storiesOf, storyLines } from './stories.js';

const pollMs = 250;
/** Enters a terminal's second screen and hides the cursor; the way back. */
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const wipe = '\u001b[H\u001b[2J';

/** The rows that fit so many lines, the newest of them last. */
function fitting(stories: readonly ListedStory[], context: CommandContext, room: number): string[] {
  for (let count = Math.min(stories.length, room); count > 0; count--) {
    const lines = storyLines(stories.slice(0, count).reverse(), context.out);
    if (lines.length <= room) return lines;
  }
  return [];
}

function screen(context: CommandContext, store: Store, query: AlertQuery): string {
  const { out, clock } = context;
  const height = out.height ?? 24;
  const asked: AlertQuery = { status: ['open', 'acknowledged'], ...query, limit: height };
  const { shown } = storiesOf(store, asked);
  const count = (status: 'open' | 'acknowledged') => counted(store.alerts.count({ ...query, status }));
  const head = `${count('open')} open, ${count('acknowledged')} acknowledged  ${out.times.at(clock.now())} ${out.times.zone}`;
  const body = shown.length === 0 ? ['No alerts wait.'] : fitting(shown, context, height - 3);
  const lines = [out.style('bold', head), '', ...body];
  return `${wipe}${lines.join('\n')}`;
}

/** The alerts that wait, drawn anew whenever one came or changed, until the signal. */
export async function showLive(how: {
  readonly context: CommandContext;
  readonly store: Store;
  readonly query: AlertQuery;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { context, store, query, signal } = how;
  const { stdout } = context.io;
  let seq = -1;
  let size = '';
  stdout.write(enter);
  try {
    while (!signal.aborted) {
      const now = store.alerts.lastChange();
      const nowSize = `${stdout.columns}x${stdout.rows}`;
      if (now !== seq || nowSize !== size) stdout.write(screen(context, store, query));
      seq = now;
      size = nowSize;
      await wait(pollMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    stdout.write(leave);
  }
}
