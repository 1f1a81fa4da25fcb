import * as v from 'valibot';
import { networkOptions } from '../forward/common-options.js';
import { httpUrl, milliseconds } from '../forward/values.js';

/** Base64 of the 32 bytes of an Ed25519 public key, as `launchwarden policy keygen` prints it. */
const publicKey = v.pipe(
  v.string('a public key'),
  v.regex(/^[A-Za-z0-9+/]{43}=$/, 'a public key of 44 characters, as "launchwarden policy keygen" prints it'),
);

/** The `[policy]` table: a signed bundle of settings and rules that this Mac fetches. */
export const policyOptions = v.strictObject({
  /** Where the bundle lies: any https server. Without it no policy is fetched, and none is in force. */
  url: v.optional(
    v.pipe(
      httpUrl,
      v.check((value) => value.startsWith('https://'), 'a URL of https'),
    ),
  ),
  /** The key that signs the bundle. */
  public_key: v.optional(publicKey),
  /** Further keys that may sign it: while one replaces another, both. */
  public_keys: v.optional(v.pipe(v.array(publicKey), v.maxLength(8)), []),
  /** How often the bundle is asked for; each Mac varies it by chance. */
  interval: v.optional(milliseconds, '1h'),
  ...networkOptions,
});

export type PolicyOptions = v.InferOutput<typeof policyOptions>;
