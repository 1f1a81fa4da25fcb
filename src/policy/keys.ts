import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { UserError } from '../base/errors.js';

/** The DER of an Ed25519 public key up to its 32 bytes (RFC 8410 section 4). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');

/** A public key as the configuration has it: base64 of its 32 bytes. */
export type PublicKey = string;

/** Names a key in a bundle and in messages: the first 16 hex digits of the SHA-256 of its 32 bytes. */
export function keyIdOf(publicKey: PublicKey): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

export function makeKeyPair(): { readonly privatePem: string; readonly publicKey: PublicKey } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: publicTextOf(publicKey),
  };
}

function publicTextOf(key: KeyObject): PublicKey {
  const der = key.export({ type: 'spki', format: 'der' }) as Buffer;
  return der.subarray(-32).toString('base64');
}

/** Throws a UserError `policy/bad-key` for what is no Ed25519 private key in PEM. */
export function readPrivateKey(
  pem: string,
  file: string,
): { readonly key: KeyObject; readonly publicKey: PublicKey } {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is of type ${key.asymmetricKeyType}`);
    return { key, publicKey: publicTextOf(createPublicKey(key)) };
  } catch (error) {
    throw new UserError('policy/bad-key', 'this is no Ed25519 private key in PEM', {
      at: { file },
      hint: 'Make one with "launchwarden policy keygen FILE".',
      cause: error,
    });
  }
}

export function signBytes(key: KeyObject, bytes: Uint8Array): string {
  return sign(null, bytes, key).toString('base64');
}

/** False for a signature of another key, of other bytes, or what is none. */
export function isSignedBy(publicKey: PublicKey, bytes: Uint8Array, signature: string): boolean {
  const raw = Buffer.from(publicKey, 'base64');
  const signed = Buffer.from(signature, 'base64');
  if (raw.length !== 32 || signed.length !== 64) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiHead, raw]), format: 'der', type: 'spki' });
    return verify(null, bytes, key, signed);
  } catch {
    return false;
  }
}
