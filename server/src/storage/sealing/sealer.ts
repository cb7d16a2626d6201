/**
 * A sealed value, byte by byte:
 *
 *   1         version, now 1
 *   1         length of the key id
 *   n         key id, ASCII
 *   12        nonce, random
 *   16        tag of AES-256-GCM
 *   the rest  ciphertext
 *
 * The associated data is `table|column|row`; table and column hold no `|`, so no two places read alike. The key of the
 * cipher is derived from the master key by HKDF-SHA-256, so that the master key may serve other purposes one day
 * without the uses meeting.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { assert } from '#kernel';
import type { SealedPlace, Sealer } from '../sealing.ts';
import type { Keyring } from './keyring.ts';

export type SealBrokenCode = 'unknown_key' | 'not_authentic' | 'malformed';

/** What cannot be opened, and why. The text names key id and place and holds no secret. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
  readonly code: SealBrokenCode;

  constructor(code: SealBrokenCode, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipherName = 'aes-256-gcm';
const purpose = 'switchyard sealed value 1';
const placeWord = /^[a-z][a-z0-9_]*$/;

/** Holds the derived keys for the life of the process; `seal` always uses the keyring's current key. */
export function createSealer(keyring: Keyring): Sealer {
  const keys = new Map([...keyring.masterKeys].map(([id, master]) => [id, deriveKey(master)]));
  const current = keys.get(keyring.currentKeyId);
  assert(current, 'the current key is in the keyring');

  function open(sealed: Uint8Array, place: SealedPlace): Buffer {
    const parts = parseSealed(sealed, place);
    const key = keys.get(parts.keyId);
    if (!key) {
      const text = `${placeText(place)} was sealed by key ${parts.keyId}, which is not among SWITCHYARD_KEY`;
      throw new SealBroken('unknown_key', text);
    }
    return decipher(parts, key, place);
  }

  return {
    currentKeyId: keyring.currentKeyId,
    seal: (plain, place) => encipher(plain, { id: keyring.currentKeyId, key: current }, place),
    open,
    openText: (sealed, place) => open(sealed, place).toString('utf8'),
    keyIdOf: (sealed) => parseSealed(sealed).keyId,
  };
}

/** The value sealed anew by the current key; null when that key has sealed it already. For rotation, batch by batch. */
export function reseal(sealer: Sealer, sealed: Uint8Array, place: SealedPlace): Buffer | null {
  if (sealer.keyIdOf(sealed) === sealer.currentKeyId) return null;
  return sealer.seal(sealer.open(sealed, place), place);
}

function deriveKey(master: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), purpose, 32)));
}

function encipher(plain: string | Uint8Array, by: { id: string; key: KeyObject }, place: SealedPlace): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, by.key, nonce);
  cipher.setAAD(associatedData(place));
  const bytes = typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain;
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const id = Buffer.from(by.id, 'ascii');
  return Buffer.concat([Buffer.of(version, id.length), id, nonce, cipher.getAuthTag(), body]);
}

function decipher(parts: SealedParts, key: KeyObject, place: SealedPlace): Buffer {
  const opener = createDecipheriv(cipherName, key, parts.nonce, { authTagLength: tagBytes });
  opener.setAAD(associatedData(place));
  opener.setAuthTag(parts.tag);
  try {
    return Buffer.concat([opener.update(parts.body), opener.final()]);
  } catch (cause) {
    const text = `${placeText(place)} (key ${parts.keyId}) was changed or belongs to another place`;
    throw new SealBroken('not_authentic', text, { cause });
  }
}

interface SealedParts {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly body: Buffer;
}

function parseSealed(sealed: Uint8Array, place?: SealedPlace): SealedParts {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const idEnd = 2 + (bytes[1] ?? 0);
  const where = place ? placeText(place) : 'a value';
  if (bytes[0] !== version) throw new SealBroken('malformed', `${where} is not a sealed value of version ${version}`);
  if (idEnd === 2 || bytes.length < idEnd + nonceBytes + tagBytes) {
    throw new SealBroken('malformed', `${where} is cut short`);
  }
  return {
    // A damaged id must not reach a log raw.
    keyId: bytes.toString('latin1', 2, idEnd).replace(/[^A-Za-z0-9_-]/g, '?'),
    nonce: bytes.subarray(idEnd, idEnd + nonceBytes),
    tag: bytes.subarray(idEnd + nonceBytes, idEnd + nonceBytes + tagBytes),
    body: bytes.subarray(idEnd + nonceBytes + tagBytes),
  };
}

function associatedData(place: SealedPlace): Buffer {
  assert(placeWord.test(place.table) && placeWord.test(place.column), 'a sealed place names a table and a column');
  return Buffer.from(`${place.table}|${place.column}|${place.row}`, 'utf8');
}

function placeText(place: SealedPlace): string {
  return `${place.table}.${place.column}.${place.row}`;
}
