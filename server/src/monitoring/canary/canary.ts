/**
 * A canary: a customer's text that goes through an account's whole chain – its token, its signature, the durable inbox, the
 * workers, the bot – marked as a test, so that its reply is held and no provider hears of it. It comes in by HTTP at this
 * process's own listener, over loopback. Where this process takes no webhooks, or the account's are signed by the operator's
 * app and come by the app-level routes, it enters where the gateway stores what it has verified; the run says which.
 */
import type { AccountId, DeliveryId, WorkspaceId } from '@switchyard/contract';
import type { Accounts, ServingAccount, SignedRequest } from '#accounts';
import type { Channel } from '#channels';
import { type CanaryDoor, canaryHeader, secretsOfAccount } from '#gateway';
import { traceDelivery, type VerifiedDelivery } from '#inbox';
import { type Clock, newId } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import { postCanary } from './canary-client.ts';
import { type CanaryOutcome, type CanaryRun, canaryLimits, outcomeOf } from './canary-hops.ts';
import { canaryRequest } from './canary-request.ts';
import {
  findRun,
  forgetRuns,
  insertRun,
  lastRuns,
  listSchedules,
  recordRun,
  setSchedule,
  takeDue,
} from './canary-store.ts';

export interface CanaryDeps {
  readonly storage: Pick<Storage, 'inWorkspace'>;
  readonly accounts: Pick<Accounts, 'findServing' | 'route'>;
  readonly channels: Readonly<Record<ServingAccount['provider'], Channel>>;
  /** Stores what is verified, as the gateway does. */
  readonly store: (delivery: VerifiedDelivery) => Promise<void>;
  /** Where this process takes webhooks itself. */
  readonly canaryDoor?: CanaryDoor;
  readonly clock: Clock;
  readonly publicUrl: string | undefined;
  /** The operator's own, for accounts that have none: their webhooks come by the app-level routes. */
  readonly appSecrets: Readonly<Record<'meta' | 'instagram', readonly string[]>>;
}

export type SeenRun = CanaryRun &
  CanaryOutcome & {
    /** How it came in; null while it is not stored. */
    readonly entrance: 'gateway' | 'store' | null;
  };

export interface Canaries {
  /** null: there is no such account, or it is switched off. Resolves when it is stored, before the workers have it. */
  run(workspaceId: WorkspaceId, accountId: AccountId): Promise<DeliveryId | null>;
  /** Runs it if its time has come. */
  runIfDue(workspaceId: WorkspaceId, accountId: AccountId): Promise<void>;
  look(tx: WorkspaceTx, id: DeliveryId): Promise<SeenRun | null>;
  /** The newest few of each account. */
  latest(tx: WorkspaceTx, perAccount: number): Promise<readonly SeenRun[]>;
  schedules(tx: WorkspaceTx): Promise<ReadonlyMap<AccountId, number>>;
  setSchedule(tx: WorkspaceTx, accountId: AccountId, everyMinutes: number | null): Promise<void>;
}

export function createCanaries(deps: CanaryDeps): Canaries {
  const see = async (tx: WorkspaceTx, run: CanaryRun): Promise<SeenRun> => {
    const trace = await traceDelivery(tx, run.id);
    return { ...run, ...outcomeOf(run, trace, deps.clock.now()), entrance: trace && entranceOf(trace.routeKind) };
  };
  return {
    run: (workspaceId, accountId) => start(deps, workspaceId, accountId),
    async runIfDue(workspaceId, accountId) {
      const isTaken = await deps.storage.inWorkspace(workspaceId, async (tx) => {
        await forgetRuns(tx, canaryLimits.keepDays);
        return takeDue(tx, accountId);
      });
      if (isTaken) await start(deps, workspaceId, accountId);
    },
    async look(tx, id) {
      const run = await findRun(tx, id);
      return run && see(tx, run);
    },
    async latest(tx, perAccount) {
      const seen: SeenRun[] = [];
      for (const run of await lastRuns(tx, perAccount)) seen.push(await see(tx, run));
      return seen;
    },
    schedules: listSchedules,
    setSchedule,
  };
}

async function start(deps: CanaryDeps, workspaceId: WorkspaceId, accountId: AccountId): Promise<DeliveryId | null> {
  const account = await deps.accounts.findServing(workspaceId, accountId);
  if (!account?.isActive || account.isDeleted) return null;
  const begun = { id: newId('delivery'), accountId, startedAt: deps.clock.now() };
  await deps.storage.inWorkspace(workspaceId, (tx) => insertRun(tx, begun));
  const url = isByOwnSecret(account) ? deps.canaryDoor?.url : null;
  const passed = url ? await sendToDoor(deps, { account, url }, begun) : await sendThrough(deps, account, begun);
  await deps.storage.inWorkspace(workspaceId, (tx) => recordRun(tx, { ...begun, ...passed }));
  return begun.id;
}

type Passed = Pick<CanaryRun, 'routedMs' | 'verifiedMs' | 'storedMs' | 'error'>;

/** Of a canary that entered where the gateway stores. */
const storeRouteKind = 'canary-store';

