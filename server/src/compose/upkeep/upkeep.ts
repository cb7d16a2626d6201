import type { deleteOldKeys } from '#api';
import { ensurePartitions, partitionDaysAhead } from '#storage';
import { deleteEndedSessions } from '#workspaces';
import type { Product } from '../rooms.ts';
import { askForRecent } from './looks.ts';

/** Once an hour: the partitions of the next days, and what has outlived its use. The API is loaded for it where it is not yet. */
export function keepUp(product: Product, loadApi: () => Promise<{ deleteOldKeys: typeof deleteOldKeys }>): void {
  const { owner, storage, engines, clock, log } = product.foundation;
  askForRecent(engines, clock.now()).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'providers could not be asked for what was lost lately'),
  );
  const deleteKeys = async () => (await loadApi()).deleteOldKeys(storage);
  deleteKeys().catch((error: unknown) =>
    log.warn({ error: String(error) }, 'old idempotency keys could not be deleted'),
  );
  deleteEndedSessions(storage).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'ended sessions could not be deleted'),
  );
  ensurePartitions({ ownerUrl: owner.ownerUrl }, clock.now(), partitionDaysAhead).catch((error: unknown) =>
    log.error({ error: String(error) }, 'the partitions of the next days could not be made'),
  );
}
