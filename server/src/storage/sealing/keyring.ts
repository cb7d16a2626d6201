/**
 * The keys that seal secrets, read from the text of SWITCHYARD_KEY: one or several `id:key`, parted by commas, the
 * first of which seals; the others still open what they sealed before a rotation. A key is 32 bytes as base64url,
 * base64 or hex; standing alone without an id it is called `k1`. Nothing here ever puts a key into an error.
 */
import { createHash } from 'node:crypto';

export interface Keyring {
  /** The id of the key that seals from now on. */
  readonly currentKeyId: string;
  /** 32 bytes by id. */
  readonly masterKeys: ReadonlyMap<string, Buffer>;
}

export class KeyringUnreadable extends Error {
  override readonly name = 'KeyringUnreadable';
}

export const keyBytes = 32;
const keyIdPattern = /^[A-Za-z0-9_-]{1,32}$/;
const keyForms = [
  { pattern: /^[0-9a-fA-F]{64}$/, encoding: 'hex' },
  { pattern: /^[A-Za-z0-9_-]{43}=?$/, encoding: 'base64url' },
  { pattern: /^[A-Za-z0-9+/]{43}=?$/, encoding: 'base64' },
] as const;

/** Throws KeyringUnreadable with one clear line. */
export function parseKeyring(text: string): Keyring {
  const masterKeys = new Map<string, Buffer>();
  for (const part of text.split(',')) {
    const { id, key } = parseKey(part.trim());
    if (masterKeys.has(id)) throw new KeyringUnreadable(`the key id ${id} stands twice in the master key`);
    masterKeys.set(id, key);
  }
  return { currentKeyId: [...masterKeys.keys()][0]!, masterKeys };
}

/** The text of one key, as `parseKeyring` reads it. Its id comes from the key, so that two keys never share one. */
export function keyText(key: Buffer): string {
  const id = `k${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  return `${id}:${key.toString('base64url')}`;
}

function parseKey(part: string): { readonly id: string; readonly key: Buffer } {
  const colon = part.indexOf(':');
  const id = colon < 0 ? 'k1' : part.slice(0, colon);
  if (!keyIdPattern.test(id)) {
    throw new KeyringUnreadable('a key id of the master key is not 1 to 32 letters, digits, "-" or "_"');
  }
  const encoded = part.slice(colon + 1);
  const form = keyForms.find(({ pattern }) => pattern.test(encoded));
  if (!form) throw new KeyringUnreadable(`the master key ${id} is not 32 bytes as base64url, base64 or hex`);
  return { id, key: Buffer.from(encoded, form.encoding) };
}
