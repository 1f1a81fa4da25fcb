/** Eight groups of 16 bits; an IPv4 address as the IPv6 address that stands for it (`::ffff:a.b.c.d`). */
export type Address = readonly number[];

export interface Block {
  readonly address: Address;
  /** 0 to 128. */
  readonly bits: number;
}

const octet = /^\d{1,3}$/;
const group = /^[0-9a-fA-F]{1,4}$/;

/** The address that a text is, or undefined. A zone (`%en0`) is left out. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 64) return undefined;
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (!bare.includes(':')) {
    const four = parseFour(bare);
    return four === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, ...four];
  }
  return parseSix(bare);
}

function parseFour(text: string): readonly [number, number] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (octet.test(part) ? Number(part) : 256));
  if (bytes.some((byte) => byte > 255)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return [(a << 8) | b, (c << 8) | d];
}

function parseSix(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 8 ? head : undefined;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? undefined : [...head, ...new Array<number>(gap).fill(0), ...tail];
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const found: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (group.test(part)) {
      found.push(Number.parseInt(part, 16));
      continue;
    }
    const four = index === parts.length - 1 ? parseFour(part) : undefined;
    if (four === undefined) return undefined;
    found.push(...four);
  }
  return found.length > 8 ? undefined : found;
}

/** `10.0.0.0/8`, `::1/128`, or a bare address, which is a block of one. Undefined when it is neither. */
export function parseBlock(text: string): Block | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const offset = text.includes(':') ? 0 : 96;
  if (slash < 0) return { address, bits: 128 };
  const length = text.slice(slash + 1);
  const bits = octet.test(length) ? Number(length) + offset : 129;
  return bits > 128 ? undefined : { address, bits };
}

export function inBlock(address: Address, block: Block): boolean {
  for (let index = 0, left = block.bits; left > 0; index++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if ((((address[index] as number) ^ (block.address[index] as number)) & mask) !== 0) return false;
  }
  return true;
}
