/** A binary property list from its objects' bytes, as a trailer-honest writer would lay it out. */
export function binaryPlist(objects: readonly (readonly number[])[], top = 0): Uint8Array {
  const header = [...Buffer.from('bplist00')];
  const offsets: number[] = [];
  const body: number[] = [];
  for (const object of objects) {
    offsets.push(header.length + body.length);
    body.push(...object);
  }
  const table = header.length + body.length;
  return Uint8Array.from([
    ...header,
    ...body,
    ...offsets.flatMap((offset) => [offset >> 8, offset & 0xff]),
    ...trailer({ offsetSize: 2, refSize: 1, count: objects.length, top, table }),
  ]);
}

export interface Trailer {
  readonly offsetSize: number;
  readonly refSize: number;
  readonly count: number;
  readonly top: number;
  readonly table: number;
}

export function trailer({ offsetSize, refSize, count, top, table }: Trailer): number[] {
  const long = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return [...bytes];
  };
  return [0, 0, 0, 0, 0, 0, offsetSize, refSize, ...long(count), ...long(top), ...long(table)];
}

export function ascii(text: string): number[] {
  const bytes = [...Buffer.from(text, 'latin1')];
  return bytes.length < 15 ? [0x50 | bytes.length, ...bytes] : [0x5f, 0x10, bytes.length, ...bytes];
}

export function xml(body: string): Uint8Array {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">${body}</plist>
`);
}
