import * as v from 'valibot';
import { commonOptions, networkOptions } from '../common-options.js';
import { bytes, hostPort, text } from '../values.js';

export const syslogOptions = v.strictObject({
  type: v.literal('syslog'),
  ...commonOptions,
  ...networkOptions,
  /** `host:port` of the receiver. */
  address: hostPort,
  transport: v.optional(v.picklist(['tls', 'tcp'], 'tls or tcp'), 'tls'),
  /**
   * What counts as delivered: that the receiver closes in order once it has read everything (under TLS by TLS's own
   * closing alert, which `eof` does not ask for), RELP's answer, or (unsafe) that the text was written.
   */
  confirm: v.optional(
    v.picklist(['half-close', 'eof', 'relp', 'none'], 'half-close, eof, relp or none'),
    'half-close',
  ),
  format: v.optional(v.picklist(['json', 'cef', 'leef'], 'json, cef or leef'), 'json'),
  /** RFC 6587: the length before each message, or a line feed after it. */
  framing: v.optional(v.picklist(['octet-counting', 'line'], 'octet-counting or line'), 'octet-counting'),
  /**
   * Longer messages lose their bulky parts: rsyslog cuts at 8 KiB unless told otherwise. Every receiver takes 480 octets
   * (RFC 5424 section 6.1); less could not even name the rule, the host and the file.
   */
  max_message_bytes: v.optional(
    v.pipe(bytes, v.minValue(480, 'at least 480 bytes, which every receiver takes (RFC 5424)')),
    '8 KiB',
  ),
  /** Syslog facility number; 10 is authpriv. */
  facility: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(23)), 10),
  app_name: v.optional(
    v.pipe(v.string(), v.regex(/^[!-~]{1,48}$/, '1 to 48 printable ASCII characters')),
    'launchwarden',
  ),
  /** Host name in the header; the machine's when absent. */
  hostname: v.optional(text),
  batch_items: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 500),
});
