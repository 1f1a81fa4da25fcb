/** One line of a difference of texts. `gap`: lines in between that are the same in both; their count is the text. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+' | 'gap';
  readonly text: string;
}

/** Lines that are compared one by one, beside those that both texts begin and end with; more are shown as replaced. */
const maxLines = 2_000;
const contextLines = 3;

/** What differs between two texts, line by line, with some lines around it. Empty when they are the same. */
export function lineDifference(before: string, after: string): DiffLine[] {
  if (before === after) return [];
  const old = before.split('\n');
  const now = after.split('\n');
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (
    end < old.length - start &&
    end < now.length - start &&
    old[old.length - 1 - end] === now[now.length - 1 - end]
  )
    end++;
  const middle = between(old.slice(start, old.length - end), now.slice(start, now.length - end));
  const same = (lines: readonly string[]) => lines.map((text): DiffLine => ({ mark: ' ', text }));
  return folded([...same(old.slice(0, start)), ...middle, ...same(old.slice(old.length - end))]);
}

/** By the longest sequence of lines that both have. */
function between(old: readonly string[], now: readonly string[]): DiffLine[] {
  const gone = old.map((text): DiffLine => ({ mark: '-', text }));
  const come = now.map((text): DiffLine => ({ mark: '+', text }));
  if (old.length === 0 || now.length === 0 || old.length > maxLines || now.length > maxLines)
    return [...gone, ...come];
  const width = now.length + 1;
  // How many lines the rests of both have in common.
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      common[i * width + j] =
        old[i] === now[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      lines.push({ mark: ' ', text: old[i]! });
      i++;
      j++;
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) lines.push(gone[i++]!);
    else lines.push(come[j++]!);
  }
  return [...lines, ...gone.slice(i), ...come.slice(j)];
}

/** Without the lines that are far from everything that differs. */
function folded(lines: readonly DiffLine[]): DiffLine[] {
  const near = new Uint8Array(lines.length);
  for (const [index, { mark }] of lines.entries())
    if (mark !== ' ') near.fill(1, Math.max(0, index - contextLines), index + contextLines + 1);
  const shown: DiffLine[] = [];
  let left = 0;
  for (const [index, line] of lines.entries()) {
    if (near[index] === 1) {
      if (left > 0) shown.push({ mark: 'gap', text: String(left) });
      left = 0;
      shown.push(line);
    } else left++;
  }
  if (left > 0) shown.push({ mark: 'gap', text: String(left) });
  return shown;
}
