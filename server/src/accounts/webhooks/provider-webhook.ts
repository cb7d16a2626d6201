/**
 * The webhook of an account as it stands at the provider: see it, set ours, put back what was there.
 *
 * A setting begins by asking what is set and keeping that, sealed, before the provider is told anything; so a process
 * that ends in between leaves the way back. It is `setting`, then `set` when the provider has said yes, or gone when it
 * said no and nothing has changed there. Otherwise it stays `setting`: the provider may have taken it, and an undo puts back what was found.
 * `undone` ends it, and the one before it is the next to be undone.
 *
 * The audit log has two entries of each: `step: begun`, in the transaction before the provider is told, and how it ended,
 * in the one after it. One that begins and does not end was cut off in between.
 */
import { type AccountId, type Failure, type Provider, toPublicId, type WorkspaceId } from '@switchyard/contract';
import type { FoundWebhook, SendingAccount, SendingNetwork, WebhookAbility } from '#channels';
import { type Clock, done, newId, type Result, refused } from '#kernel';
import type { SealedPlace, Sealer, Storage, WorkspaceTx } from '#storage';
import { type Facts as AuditFacts, appendAudit } from '#workspaces';
import type { Accounts, ServingAccount } from '../accounts.ts';
import { accountMissing, failureOf } from '../failures.ts';
import { dropSetting, findOpenSetting, insertSetting, moveSetting, type SettingRow } from './provider-webhook-store.ts';

export const providerWebhookLimits = { answerMs: 15_000 } as const;

/** Whose URL stands at the provider: the one in use, one that a rotation replaced and that still works, somebody else's. */
export type WebhookMatch = 'current' | 'replaced' | 'other' | 'none' | 'not-told';

export interface ProviderWebhook {
  /** Ours: holds the token in use. */
  readonly wantedUrl: string;
  /** What one click can set: the whole, only which events are sent, or nothing. */
  readonly sets: WebhookAbility['sets'] | 'nothing';
  /** null where it cannot be asked. */
  readonly found: Result<FoundWebhook, Failure> | null;
  readonly match: WebhookMatch;
  /** What an undo would take back: ours, set then. */
  readonly undoable: { readonly setAt: Date; readonly url: string | null } | null;
}

export interface ProviderWebhooks {
  /** Asks the provider, and keeps which events it says it sends; null where there is no such account. */
  look(workspaceId: WorkspaceId, accountId: AccountId): Promise<ProviderWebhook | null>;
  set(workspaceId: WorkspaceId, accountId: AccountId, actor: string): Promise<Result<ProviderWebhook, Failure>>;
  /** Refused (`webhook_changed`) when something else stands there by now, unless it is `forced`. */
  undo(
    workspaceId: WorkspaceId,
    accountId: AccountId,
    how: { readonly isForced: boolean; readonly actor: string },
  ): Promise<Result<ProviderWebhook, Failure>>;
}

export interface ProviderWebhooksDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly accounts: Pick<Accounts, 'findServing' | 'find' | 'listTokens' | 'noteSubscription'>;
  readonly channels: Readonly<Record<Provider, { readonly webhook?: WebhookAbility }>>;
  networkOf(account: ServingAccount): Omit<SendingNetwork, 'signal'>;
  readonly clock: Clock;
}

interface Facts {
  readonly before: FoundWebhook;
  readonly url: string;
}

interface Reached {
  readonly account: ServingAccount;
  readonly sending: SendingAccount;
  readonly ability: WebhookAbility;
  readonly url: string;
  network(): SendingNetwork;
}

const cannotSet = failureOf('webhook_by_hand', 'This provider is told its webhook by hand, not by a call.');
const noUrl = failureOf('public_url_missing', 'PUBLIC_URL is not set, so the provider cannot be told where to call.');
const nothingSet = failureOf('nothing_to_undo', 'No webhook was set from here, or it has been undone.');
const changed = failureOf(
  'webhook_changed',
  'Something else was set at the provider since; an undo would overwrite it. Force it to do so all the same.',
);

