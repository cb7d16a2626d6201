/**
 * Webhooks that do not verify: a secret that was changed on one side only, or somebody who tries.
 *
 * A run of them shows as webhook status `error`, with why. Only where nothing authentic came for an hour: whoever knows
 * the address can make refusals at will, and must not be able to mark an account that works. The next authentic delivery
 * makes it `active` again (`noteWebhooks`).
 *
 * A token is a secret, but a phone number, a provider's id and an instance's name are not: what came by those may be
 * anybody's. It marks only an account that has never had an authentic delivery, whose secrets somebody is just setting up;
 * one that has stays as it is, however long it is quiet, and the alarm of silent numbers speaks for it.
 */
import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Clock } from '#kernel';
import type { Counters, NoteChange, Storage } from '#storage';
import { noteRefusedWebhooks } from './webhook-store.ts';

export const refusalLimits = {
  /** So many refused within the window are a run. */
  run: 5,
  windowMs: 3_600_000,
} as const;

export interface Refusals {
  /** By a token of the account. */
  readonly byToken: number;
  /** By what is no secret: a number, an id or a name. */
  readonly byName: number;
  /** Of the last one, as verifying says it: no part of the request. */
  readonly reason: string;
}

export interface RefusalDeps {
  readonly storage: Pick<Storage, 'inWorkspace'>;
  readonly counters: Pick<Counters, 'add'>;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
}

export async function takeRefusals(
  { storage, counters, noteChange, clock }: RefusalDeps,
  workspaceId: WorkspaceId,
  refusals: ReadonlyMap<AccountId, Refusals>,
): Promise<void> {
  const { run, windowMs } = refusalLimits;
  const runs: { readonly accountId: AccountId; readonly error: string; readonly isByToken: boolean }[] = [];
  const isRun = async (accountId: AccountId, kind: string, count: number) =>
    count > 0 && (await counters.add(`refused-webhooks${kind} ${accountId}`, count, windowMs)).total >= run;
  for (const [accountId, { byToken, byName, reason }] of refusals) {
    const isByToken = await isRun(accountId, '', byToken);
    const isByName = await isRun(accountId, '-by-name', byName);
    if (isByToken || isByName) runs.push({ accountId, error: wordsOf(reason), isByToken });
  }
  if (runs.length === 0) return;
  const since = new Date(clock.now().getTime() - windowMs);
  await storage.inWorkspace(workspaceId, async (tx) => {
    const changed = await noteRefusedWebhooks(tx, runs, since);
    if (changed.length > 0) noteChange(tx, 'account', changed);
  });
}

function wordsOf(reason: string): string {
  return `Deliveries are refused, since they do not verify (${reason}), and none that does has come for an hour. Compare the account's secrets with those at the provider.`;
}
