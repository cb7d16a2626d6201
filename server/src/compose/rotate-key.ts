/** A new master key for the old: the key file gets it first, then every sealed value is sealed anew under load. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyRotation } from '#cli';
import type { Config } from '#config';
import { unpackArrivals } from '#inbox';
import type { Log } from '#kernel';
import { addKey, keyFollowMs, nothingResealed, type Resealed, resealAll } from '#storage';
import { type Foundation, openFoundation } from './foundation.ts';

/** Of this database; whoever changes the key file holds it. */
const keyFileLock = '7023617462';

/**
 * An unfinished rotation is finished and no other key is made. With SWITCHYARD_KEY the operator puts the new key before
 * the old one and restarts; then this seals by it what the old one sealed.
 */
export async function rotateMasterKey(
  config: Config,
  log: Log,
  progress: (text: string) => void,
): Promise<KeyRotation> {
  const foundation = await openFoundation(config, log);
  try {
    const unfinished = await resealUntilDone(foundation, progress);
    const isFromSettings = config.masterKey !== undefined;
    if (sumOf(unfinished) > 0 || isFromSettings)
      return { keyId: foundation.sealer.currentKeyId, isNewKey: false, isFromSettings, resealed: unfinished };
    await foundation.storage.asWorker(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(${keyFileLock})`);
      await addKey(config.dataFolder);
    });
    progress('A new key is in place; waiting until every server seals by it.');
    await delay(2 * keyFollowMs);
    const resealed = await resealUntilDone(foundation, progress);
    return { keyId: foundation.sealer.currentKeyId, isNewKey: true, isFromSettings, resealed };
  } finally {
    await foundation.close();
  }
}

/** Passes until one finds nothing: a value may have been sealed by the old key while a pass went by. */
async function resealUntilDone(
  { storage, sealer, log }: Foundation,
  progress: (text: string) => void,
): Promise<Resealed> {
  const sum = { ...nothingResealed };
  for (;;) {
    // What a gateway has stored and nobody has unpacked holds sealed values too.
    for (let isMore = true; isMore; ) isMore = await unpackArrivals({ storage, log });
    const pass = await resealAll({
      storage,
      sealer,
      progress: (table, count) => progress(`${table}: ${sum[table] + count} sealed anew`),
    });
    for (const table of Object.keys(sum) as (keyof Resealed)[]) sum[table] += pass[table];
    if (sumOf(pass) === 0) return sum;
  }
}

function sumOf(resealed: Resealed): number {
  return Object.values(resealed).reduce((sum, count) => sum + count, 0);
}
