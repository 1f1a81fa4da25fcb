import type { CliIo } from '../io.js';
import { createOutput, type Output } from './output.js';
import { textWidth } from './width.js';

/** Without a PAGER of the user's own; what is not there prints as usual. */
const usual = 'less';

/** The pager as a program with its arguments: the words of $PAGER, read by no shell. Undefined where there is to be none. */
export function pagerOf({ env, stdout }: Pick<CliIo, 'env' | 'stdout'>): readonly string[] | undefined {
  if (!stdout.isTTY || env['TERM'] === 'dumb') return undefined;
  const words = (env['PAGER'] ?? usual).split(/\s+/).filter((word) => word !== '');
  return words.length === 0 || words[0] === 'cat' ? undefined : words;
}

/** Calls `print` with an output whose text is shown by the pager when it is longer than the terminal is high. */
export async function paged(io: CliIo, print: (out: Output) => void): Promise<void> {
  const pager = pagerOf(io);
  const direct = createOutput(io);
  if (pager === undefined || io.page === undefined || direct.height === undefined) {
    print(direct);
    return;
  }
  let text = '';
  print(createOutput({ ...io, stdout: { ...sinkLike(io), write: (more) => (text += more) } }));
  const { width = Number.POSITIVE_INFINITY, height } = direct;
  const rows = text
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / width)), 0);
  if (rows > height && (await io.page(pager, text))) return;
  io.stdout.write(text);
}

function sinkLike({ stdout }: Pick<CliIo, 'stdout'>) {
  const { isTTY, columns, rows } = stdout;
  return { isTTY, columns, rows };
}
