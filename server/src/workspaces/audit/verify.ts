import type { WorkspaceTx } from '#storage';
import { readChain } from './audit-store.ts';
import { type ChainBreak, type ChainEnd, chainStart, checkLink } from './chain.ts';

/** A place in the chain that was written down elsewhere, so that a chain made anew from the start shows too. */
export interface Anchor {
  readonly sequence: string;
  readonly hash: string;
}

export interface AuditVerdict {
  readonly entries: number;
  /** The last entry that follows; null for an empty log. Keep it as an anchor. */
  readonly head: Anchor | null;
  readonly broken: { readonly sequence: string; readonly reason: ChainBreak | 'anchor' } | null;
}

const batchRows = 1_000;

/** Reads the whole chain of the workspace, in batches, and stops at the first entry that does not follow. */
export async function verifyAudit(tx: WorkspaceTx, anchor: Anchor | null = null): Promise<AuditVerdict> {
  let end: ChainEnd = chainStart;
  let entries = 0;
  let isAnchored = anchor === null;
  const verdict = (broken: AuditVerdict['broken']): AuditVerdict => ({
    entries,
    head: entries === 0 ? null : { sequence: end.sequence, hash: end.hash },
    broken,
  });
  for (;;) {
    const batch = await readChain(tx, end.sequence, batchRows);
    for (const entry of batch) {
      const reason = checkLink(end, entry);
      if (reason) return verdict({ sequence: entry.sequence, reason });
      if (anchor?.sequence === entry.sequence) {
        if (anchor.hash !== entry.hash) return verdict({ sequence: entry.sequence, reason: 'anchor' });
        isAnchored = true;
      }
      end = entry;
      entries += 1;
    }
    if (batch.length < batchRows) break;
  }
  return verdict(isAnchored || !anchor ? null : { sequence: anchor.sequence, reason: 'anchor' });
}
