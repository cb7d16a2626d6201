import { createHash } from 'node:crypto';
import type { Provider, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { SecretSpan, Verification, VerifySecrets } from '#channels';
import type { VerifiedDelivery } from '#inbox';
import { crashPoint, newId } from '#kernel';
import { type Answer, answers } from './answers.ts';
import { answer, answerUnavailable, canaryOf, clientAddress, type Exchange, guarded } from './exchange.ts';
import { gatewayLimits } from './limits.ts';
import { takeSecrets } from './secret-parts.ts';
import { heldSecrets } from './verify-secrets.ts';

/** Where a delivery goes if it verifies. */
export interface Destination {
  readonly provider: Provider;
  readonly workspaceId: WorkspaceId;
  /** null: an app-level route; each event finds its own account. */
  readonly account: ServingAccount | null;
  readonly routeKind: string;
  /** As it is stored: without a token. */
  readonly target: string;
  readonly isTest: boolean;
}

export function destinationOf(account: ServingAccount, routeKind: string, target: string): Destination {
  return { provider: account.provider, workspaceId: account.workspaceId, account, routeKind, target, isTest: false };
}

export function verify(exchange: Exchange, provider: Provider, secrets: VerifySecrets, body: Buffer): Verification {
  const { req, deps } = exchange;
  const request = { method: req.method ?? '', target: req.url ?? '', headers: headersOf(exchange), body };
  return deps.channels[provider].verify(request, secrets, deps.clock.now().getTime());
}

/** Verify, store, and only then 200. */
export function deliver(exchange: Exchange, destination: Destination, secrets: VerifySecrets, body: Buffer): void {
  const verification = verify(exchange, destination.provider, secrets, body);
  crashPoint('gateway.verified');
  if (verification.kind === 'refused') refuse(exchange, accusedOf(destination), verification.reason);
  else if (verification.nonce) claimAndStore(exchange, destination, verification, body);
  else store(exchange, destination, verification.isAuthenticated, body);
}

/** Whose webhook did not verify, and by what it was known: a token is a secret, a name is not. */
export interface Accused {
  readonly provider: Provider;
  readonly accounts: readonly ServingAccount[];
  readonly by: 'token' | 'name';
}

function accusedOf({ provider, account, routeKind }: Destination): Accused {
  return { provider, accounts: account ? [account] : [], by: routeKind === 'token' ? 'token' : 'name' };
}

/** Logged, since it is either an attack or a secret that somebody changed on one side only. */
export function refuse(exchange: Exchange, { provider, accounts, by }: Accused, reason: string): void {
  const { log } = exchange.deps;
  const accountIds = accounts.map(({ accountId }) => accountId);
  log.warn(
    { provider, accountIds, from: clientAddress(exchange), reason },
    'a webhook was refused: it does not verify',
  );
  for (const account of accounts) exchange.deps.accounts.noteRefusal(account, by, reason);
  answer(exchange, answers.wrongSignature);
}

type Verified = Extract<Verification, { kind: 'verified' }>;

/** A signed request that was seen before is refused. Could not look: 503, never a pass. */
function claimAndStore(exchange: Exchange, destination: Destination, verified: Verified, body: Buffer): void {
  const { provider, account } = destination;
  const { key = '', value = '' } = verified.nonce ?? {};
  const hash = createHash('sha256').update(`${account?.accountId} ${key} ${value}`).digest('hex');
  exchange.deps.counters.claimOnce(`nonce:${provider}:${hash}`, gatewayLimits.nonceWindowMs).then(
    (isFirst) => {
      if (isFirst) store(exchange, destination, verified.isAuthenticated, body);
      else refuse(exchange, accusedOf(destination), 'its nonce was used before');
    },
    (error: unknown) => answerUnavailable(exchange, error),
  );
}

const noSpans: readonly SecretSpan[] = [];

/** Stores what has been verified. `success` is what the client hears after the commit. */
export function store(
  exchange: Exchange,
  destination: Destination,
  isAuthenticated: boolean,
  body: Buffer,
  success: Answer = destination.provider === 'twilio' ? answers.storedForTwilio : answers.stored,
): void {
  const { deps } = exchange;
  const { account } = destination;
  const delivery = makeDelivery(exchange, destination, isAuthenticated, body);
  crashPoint('gateway.before-store');
  deps.receiver.take(delivery, exchange.afterPosition, (failure) => {
    if (failure) answerUnavailable(exchange, failure);
    else guarded(exchange, () => answerStored(exchange, account, success));
  });
}

function answerStored(exchange: Exchange, account: ServingAccount | null, success: Answer): void {
  crashPoint('gateway.before-answer');
  if (account && !canaryOf(exchange)) exchange.deps.accounts.noteWebhook(account);
  answer(exchange, success);
  crashPoint('gateway.answered');
}

function makeDelivery(
  exchange: Exchange,
  destination: Destination,
  isAuthenticated: boolean,
  body: Buffer,
): VerifiedDelivery {
  const { deps, req } = exchange;
  const { provider, account } = destination;
  const canary = canaryOf(exchange);
  if (canary === 'stranger') throw new Error('only a route of an account takes canaries');
  const id = canary?.id ?? newId('delivery');
  const headers = headersOf(exchange);
  const spans = deps.channels[provider].findSecrets?.(body) ?? noSpans;
  const clean = takeSecrets({ id, headers, body }, { spans, values: heldSecrets(account) }, deps.sealer);
  const made = {
    id,
    workspaceId: destination.workspaceId,
    accountId: account?.accountId ?? null,
    provider,
    routeKind: destination.routeKind,
    method: req.method ?? '',
    target: destination.target,
    headers: clean.headers,
    body: clean.body,
    secretsSealed: clean.secretsSealed,
    isAuthenticated,
    isTest: destination.isTest,
    receivedAt: deps.clock.now(),
  };
  if (!canary) return made;
  canary.passed('verified');
  // What it was signed and let in by has done its work, and its reply is held.
  return { ...made, routeKind: 'canary', target: '/canary', isTest: true, headers: canaryHeaders(headers) };
}

function canaryHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { 'content-type': headers['content-type'] ?? '', 'user-agent': 'switchyard-canary' };
}

/** Node joins repeated headers (`joinDuplicateHeaders`), all but Set-Cookie, which no request has. */
export function headersOf({ req }: Exchange): Readonly<Record<string, string>> {
  return req.headers as Readonly<Record<string, string>>;
}
