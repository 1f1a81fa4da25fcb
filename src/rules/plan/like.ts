/** A pattern as the texts between its wildcards `*`; within a text null stands for `?`, one code point. */
export interface Pattern {
  readonly parts: readonly Part[];
}

interface Part {
  /** The literal text when the part holds no `?`. */
  readonly text: string | undefined;
  /** The longest text in it without a `?`. */
  readonly longest: string;
  /** Code points, null for `?`. */
  readonly points: readonly (number | null)[];
}

export type TextTest = (text: string) => boolean;

/** A part with `?` that stands between two `*` is searched with one bit a code point. */
const maxSearched = 4096;

/** Why a wildcard pattern is refused, or undefined. */
export function validateWildcard(pattern: string): string | undefined {
  const searched = pattern.split('*').slice(1, -1);
  return searched.some((part) => part.includes('?') && part.length > maxSearched)
    ? `a part with ? between two * has at most ${maxSearched} characters`
    : undefined;
}

/** EQL's `*` and `?`. There is no escape: every other character, backslash included, stands for itself. */
export function eqlPattern(text: string): Pattern {
  return {
    parts: text.split('*').map((part) => ({
      text: part.includes('?') ? undefined : part,
      longest: part.split('?').reduce((best, one) => (one.length > best.length ? one : best)),
      points: Array.from(part, (one) => (one === '?' ? null : (one.codePointAt(0) as number))),
    })),
  };
}

/** A pattern of literal texts with a `*` between each two. */
export function textPattern(texts: readonly string[]): Pattern {
  return { parts: texts.map((text) => ({ text, longest: text, points: [] })) };
}

export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/** The test whether a whole text has the form of the pattern, in time linear in the text. */
export function patternTest(pattern: Pattern): TextTest {
  const [first, ...rest] = pattern.parts as [Part, ...Part[]];
  const last = rest.pop();
  if (last === undefined) return wholeTest(first);
  if (rest.length === 0 && first.text !== undefined && last.text !== undefined) {
    return endsTest(first.text, last.text);
  }
  if (rest.length === 1 && first.text !== undefined && last.text === '' && rest[0]?.text !== undefined) {
    const [start, text] = [first.text, rest[0].text];
    if (start === '') return (value) => value.includes(text);
    return (value) => value.startsWith(start) && value.includes(text, start.length);
  }
  const startOf = prefixStep(first);
  const searches = rest.map(searchStep);
  const endOf = suffixStep(last);
  return (value) => {
    let at = startOf(value);
    for (const search of searches) {
      if (at < 0) return false;
      at = search(value, at);
    }
    return at >= 0 && endOf(value, at);
  };
}

function endsTest(start: string, end: string): TextTest {
  if (end === '') return start === '' ? () => true : (value) => value.startsWith(start);
  if (start === '') return (value) => value.endsWith(end);
  const least = start.length + end.length;
  return (value) => value.length >= least && value.startsWith(start) && value.endsWith(end);
}

function wholeTest({ text, points }: Part): TextTest {
  if (text !== undefined) return (value) => value === text;
  return (value) => matchAt(value, 0, points) === value.length;
}

/** Where the points end when they match at `at`, or -1. */
function matchAt(value: string, at: number, points: readonly (number | null)[]): number {
  for (const point of points) {
    if (at >= value.length) return -1;
    const found = value.codePointAt(at) as number;
    if (point !== null && point !== found) return -1;
    at += found > 0xffff ? 2 : 1;
  }
  return at;
}

function prefixStep({ text, points }: Part): (value: string) => number {
  if (text !== undefined) return (value) => (value.startsWith(text) ? text.length : -1);
  return (value) => matchAt(value, 0, points);
}

function suffixStep({ text, points }: Part): (value: string, from: number) => boolean {
  if (text !== undefined) {
    return (value, from) => value.length - from >= text.length && value.endsWith(text);
  }
  return (value, from) => {
    let at = value.length;
    for (let left = points.length; left > 0; left--) {
      if (at <= from) return false;
      at -= at - 2 >= from && (value.codePointAt(at - 2) as number) > 0xffff ? 2 : 1;
    }
    return matchAt(value, at, points) === value.length;
  };
}

/** The leftmost place at or after `from`: gives where it ends, or -1. */
function searchStep({ text, points }: Part): (value: string, from: number) => number {
  if (text !== undefined) {
    return (value, from) => {
      const at = value.indexOf(text, from);
      return at < 0 ? -1 : at + text.length;
    };
  }
  return bitSearch(points);
}

/**
 * Shift-and: bit i is set while the last i + 1 code points match the first i + 1 of the part. All matches have the same
 * number of code points, so the first to end is the leftmost.
 */
function bitSearch(points: readonly (number | null)[]): (value: string, from: number) => number {
  const words = Math.ceil(points.length / 32);
  const any = new Uint32Array(words);
  const masks = new Map<number, Uint32Array>();
  const bit = (index: number) => (1 << (index & 31)) >>> 0;
  points.forEach((point, index) => {
    if (point === null) any[index >> 5]! |= bit(index);
  });
  points.forEach((point, index) => {
    if (point === null) return;
    const mask = masks.get(point) ?? Uint32Array.from(any);
    mask[index >> 5]! |= bit(index);
    masks.set(point, mask);
  });
  const final = bit(points.length - 1);
  return (value, from) => {
    const state = new Uint32Array(words);
    for (let at = from; at < value.length; ) {
      const point = value.codePointAt(at) as number;
      at += point > 0xffff ? 2 : 1;
      const mask = masks.get(point) ?? any;
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const before = state[word] as number;
        state[word] = ((before << 1) | carry) & (mask[word] as number);
        carry = before >>> 31;
      }
      if (((state[words - 1] as number) & final) !== 0) return at;
    }
    return -1;
  };
}
