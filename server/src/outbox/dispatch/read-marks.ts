import type { Provider, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Channel, SendingNetwork } from '#channels';
import type { Log } from '#kernel';
import type { ReadMark } from '../outbox.ts';
import type { PermitDeps } from './permits.ts';

export interface ReadMarks {
  add(mark: ReadMark & { readonly workspaceId: WorkspaceId }): void;
  /** Forgets what waits. */
  close(): void;
}

export interface ReadMarkDeps {
  readonly channels: Readonly<Partial<Record<Provider, Channel>>>;
  readonly findServing: PermitDeps['findServing'];
  networkOf(account: ServingAccount): SendingNetwork;
  readonly log: Log;
  readonly maxWaiting: number;
  readonly maxInFlight: number;
}

/** "Read" as the customer sees it. Kept in memory only, a few at a time; what does not fit or fails is let go. */
export function createReadMarks(deps: ReadMarkDeps): ReadMarks {
  const waiting: (ReadMark & { readonly workspaceId: WorkspaceId })[] = [];
  let inFlight = 0;

  async function sendAll(): Promise<void> {
    inFlight += 1;
    for (let mark = waiting.shift(); mark; mark = waiting.shift()) await sendOne(mark);
    inFlight -= 1;
  }

  async function sendOne(mark: ReadMark & { readonly workspaceId: WorkspaceId }): Promise<void> {
    try {
      const account = await deps.findServing(mark.workspaceId, mark.accountId);
      const channel = account?.isActive && !account.isDeleted ? deps.channels[account.provider] : undefined;
      if (!account || !channel?.capabilities.canMarkRead) return;
      const { secrets: credentials, settings } = account;
      await channel.markRead?.({ credentials, settings }, mark.providerMessageId, deps.networkOf(account), mark.chat);
    } catch (error) {
      deps.log.debug({ err: error, accountId: mark.accountId }, 'a message could not be marked as read');
    }
  }

  return {
    add(mark) {
      if (waiting.length >= deps.maxWaiting) return;
      waiting.push(mark);
      if (inFlight < deps.maxInFlight) void sendAll();
    },
    close() {
      waiting.length = 0;
    },
  };
}
