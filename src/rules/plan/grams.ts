/** A needle is looked for by four of its UTF-16 units in a row: shorter ones cannot be indexed. */
export const leastNeedle = 4;

// Four bits a unit, four units, sixteen bits: the code of a place depends on the last four units alone.
const shift = 4;
const mask = 0xffff;

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
  readonly #some = new Uint8Array(mask + 1);
  readonly #placed = new Map<number, Placed[]>();

  constructor(needles: readonly Needle[]) {
    const counts = new Map<number, number>();
    for (const { text } of needles) {
      for (const code of codesOf(text)) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    for (const needle of needles) {
      // The rarest of its places: what many needles share, most texts have too ("/Library/").
      const codes = codesOf(needle.text);
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
function codesOf(text: string): number[] {
  const codes: number[] = [];
  let code = 0;
  for (let at = 0; at < text.length; at++) {
    code = ((code << shift) ^ text.charCodeAt(at)) & mask;
    if (at >= leastNeedle - 1) codes.push(code);
  }
  return codes;
}