function entranceOf(routeKind: string): 'gateway' | 'store' {
  return routeKind === storeRouteKind ? 'store' : 'gateway';
}

/** False: signed by the operator's app, so that its provider's webhooks do not come by the account's own URL. */
function isByOwnSecret({ provider, secrets }: ServingAccount): boolean {
  return (provider !== 'meta' && provider !== 'instagram') || Boolean(secrets.appSecret);
}

/** By HTTP. */
async function sendToDoor(
  deps: CanaryDeps,
  to: { readonly account: ServingAccount; readonly url: string },
  run: Pick<CanaryRun, 'id' | 'startedAt'>,
): Promise<Passed> {
  const startedMs = deps.clock.elapsedMs();
  const since = () => deps.clock.elapsedMs() - startedMs;
  const passed: { -readonly [Name in keyof Passed]: Passed[Name] } = {
    ...{ routedMs: null, verifiedMs: null, storedMs: null, error: null },
  };
  const word = deps.canaryDoor?.expect({
    id: run.id,
    passed: (hop) => {
      passed[`${hop}Ms`] = since();
    },
  });
  try {
    const target = targetOf(to.account);
    const signed = signedFor(deps, to.account, target, run);
    const headers = { ...signed.headers, [canaryHeader]: word ?? '' };
    const status = await postCanary(`${to.url}${target}`, { ...signed, headers });
    if (status === 200) passed.storedMs = since();
    else passed.error = `was answered ${status} at the gateway`;
  } catch (error) {
    passed.error = `got no answer at the gateway: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (word) deps.canaryDoor?.forget(word);
  }
  return passed;
}

/** Past the listener. */
async function sendThrough(
  deps: CanaryDeps,
  account: ServingAccount,
  run: Pick<CanaryRun, 'id' | 'startedAt'>,
): Promise<Passed> {
  const startedMs = deps.clock.elapsedMs();
  const passed: { -readonly [Name in keyof Passed]: Passed[Name] } = {
    ...{ routedMs: null, verifiedMs: null, storedMs: null, error: null },
  };
  try {
    const target = targetOf(account);
    const routed = await deps.accounts.route('token', decodeURIComponent(target.split('/').at(-1) ?? ''));
    if (routed.kind !== 'found' || routed.account.accountId !== account.accountId)
      return { ...passed, error: 'its webhook token leads nowhere' };
    passed.routedMs = deps.clock.elapsedMs() - startedMs;
    const verified = verify(deps, routed.account, target, run);
    if (typeof verified === 'string') return { ...passed, error: `is refused: ${verified}` };
    passed.verifiedMs = deps.clock.elapsedMs() - startedMs;
    await deps.store(verified);
    passed.storedMs = deps.clock.elapsedMs() - startedMs;
    return passed;
  } catch (error) {
    return { ...passed, error: `could not be stored: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Path of the account's own webhook, as a provider calls it. */
function targetOf(account: ServingAccount): string {
  const url = account.webhookUrl ?? '';
  return url.startsWith('/') ? url : new URL(url).pathname;
}

/** The delivery, or why it does not verify. */
function verify(
  deps: CanaryDeps,
  routed: ServingAccount,
  target: string,
  run: Pick<CanaryRun, 'id' | 'startedAt'>,
): VerifiedDelivery | string {
  const publicUrl = publicUrlOf(deps);
  const channel = deps.channels[routed.provider];
  const account = withAppSecret(deps, routed);
  const { headers, body } = signedFor(deps, account, target, run);
  const bytes = Buffer.from(body);
  const secrets = secretsOfAccount(account, channel.fields, publicUrl).byToken;
  const request = { method: 'POST', target, headers, body: bytes };
  const verification = channel.verify(request, secrets, run.startedAt.getTime());
  if (verification.kind === 'refused') return verification.reason;
  return {
    ...{ id: run.id, workspaceId: account.workspaceId, accountId: account.accountId, provider: account.provider },
    ...{ routeKind: storeRouteKind, method: 'POST', target: '/canary', isTest: true },
    // What it was signed and let in by has done its work.
    headers: { 'content-type': headers['content-type'] ?? '', 'user-agent': 'switchyard-canary' },
    body: bytes,
    secretsSealed: null,
    isAuthenticated: verification.isAuthenticated,
    receivedAt: run.startedAt,
  };
}

function publicUrlOf({ publicUrl }: CanaryDeps): string {
  return publicUrl ?? 'http://localhost';
}

function signedFor(
  deps: CanaryDeps,
  account: ServingAccount,
  target: string,
  run: Pick<CanaryRun, 'id' | 'startedAt'>,
): SignedRequest {
  const id = run.id.replaceAll('-', '');
  return canaryRequest(account, { id, url: `${publicUrlOf(deps)}${target}`, now: run.startedAt });
}

function withAppSecret({ appSecrets }: CanaryDeps, account: ServingAccount): ServingAccount {
  const { provider, secrets } = account;
  const [appSecret] = provider === 'meta' || provider === 'instagram' ? appSecrets[provider] : [];
  return secrets.appSecret || appSecret === undefined ? account : { ...account, secrets: { ...secrets, appSecret } };
}
