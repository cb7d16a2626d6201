/** Applies the gate to messages that every other rule permits: facts from the store, the number from the provider. */
import type { AccountId } from '@switchyard/contract';
import type { NoteChange, WorkspaceTx } from '#storage';
import type { ClaimedMessage, Permit, PermittedMessage } from '../dispatch/walk.ts';
import { type GateSettings, gateSettingsOf, judge } from './gate.ts';
import { findGateAccount, lockDay, noteHeld, setDay } from './gate-store.ts';
import { localTimeOf } from './local-time.ts';
import { checkNumbers, type NumberCheckDeps } from './number-check.ts';

export interface GateDeps extends NumberCheckDeps {
  readonly noteChange: NoteChange;
}

/** Of messages of one account; one answer each, in their order. Throws when the store could not be asked. */
export async function passGate(deps: GateDeps, permits: readonly Permit[]): Promise<readonly Permit[]> {
  const gated = permits.flatMap((one) =>
    one.kind === 'permitted' && one.message.channel.sessions ? [one.message] : [],
  );
  if (gated.length === 0) return permits;
  const verdicts = await judgeAll(deps, gated);
  return permits.map((one) => (one.kind === 'permitted' ? (verdicts.get(one.message) ?? one) : one));
}

/** Writes on each message of one account that waits for a reason what the reason is. Costs nothing where none does. */
export async function noteReasons(
  { storage, noteChange }: Pick<GateDeps, 'storage' | 'noteChange'>,
  messages: readonly ClaimedMessage[],
  permits: readonly Permit[],
): Promise<void> {
  const held = messages.flatMap((message, index) => heldFor(message, permits[index]!));
  if (held.length === 0) return;
  await storage.inWorkspace(messages[0]!.workspaceId, (tx) => tellHeld(tx, noteChange, held));
}

type Verdicts = ReadonlyMap<PermittedMessage, Permit>;

async function judgeAll(deps: GateDeps, messages: readonly PermittedMessage[]): Promise<Verdicts> {
  const { account, claimed } = messages[0]!;
  const { workspaceId, accountId } = claimed;
  const { workspaceTimeZone, ageDays } = await deps.storage.inWorkspace(workspaceId, (tx) =>
    findGateAccount(tx, accountId),
  );
  const settings = gateSettingsOf(account.settings, workspaceTimeZone);
  const stopped = await checkNumbers(deps, messages, settings);
  const there = messages.filter((message) => !stopped.has(message));
  const counted = await deps.storage.inWorkspace(workspaceId, async (tx) => {
    const verdicts = await countIn(deps, tx, { accountId, messages: there, settings, ageDays });
    const held = [...stopped, ...verdicts].flatMap(([message, one]) => heldFor(message.claimed, one));
    if (held.length > 0) await tellHeld(tx, deps.noteChange, held);
    return verdicts;
  });
  return new Map([...stopped, ...counted]);
}

type Held = Parameters<typeof noteHeld>[1][number];

function heldFor({ messageId }: ClaimedMessage, one: Permit): Held[] {
  return one.kind === 'deferred' && one.reason ? [{ messageId, reason: one.reason }] : [];
}

async function tellHeld(tx: WorkspaceTx, noteChange: NoteChange, held: readonly Held[]): Promise<void> {
  const told = await noteHeld(tx, held);
  const ids = told.map(({ messageId }) => messageId);
  noteChange(tx, 'message', ids);
}

interface Counting {
  readonly accountId: AccountId;
  readonly messages: readonly PermittedMessage[];
  readonly settings: GateSettings;
  readonly ageDays: number;
}

/** A second try of the same message is not another message. */
async function countIn(
  deps: GateDeps,
  tx: WorkspaceTx,
  { accountId, messages, settings, ageDays }: Counting,
): Promise<Verdicts> {
  const now = deps.clock.now();
  const { day } = localTimeOf(now, settings.timeZone);
  const before = await lockDay(tx, accountId, day);
  let takenToday = before;
  const verdicts = new Map<PermittedMessage, Permit>();
  for (const message of messages) {
    const { claimed } = message;
    const isCounted = claimed.tries > 0;
    const verdict = judge(claimed, { settings, ageDays, takenToday: isCounted ? 0 : takenToday, now });
    if (verdict.kind === 'pass') {
      takenToday += isCounted ? 0 : 1;
      continue;
    }
    verdicts.set(message, { kind: 'deferred', waitMs: verdict.waitMs, reason: verdict.reason });
  }
  if (takenToday !== before) await setDay(tx, accountId, day, takenToday);
  return verdicts;
}
