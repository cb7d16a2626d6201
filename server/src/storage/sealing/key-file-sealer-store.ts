/** A sealer that follows the key file: a rotation reaches every process of a data folder without a restart. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sealer } from '../sealing.ts';
import { keyFileName } from './key-file-store.ts';
import { parseKeyring } from './keyring.ts';
import { createSealer, SealBroken } from './sealer.ts';

/** After a key was added, every process seals by it within this time. */
export const keyFollowMs = 1_000;

/** `text` is what the file held when it was loaded. `elapsedMs` is a clock that only goes forward. */
export function createKeyFileSealer(dataFolder: string, text: string, elapsedMs: () => number): Sealer {
  let known = text;
  let sealer = createSealer(parseKeyring(text));
  let lookedAtMs = elapsedMs();

  /** True when the file holds other keys than before. */
  function look(): boolean {
    lookedAtMs = elapsedMs();
    const found = readNow(join(dataFolder, keyFileName));
    if (found === null || found === known) return false;
    sealer = createSealer(parseKeyring(found));
    known = found;
    return true;
  }

  function current(): Sealer {
    if (elapsedMs() - lookedAtMs >= keyFollowMs) look();
    return sealer;
  }

  function open(sealed: Uint8Array, place: Parameters<Sealer['open']>[1]): Buffer {
    try {
      return sealer.open(sealed, place);
    } catch (error) {
      const isNewKey = error instanceof SealBroken && error.code === 'unknown_key' && look();
      if (!isNewKey) throw error;
      return sealer.open(sealed, place);
    }
  }

  return {
    get currentKeyId() {
      return current().currentKeyId;
    },
    seal: (plain, place) => current().seal(plain, place),
    open,
    openText: (sealed, place) => open(sealed, place).toString('utf8'),
    keyIdOf: (sealed) => sealer.keyIdOf(sealed),
  };
}

/** null: the file is away for now; what is known goes on. */
function readNow(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // The keys in memory are as good as they were; a missing file is told at the next start.
    return null;
  }
}
