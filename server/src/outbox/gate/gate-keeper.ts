/** Applies the gate to messages that every other rule permits: facts from the store, the number from the provider. */
import type { AccountId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { SendingNetwork } from '#channels';
import type { Clock, Log } from '#kernel';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import type { ClaimedMessage, Permit, PermittedMessage } from '../dispatch/walk.ts';
import { type GateSettings, gateSettingsOf, judge, needsNumberCheck, notOnWhatsApp } from './gate.ts';
import { findChecks, findGateAccount, keepCheck, lockDay, noteHeld, setDay } from './gate-store.ts';
import { localTimeOf } from './local-time.ts';

export interface GateDeps {
  readonly storage: Storage;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly log: Log;
  networkOf(account: ServingAccount): Omit<SendingNetwork, 'signal'>;
}

/** How long an answer about a number counts. */
const maxCheckAgeDays = 30;
const checkMs = 5_000;

/** One answer each, in their order. Throws when the store could not be asked. */
export async function passGate(deps: GateDeps, permits: readonly Permit[]): Promise<readonly Permit[]> {
  const gated = permits.flatMap((one) =>
    one.kind === 'permitted' && one.message.channel.sessions ? [one.message] : [],
  );
  if (gated.length === 0) return permits;
  const verdicts = new Map<PermittedMessage, Permit>();
  for (const [, messages] of Map.groupBy(gated, ({ claimed }) => claimed.accountId)) {
    for (const [message, verdict] of await passAccount(deps, messages)) verdicts.set(message, verdict);
  }
  return permits.map((one) => (one.kind === 'permitted' ? (verdicts.get(one.message) ?? one) : one));
}

/** Writes on each message that waits for a reason what the reason is. Costs nothing where none does. */
export async function noteReasons(
  { storage, noteChange }: Pick<GateDeps, 'storage' | 'noteChange'>,
  batch: readonly ClaimedMessage[],
  permits: readonly Permit[],
): Promise<void> {
  const held = batch.flatMap((message, index) => {
    const one = permits[index];
    return one?.kind === 'deferred' && one.reason ? [{ message, reason: one.reason }] : [];
  });
  for (const [workspaceId, ofWorkspace] of Map.groupBy(held, ({ message }) => message.workspaceId)) {
    const reasons = ofWorkspace.map(({ message, reason }) => ({ messageId: message.messageId, reason }));
    await storage.inWorkspace(workspaceId, async (tx) => {
      const told = await noteHeld(tx, reasons);
      const ids = told.map(({ messageId }) => messageId);
      noteChange(tx, 'message', ids);
    });
  }
}

type Verdicts = ReadonlyMap<PermittedMessage, Permit>;

async function passAccount(deps: GateDeps, messages: readonly PermittedMessage[]): Promise<Verdicts> {
  const { account, claimed } = messages[0]!;
  const { workspaceId, accountId } = claimed;
  const { workspaceTimeZone, ageDays } = await deps.storage.inWorkspace(workspaceId, (tx) =>
    findGateAccount(tx, accountId),
  );
  const settings = gateSettingsOf(account.settings, workspaceTimeZone);
  const strangers = await unknownNumbers(deps, messages, settings);
  const there = messages.filter((message) => !strangers.has(message));
  const counted = await deps.storage.inWorkspace(workspaceId, (tx) =>
    countIn(deps, tx, { accountId, messages: there, settings, ageDays }),
  );
  const refused = [...strangers].map(([message, phone]): [PermittedMessage, Permit] => [
    message,
    { kind: 'forbidden', failure: notOnWhatsApp(phone) },
  ]);
  return new Map([...counted, ...refused]);
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
  const held: Parameters<typeof noteHeld>[1][number][] = [];
  for (const message of messages) {
    const { claimed } = message;
    const isCounted = claimed.tries > 0;
    const verdict = judge(claimed, { settings, ageDays, takenToday: isCounted ? 0 : takenToday, now });
    if (verdict.kind === 'pass') {
      takenToday += isCounted ? 0 : 1;
      continue;
    }
    verdicts.set(message, { kind: 'deferred', waitMs: verdict.waitMs });
    held.push({ messageId: claimed.messageId, reason: verdict.reason });
  }
  if (takenToday !== before) await setDay(tx, accountId, day, takenToday);
  if (held.length > 0) {
    const told = await noteHeld(tx, held);
    const ids = told.map(({ messageId }) => messageId);
    deps.noteChange(tx, 'message', ids);
  }
  return verdicts;
}

/** With the number that is not on WhatsApp. Where the provider cannot say, the message goes: it will say then. */
async function unknownNumbers(
  deps: GateDeps,
  messages: readonly PermittedMessage[],
  settings: GateSettings,
): Promise<ReadonlyMap<PermittedMessage, string>> {
  const asked = messages.flatMap((message) => {
    const phone = message.claimed.address.find(({ kind }) => kind === 'phone')?.value;
    return phone && needsNumberCheck(message.claimed, settings) ? [{ message, phone }] : [];
  });
  if (asked.length === 0) return new Map();
  const { workspaceId, accountId } = asked[0]!.message.claimed;
  const phones = [...new Set(asked.map(({ phone }) => phone))];
  const known = new Map(
    await deps.storage.inWorkspace(workspaceId, (tx) => findChecks(tx, accountId, phones, maxCheckAgeDays)),
  );
  for (const phone of phones) {
    if (known.has(phone)) continue;
    const isOnWhatsApp = await checkNumber(deps, asked[0]!.message, phone);
    if (isOnWhatsApp === null) continue;
    known.set(phone, isOnWhatsApp);
    await deps.storage.inWorkspace(workspaceId, (tx) => keepCheck(tx, accountId, phone, isOnWhatsApp));
  }
  return new Map(asked.flatMap(({ message, phone }) => (known.get(phone) === false ? [[message, phone]] : [])));
}

async function checkNumber(
  deps: GateDeps,
  { account, channel }: PermittedMessage,
  phone: string,
): Promise<boolean | null> {
  const sending = { credentials: account.secrets, settings: account.settings };
  const network = { ...deps.networkOf(account), signal: AbortSignal.timeout(checkMs) };
  const answer = await channel.sessions?.checkNumber(sending, phone, network);
  if (answer?.kind === 'checked') return answer.isOnWhatsApp;
  deps.log.info({ accountId: account.accountId, code: answer?.failure.code }, 'a number could not be checked');
  return null;
}
