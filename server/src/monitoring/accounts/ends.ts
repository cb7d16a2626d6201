import { healthLimits } from '#accounts';
import type { WorkspaceTx } from '#storage';
import { type EndRow, listEndRows } from './ends-store.ts';

export interface End {
  readonly kind: EndRow['kind'];
  readonly accountId: EndRow['accountId'];
  readonly accountName: string | null;
  readonly name: string;
  readonly endsAt: Date;
  /** `soon`: within the 14 days of the warning. */
  readonly state: 'later' | 'soon' | 'ended';
}

/** How long the end of a key is told after it has come. */
const rememberedMs = 30 * 24 * 60 * 60 * 1_000;

/** When tokens, secrets and keys of the workspace end, soonest first. */
export async function listEnds(tx: WorkspaceTx, now: Date): Promise<readonly End[]> {
  const rows = await listEndRows(tx, new Date(now.getTime() - rememberedMs), now);
  return rows.map(({ kind, accountId, accountName, name, endsAt }) => ({
    kind,
    accountId,
    accountName,
    name,
    endsAt,
    state: stateOfEnd(endsAt, now),
  }));
}

export function stateOfEnd(endsAt: Date, now: Date): End['state'] {
  const leftMs = endsAt.getTime() - now.getTime();
  if (leftMs <= 0) return 'ended';
  return leftMs <= healthLimits.endWarningMs ? 'soon' : 'later';
}
