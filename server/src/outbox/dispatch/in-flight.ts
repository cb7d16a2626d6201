import type { AccountId, OutboundId, WorkspaceId } from '@switchyard/contract';
import type { ClaimedMessage } from './walk.ts';

/** What this process holds, counted by workspace and account for its limits. */
export class InFlight {
  readonly workspaces = new Map<WorkspaceId, number>();
  readonly accounts = new Map<AccountId, number>();
  readonly #messages = new Set<OutboundId>();

  get size(): number {
    return this.#messages.size;
  }

  hold(message: ClaimedMessage): void {
    this.#messages.add(message.outboundId);
    count(this.workspaces, message.workspaceId, 1);
    count(this.accounts, message.accountId, 1);
  }

  letGo(message: ClaimedMessage): void {
    if (!this.#messages.delete(message.outboundId)) return;
    count(this.workspaces, message.workspaceId, -1);
    count(this.accounts, message.accountId, -1);
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}
