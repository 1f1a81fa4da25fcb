const unitBytes: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Reads `512 MiB`, `2GB`, `4096` as bytes. Undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]{0,3})$/i.exec(text.trim());
  const unit = match === null ? undefined : unitBytes[match[2]!.toLowerCase() || 'b'];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}
