import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { ClaimedMessage } from './walk.ts';

type HeldMessage = Pick<ClaimedMessage, 'workspaceId' | 'accountId' | 'outboundId' | 'leaseEpoch'>;

/**
 * What this process holds, counted by workspace and account for its limits. One claim of a message is one hold: where a
 * lease runs out under us, we may claim the same message again before the first hold is let go.
 */
export class InFlight {
  readonly workspaces = new Map<WorkspaceId, number>();
  readonly accounts = new Map<AccountId, number>();
  readonly #holds = new Set<string>();

  get size(): number {
    return this.#holds.size;
  }

  hold(message: HeldMessage): void {
    if (this.#holds.has(keyOf(message))) return;
    this.#holds.add(keyOf(message));
    count(this.workspaces, message.workspaceId, 1);
    count(this.accounts, message.accountId, 1);
  }

  letGo(message: HeldMessage): void {
    if (!this.#holds.delete(keyOf(message))) return;
    count(this.workspaces, message.workspaceId, -1);
    count(this.accounts, message.accountId, -1);
  }
}

function keyOf({ outboundId, leaseEpoch }: HeldMessage): string {
  return `${outboundId}:${leaseEpoch}`;
}

function count<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}
