/** A needle is looked for by four of its UTF-16 units in a row: shorter ones cannot be indexed. */
export const leastNeedle = 4;

// Bits a unit; times four units they are the bits of a code, which so depends on the last four units alone. The table of
// a small index fits the processor's cache beside all the others.
const smallShift = 3;
const largeShift = 4;
const largeFrom = 64;

interface Needle {
  readonly text: string;
  readonly index: number;
}

/** A needle by the four units that were chosen of it. */
interface Placed extends Needle {
  /** Units of the needle up to and including the chosen ones. */
  readonly end: number;
}

/** Finds which of many needles occur in a text, in one pass over it. */
export class GramIndex {
  readonly #shift: number;
  readonly #some: Uint8Array;
  readonly #placed = new Map<number, Placed[]>();

  constructor(needles: readonly Needle[]) {
    this.#shift = needles.length < largeFrom ? smallShift : largeShift;
    this.#some = new Uint8Array(1 << (this.#shift * leastNeedle));
    const counts = new Map<number, number>();
    for (const { text } of needles) {
      for (const code of codesOf(text, this.#shift)) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    for (const needle of needles) {
      // The rarest of its places: what many needles share, most texts have too ("/Library/").
      const codes = codesOf(needle.text, this.#shift);
      let best = 0;
      for (let at = 1; at < codes.length; at++) {
        if ((counts.get(codes[at] as number) ?? 0) < (counts.get(codes[best] as number) ?? 0)) best = at;
      }
      this.#place(codes[best] as number, { ...needle, end: best + leastNeedle });
    }
  }

  /** Adds the indices of the needles in `text`; one may come more than once. */
  collect(text: string, found: number[]): void {
    const some = this.#some;
    const shift = this.#shift;
    const mask = some.length - 1;
    let code = 0;
    for (let at = 0; at < text.length; at++) {
      code = ((code << shift) ^ text.charCodeAt(at)) & mask;
      if (some[code] !== 0) this.#check(text, { code, after: at + 1 }, found);
    }
  }

  #check(text: string, { code, after }: { code: number; after: number }, found: number[]): void {
    for (const { text: needle, index, end } of this.#placed.get(code) ?? []) {
      if (text.startsWith(needle, after - end)) found.push(index);
    }
  }

  #place(code: number, needle: Placed): void {
    this.#some[code] = 1;
    const same = this.#placed.get(code);
    if (same === undefined) this.#placed.set(code, [needle]);
    else same.push(needle);
  }
}

/** The code of every place of a text, the first of them that of its first four units. */
function codesOf(text: string, shift: number): number[] {
  const mask = (1 << (shift * leastNeedle)) - 1;
  const codes: number[] = [];
  let code = 0;
  for (let at = 0; at < text.length; at++) {
    code = ((code << shift) ^ text.charCodeAt(at)) & mask;
    if (at >= leastNeedle - 1) codes.push(code);
  }
  return codes;
}
