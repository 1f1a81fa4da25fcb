/**
 * What in the bytes of a launch item is worth being read before thousands of others: a network or a decoding tool, an
 * interpreter, an inserted library, a folder that everybody may write, a hidden path, a label of Apple's. Only the order
 * depends on it, never what is found.
 */
const worth =
  /curl|wget|https?:\/\/(?!www\.apple\.com\/DTDs\/)|ftp:\/\/|\/dev\/tcp|base64|openssl|osascript|python|perl|ruby|\beval\b|DYLD_|\/tmp\/|\/Users\/Shared\/|\/\.[^./]|com\.apple\./i;

/** Bytes of the beginning of a file that are looked at. */
export const urgentBytes = 16 * 1024;

/** `bytes`: the beginning of a property list in any format. Of UTF-16 the empty half of each unit is passed over. */
export function looksUrgent(bytes: Buffer): boolean {
  return worth.test(bytes.toString('latin1', 0, urgentBytes).replaceAll('\0', ''));
}
