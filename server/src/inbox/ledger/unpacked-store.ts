/** SQL of what has arrived and is not unpacked: the ledger's view of `arrivals`. */
import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Storage } from '#storage';
import { type FindUnpacked, type LedgerAsk, type UnpackedDelivery, unpackedIn } from './ledger.ts';

interface PackedRow extends Record<string, unknown> {
  readonly position: string;
  readonly part: number;
  readonly origins: string;
  readonly deliveries: string;
  readonly refusal: string | null;
}

/** Without the bodies, so many batches at a time: however large the backlog, little of it is held. */
const batchRows = 200;

/**
 * Reads the lists here, not in SQL: what Postgres cannot read is the first that a balance must name. Only batches that
 * mention the workspace are looked at.
 */
export function findUnpackedIn(storage: Pick<Storage, 'workerStatement'>): FindUnpacked {
  return async (ask) => {
    const found: UnpackedDelivery[] = [];
    for (let after: Pick<PackedRow, 'position' | 'part'> = { position: '0', part: 0 }; ; ) {
      const rows = await readPacked(storage, ask.workspaceId, after);
      found.push(...rows.flatMap((row) => deliveriesOf(row, ask)));
      const last = rows.at(-1);
      if (!last || rows.length < batchRows) return found;
      after = last;
    }
  };
}

function readPacked(
  storage: Pick<Storage, 'workerStatement'>,
  workspaceId: WorkspaceId,
  after: Pick<PackedRow, 'position' | 'part'>,
): Promise<PackedRow[]> {
  return storage.workerStatement<PackedRow>(
    `SELECT position, part, origins, deliveries, refusal FROM arrivals
     WHERE (position, part) > ($1, $2) AND strpos(origins, $3) > 0 ORDER BY position, part LIMIT $4`,
    [after.position, after.part, workspaceId, batchRows],
    'ledger-read-packed',
  );
}

interface Origin {
  readonly origin: number;
  readonly workspace_id: WorkspaceId;
  readonly account_id: AccountId | null;
}

interface Described {
  readonly origin: number;
  readonly id: DeliveryId;
  readonly received_at: string;
}

function deliveriesOf(row: PackedRow, ask: LedgerAsk): UnpackedDelivery[] {
  const origins = new Map((JSON.parse(row.origins) as readonly Origin[]).map((origin) => [origin.origin, origin]));
  const all = (JSON.parse(row.deliveries) as readonly Described[]).flatMap((delivery) => {
    const origin = origins.get(delivery.origin);
    if (origin?.workspace_id !== ask.workspaceId) return [];
    const receivedAt = new Date(delivery.received_at);
    return [{ accountId: origin.account_id, deliveryId: delivery.id, receivedAt, refusal: row.refusal }];
  });
  return unpackedIn(all, ask);
}