export function createProviderWebhooks(deps: ProviderWebhooksDeps): ProviderWebhooks {
  return {
    look: (workspaceId, accountId) => look(deps, { workspaceId, accountId }),
    set: async (workspaceId, accountId, actor) => {
      const place = { workspaceId, accountId };
      return lookAfter(deps, place, await set(deps, place, actor));
    },
    undo: async (workspaceId, accountId, how) => {
      const place = { workspaceId, accountId };
      return lookAfter(deps, place, await undo(deps, place, how));
    },
  };
}

interface Place {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

type Outcome = Result<null, Failure>;

async function reach(deps: ProviderWebhooksDeps, place: Place): Promise<Result<Reached, Failure>> {
  const account = await deps.accounts.findServing(place.workspaceId, place.accountId);
  if (!account || account.isDeleted) return refused(accountMissing);
  const ability = deps.channels[account.provider].webhook;
  if (!ability) return refused(cannotSet);
  const url = account.webhookUrl;
  if (!url || !URL.canParse(url)) return refused(noUrl);
  return done({
    account,
    ability,
    url,
    sending: { credentials: account.secrets, settings: account.settings },
    network: () => ({ ...deps.networkOf(account), signal: AbortSignal.timeout(providerWebhookLimits.answerMs) }),
  });
}

async function look(deps: ProviderWebhooksDeps, place: Place): Promise<ProviderWebhook | null> {
  const account = await deps.accounts.findServing(place.workspaceId, place.accountId);
  if (!account || account.isDeleted) return null;
  const wantedUrl = account.webhookUrl ?? '';
  const setting = await deps.storage.inWorkspace(place.workspaceId, (tx) => findOpenSetting(tx, place.accountId));
  const undoable = setting && { setAt: setting.createdAt, url: factsOf(deps.sealer, setting).url };
  const reached = await reach(deps, place);
  if (!reached.ok) return { wantedUrl, sets: 'nothing', found: null, match: 'not-told', undoable };
  const { ability, sending, network } = reached.value;
  const found = await ability.find(sending, network());
  if (found.ok && found.value.events !== null) {
    await deps.accounts.noteSubscription(place.workspaceId, place.accountId, { events: found.value.events });
  }
  const match = found.ok && ability.sets === 'url' ? await matchOf(deps, account, found.value) : 'not-told';
  return { wantedUrl, sets: ability.sets, found, match, undoable };
}

async function matchOf(
  deps: ProviderWebhooksDeps,
  account: ServingAccount,
  { url }: FoundWebhook,
): Promise<WebhookMatch> {
  if (url === null) return 'none';
  const tokens = await deps.accounts.listTokens(account.workspaceId);
  const own = tokens.find((one) => one.account.id === account.accountId && isSameUrl(one.webhookUrl, url));
  if (!own) return 'other';
  return own.retiresAt === null ? 'current' : 'replaced';
}

async function set(deps: ProviderWebhooksDeps, place: Place, actor: string): Promise<Outcome> {
  const reached = await reach(deps, place);
  if (!reached.ok) return reached;
  const { ability, sending, url, network } = reached.value;
  const before = await ability.find(sending, network());
  if (!before.ok) return before;
  const id = newId('account');
  const facts: Facts = { before: before.value, url };
  const factsSealed = deps.sealer.seal(JSON.stringify(facts), factsPlace(id));
  const inWorkspace = inWorkspaceOf(deps, place);
  const act = { actor, action: 'set-webhook', accountId: place.accountId } as const;
  await inWorkspace(async (tx) => {
    await insertSetting(tx, { id, accountId: place.accountId, factsSealed, actor, at: deps.clock.now() });
    await auditStep(tx, act, { step: 'begun' });
  });
  const summary = await deps.accounts.find(place.workspaceId, place.accountId);
  const wanted = { url, events: summary?.webhookEvents.wanted ?? [] };
  const answer = await ability.set(sending, wanted, network());
  const isGone = !answer.ok && (await isUntouched(reached.value, before.value));
  await inWorkspace(async (tx) => {
    if (answer.ok) await moveSetting(tx, id, 'set', deps.clock.now());
    else if (isGone) await dropSetting(tx, id);
    await auditStep(tx, act, endOf(answer));
  });
  return answer;
}

interface WebhookAct {
  readonly actor: string;
  readonly action: 'set-webhook' | 'undo-webhook';
  readonly accountId: AccountId;
}

/** Of an act whose effect is outside the database: `begun` is committed before it, its end after it. */
function auditStep(tx: WorkspaceTx, { actor, action, accountId }: WebhookAct, fields: AuditFacts): Promise<void> {
  return appendAudit(tx, { actor, action, resource: `account ${toPublicId('account', accountId)}`, fields });
}

function endOf(answer: Outcome): AuditFacts {
  return answer.ok ? { step: 'done' } : { step: 'refused', code: answer.refusal.code };
}

/** A refusal may come half-way (subscribed, but the URL not taken): then what was found stays, to be put back. */
async function isUntouched({ ability, sending, network }: Reached, before: FoundWebhook): Promise<boolean> {
  const after = await ability.find(sending, network());
  return after.ok && JSON.stringify(after.value) === JSON.stringify(before);
}

async function undo(
  deps: ProviderWebhooksDeps,
  place: Place,
  { isForced, actor }: { readonly isForced: boolean; readonly actor: string },
): Promise<Outcome> {
  const reached = await reach(deps, place);
  if (!reached.ok) return reached;
  const { ability, sending, network } = reached.value;
  const inWorkspace = inWorkspaceOf(deps, place);
  const setting = await inWorkspace((tx) => findOpenSetting(tx, place.accountId));
  if (!setting) return refused(nothingSet);
  const { before, url } = factsOf(deps.sealer, setting);
  const replaced = await ability.find(sending, network());
  if (!replaced.ok) return replaced;
  const isExpected = [url, before.url].some((one) => isSameUrl(one, replaced.value.url));
  if (!isExpected && !isForced) return refused(changed);
  const act = { actor, action: 'undo-webhook', accountId: place.accountId } as const;
  await inWorkspace(async (tx) => {
    await moveSetting(tx, setting.id, 'undoing', deps.clock.now());
    await auditStep(tx, act, { step: 'begun', isForced });
  });
  const answer = await ability.restore(sending, { before, replaced: replaced.value }, network());
  await inWorkspace(async (tx) => {
    if (answer.ok) await moveSetting(tx, setting.id, 'undone', deps.clock.now());
    await auditStep(tx, act, { ...endOf(answer), isForced });
  });
  return answer;
}

function inWorkspaceOf({ storage }: ProviderWebhooksDeps, { workspaceId }: Place) {
  return <T>(work: (tx: WorkspaceTx) => Promise<T>) => storage.inWorkspace(workspaceId, work);
}

async function lookAfter(
  deps: ProviderWebhooksDeps,
  place: Place,
  outcome: Outcome,
): Promise<Result<ProviderWebhook, Failure>> {
  if (!outcome.ok) return outcome;
  const seen = await look(deps, place);
  return seen ? done(seen) : refused(accountMissing);
}

/** The part behind `#` is the provider's affair (Twilio's connection overrides). */
function isSameUrl(one: string | null, other: string | null): boolean {
  return one?.split('#')[0] === other?.split('#')[0];
}

function factsPlace(row: string): SealedPlace {
  return { table: 'provider_webhooks', column: 'facts_sealed', row };
}

function factsOf(sealer: Sealer, { id, factsSealed }: SettingRow): Facts {
  return JSON.parse(sealer.openText(factsSealed, factsPlace(id))) as Facts;
}
