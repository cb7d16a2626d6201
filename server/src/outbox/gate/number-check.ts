/** Looks a stranger's number up before the first word: what is known comes from the store, the rest from the provider. */
import type { ServingAccount } from '#accounts';
import type { SendingNetwork } from '#channels';
import type { Clock, Log } from '#kernel';
import type { Storage } from '#storage';
import type { Permit, PermittedMessage } from '../dispatch/walk.ts';
import { type GateSettings, needsNumberCheck, notOnWhatsApp, numberNotChecked, numberNotCheckedCode } from './gate.ts';
import { findChecks, findHeldSince, keepChecks } from './gate-store.ts';

export interface NumberCheckDeps {
  readonly storage: Storage;
  readonly log: Log;
  readonly clock: Clock;
  /** For all look-ups of one account together: they end well before the lease of what waits for them. */
  readonly lookUpMs: number;
  networkOf(account: ServingAccount): Omit<SendingNetwork, 'signal'>;
}

/** How long an answer about a number counts. */
const maxCheckAgeDays = 30;

export const numberCheckLimits = {
  /** Of one account, in one process. */
  atOnce: 8,
  /** Until a number that got no answer is asked for again. */
  waitMs: 60_000,
  /** From the first look-up of a message's number that got no answer: then it goes without, and the provider says. */
  maxWaitMs: 15 * 60_000,
} as const;

/**
 * Of messages of one account, those that may not go: their number is not on WhatsApp, or nobody could say in time. Where
 * the provider answers that it cannot tell, the message goes: it will say then.
 */
export async function checkNumbers(
  deps: NumberCheckDeps,
  messages: readonly PermittedMessage[],
  settings: GateSettings,
): Promise<ReadonlyMap<PermittedMessage, Exclude<Permit, { kind: 'permitted' }>>> {
  const asked = messages.flatMap((message) => {
    const phone = message.claimed.address.find(({ kind }) => kind === 'phone')?.value;
    return phone && needsNumberCheck(message.claimed, settings) ? [{ message, phone }] : [];
  });
  if (asked.length === 0) return new Map();
  const answers = await answersFor(deps, asked[0]!.message, [...new Set(asked.map(({ phone }) => phone))]);
  const answered = asked.map((one) => ({ ...one, answer: answers.get(one.phone) ?? 'no-answer' }));
  const sinceOf = await unansweredSince(deps, answered);
  return new Map(
    answered.flatMap(({ message, phone, answer }) => {
      const verdict = verdictOf(phone, answer, sinceOf(message), deps.clock.now());
      return verdict ? [[message, verdict]] : [];
    }),
  );
}

/** Of a message whose number nobody can look up: since when, this moment where it is new. */
async function unansweredSince(
  { storage, clock }: NumberCheckDeps,
  answered: readonly { readonly message: PermittedMessage; readonly answer: Answer }[],
): Promise<(message: PermittedMessage) => string> {
  const now = clock.now().toISOString();
  const unanswered = answered.flatMap(({ message, answer }) => (answer === 'no-answer' ? [message.claimed] : []));
  if (unanswered.length === 0) return () => now;
  const ids = unanswered.map(({ messageId }) => messageId);
  const held = await storage.inWorkspace(unanswered[0]!.workspaceId, (tx) =>
    findHeldSince(tx, ids, numberNotCheckedCode),
  );
  return ({ claimed }) => held.get(claimed.messageId) ?? now;
}

type Answer = 'there' | 'absent' | 'cannot-tell' | 'no-answer';

function verdictOf(phone: string, answer: Answer, since: string, now: Date) {
  if (answer === 'absent') return { kind: 'forbidden', failure: notOnWhatsApp(phone) } as const;
  const mayWait = answer === 'no-answer' && now.getTime() - Date.parse(since) < numberCheckLimits.maxWaitMs;
  if (!mayWait) return null;
  return { kind: 'deferred', waitMs: numberCheckLimits.waitMs, reason: numberNotChecked(since) } as const;
}

async function answersFor(
  deps: NumberCheckDeps,
  message: PermittedMessage,
  phones: readonly string[],
): Promise<ReadonlyMap<string, Answer>> {
  const { workspaceId, accountId } = message.claimed;
  const known = await deps.storage.inWorkspace(workspaceId, (tx) => findChecks(tx, accountId, phones, maxCheckAgeDays));
  const unknown = phones.filter((phone) => !known.has(phone));
  const told = unknown.length === 0 ? new Map<string, Answer>() : await askProvider(deps, message, unknown);
  const checked = [...told].flatMap(([phone, answer]) =>
    answer === 'there' || answer === 'absent' ? [{ phone, isOnWhatsApp: answer === 'there' }] : [],
  );
  if (checked.length > 0) await deps.storage.inWorkspace(workspaceId, (tx) => keepChecks(tx, accountId, checked));
  const remembered = [...known].map(([phone, isOnWhatsApp]) => [phone, isOnWhatsApp ? 'there' : 'absent'] as const);
  return new Map<string, Answer>([...remembered, ...told]);
}

/** Several at a time, under one time-out for all. Without an answer: those that were not asked in time, too. */
async function askProvider(
  deps: NumberCheckDeps,
  message: PermittedMessage,
  phones: readonly string[],
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  const signal = AbortSignal.timeout(deps.lookUpMs);
  const waiting = [...phones];
  const askInTurn = async () => {
    for (let phone = waiting.shift(); phone !== undefined && !signal.aborted; phone = waiting.shift())
      answers.set(phone, await askOne(deps, message, { phone, signal }));
  };
  await Promise.all(Array.from({ length: numberCheckLimits.atOnce }, askInTurn));
  return answers;
}

async function askOne(
  deps: NumberCheckDeps,
  { account, channel }: PermittedMessage,
  { phone, signal }: { readonly phone: string; readonly signal: AbortSignal },
): Promise<Answer> {
  const sending = { credentials: account.secrets, settings: account.settings };
  const answer = await channel.sessions?.checkNumber(sending, phone, { ...deps.networkOf(account), signal });
  if (answer?.kind === 'checked') return answer.isOnWhatsApp ? 'there' : 'absent';
  deps.log.info({ accountId: account.accountId, code: answer?.failure.code }, 'a number could not be checked');
  return answer?.kind === 'unreachable' ? 'no-answer' : 'cannot-tell';
}
