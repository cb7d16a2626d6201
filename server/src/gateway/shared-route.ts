import { createHash } from 'node:crypto';
import { cleanBinding, type RouteKind, type ServingAccount } from '#accounts';
import { answerChallenge, countRouting } from './account-route.ts';
import { answers } from './answers.ts';
import { deliver, destinationOf, headersOf, refuse, store, verify } from './deliver.ts';
import { answer, type Exchange, guardedAsync, isReading, isRefusedByHead, publicUrlOf, withBody } from './exchange.ts';
import type { WebhookPath } from './paths.ts';
import { peekGraphIds, peekTwilioParties } from './peek-ids.ts';
import { operatorSecrets, secretsOfAccount } from './verify-secrets.ts';

type GraphProvider = 'meta' | 'instagram';
type SharingProvider = GraphProvider | 'twilio';
type Found = { readonly account: ServingAccount; readonly kind: RouteKind; readonly outcome: 'hit' | 'miss' };

/** One URL for all accounts of an app: whose a delivery is stands in its body. */
export function serveSharedRoute(exchange: Exchange, path: Extract<WebhookPath, { kind: 'shared' }>): void {
  const { req } = exchange;
  const hasTwilioSignature = req.headers['x-twilio-signature'] !== undefined;
  if (isReading(req.method) && !(path.speaks === 'any' && hasTwilioSignature)) {
    guardedAsync(exchange, serveHandshake(exchange, path.speaks === 'instagram' ? 'instagram' : 'meta'));
    return;
  }
  if (req.method !== 'POST' && req.method !== 'GET') {
    answer(exchange, answers.wrongMethod);
    return;
  }
  if (isRefusedByHead(exchange)) return;
  withBody(exchange, (body) => {
    const isTwilio = path.speaks === 'any' && looksLikeTwilio(exchange, body);
    const provider = isTwilio ? 'twilio' : path.speaks === 'instagram' ? 'instagram' : 'meta';
    if (isUnsigned(exchange, provider)) {
      refuse(exchange, { provider, accounts: [], by: 'name' }, 'it brings no signature, or none of the right shape');
      return;
    }
    guardedAsync(exchange, provider === 'twilio' ? serveTwilio(exchange, body) : serveGraph(exchange, provider, body));
  });
}

/** Anybody can call a shared route: nothing is looked up for what no secret could verify. */
function isUnsigned(exchange: Exchange, provider: SharingProvider): boolean {
  return exchange.deps.channels[provider].hasSignature?.(headersOf(exchange)) === false;
}

/** Told apart before anything is verified: by whose signature it wears, else by its type, else by its first byte. */
function looksLikeTwilio({ req }: Exchange, body: Buffer): boolean {
  if (req.headers['x-twilio-signature'] !== undefined) return true;
  if (req.headers['x-hub-signature-256'] !== undefined) return false;
  const type = req.headers['content-type'];
  if (type?.startsWith('application/x-www-form-urlencoded')) return true;
  return type?.includes('json') !== true && body[0] !== '{'.charCodeAt(0);
}

/** GET: the verify token of any active account, known by its hash, or one of the operator's list. */
async function serveHandshake(exchange: Exchange, provider: GraphProvider): Promise<void> {
  const target = exchange.req.url ?? '';
  const { deps } = exchange;
  const token = new URLSearchParams(target.slice(target.indexOf('?') + 1)).get('hub.verify_token');
  const known = [...operatorsOwn(exchange, provider).challenge];
  if (token) {
    const hash = createHash('sha256').update(token).digest('hex');
    const routed = await deps.accounts.route('challenge', hash);
    const account = routed.kind === 'found' ? routed.account : null;
    countRouting(exchange, 'challenge', account, routed.outcome);
    if (account?.isActive && account.provider === provider) known.push(`sha256:${hash}`);
  }
  const channel = deps.channels[provider];
  const secrets = operatorSecrets([], known, publicUrlOf(exchange));
  answerChallenge(exchange, channel.challenge?.(target, secrets) ?? { kind: 'not-a-challenge' });
}

/**
 * Meta or Instagram. What an account's own app secret signs is that account's delivery and nobody else's, whatever other
 * ids stand in it. What the operator's secret signs belongs to the operator, and each event finds its account; but for
 * accounts that all have a secret of their own, the operator's does not do.
 */
async function serveGraph(exchange: Exchange, provider: GraphProvider, body: Buffer): Promise<void> {
  const { deps, req } = exchange;
  const found = await findGraphAccounts(exchange, provider, body);
  const fields = deps.channels[provider].fields;
  const accounts = found.map(({ account }) => account);
  let isWithoutOwn = found.length === 0;
  for (const { account, kind, outcome } of found) {
    const { byName } = secretsOfAccount(account, fields, publicUrlOf(exchange));
    if (byName.signing.length === 0) {
      isWithoutOwn = true;
      continue;
    }
    const verification = verify(exchange, provider, byName, body);
    if (verification.kind === 'refused') continue;
    countRouting(exchange, kind, account, outcome);
    store(exchange, destinationOf(account, kind, req.url ?? ''), verification.isAuthenticated, body);
    return;
  }
  if (!isWithoutOwn) {
    refuse(exchange, { provider, accounts, by: 'name' }, 'no own app secret of the accounts it names fits');
    return;
  }
  const secrets = operatorsOwn(exchange, provider);
  const verification = verify(exchange, provider, secrets, body);
  if (verification.kind === 'refused') {
    refuse(exchange, { provider, accounts, by: 'name' }, `with this server's app secret: ${verification.reason}`);
    return;
  }
  const workspaceId = await deps.operatorWorkspace();
  const destination = { provider, workspaceId, account: null, routeKind: 'shared', target: req.url ?? '' };
  store(exchange, { ...destination, isTest: false }, verification.isAuthenticated, body);
}

/** Each account that an id in the body leads to, once. What this process does not know is looked up at once. */
async function findGraphAccounts(exchange: Exchange, provider: GraphProvider, body: Buffer): Promise<readonly Found[]> {
  const found = new Map<string, Found>();
  const ids = peekGraphIds(body, provider);
  for (const routed of await Promise.all(ids.map(({ kind, value }) => findAccount(exchange, kind, value)))) {
    if (!routed || routed.account.provider !== provider || found.has(routed.account.accountId)) continue;
    found.set(routed.account.accountId, routed);
  }
  return [...found.values()];
}

export async function findAccount(exchange: Exchange, kind: RouteKind, key: string): Promise<Found | null> {
  const { accounts } = exchange.deps;
  const known = accounts.peekRoute(kind, key);
  if (known === null) return null;
  if (known) return { account: known, kind, outcome: 'hit' };
  const routed = await accounts.route(kind, key);
  return routed.kind === 'found' ? { account: routed.account, kind, outcome: routed.outcome } : null;
}

async function serveTwilio(exchange: Exchange, body: Buffer): Promise<void> {
  const target = exchange.req.url ?? '';
  const found = await findTwilioAccount(exchange, peekTwilioParties(target, body));
  if (found) {
    const { account, kind, outcome } = found;
    countRouting(exchange, kind, account, outcome);
    const { byName } = secretsOfAccount(account, exchange.deps.channels.twilio.fields, publicUrlOf(exchange));
    deliver(exchange, destinationOf(account, kind, target), byName, body);
    return;
  }
  countRouting(exchange, 'twilio_address', null, 'miss');
  answer(exchange, answers.unknown);
}

/**
 * By our own address: `To` of a message, `From` of a receipt; else by Twilio's account, where one has no sender. Where this
 * process does not know one of them, it and those behind it are looked up at once.
 */
async function findTwilioAccount(exchange: Exchange, parties: readonly string[]): Promise<Found | null> {
  const keys = parties.map((party) =>
    /^AC[0-9a-f]{32}$/i.test(party) ? party : cleanBinding('twilio_address', party),
  );
  const isOurs = (found: Found | null) => found?.account.provider === 'twilio';
  for (const [index, key] of keys.entries()) {
    const known = exchange.deps.accounts.peekRoute('twilio_address', key);
    if (known === undefined) {
      const rest = keys.slice(index).map((one) => findAccount(exchange, 'twilio_address', one));
      return (await Promise.all(rest)).find(isOurs) ?? null;
    }
    const found: Found | null = known && { account: known, kind: 'twilio_address', outcome: 'hit' };
    if (isOurs(found)) return found;
  }
  return null;
}

function operatorsOwn(exchange: Exchange, provider: GraphProvider) {
  const { metaAppSecrets, metaVerifyTokens, instagramAppSecrets, instagramVerifyTokens } = exchange.deps.settings;
  const publicUrl = publicUrlOf(exchange);
  if (provider === 'meta') return operatorSecrets(metaAppSecrets, metaVerifyTokens, publicUrl);
  // With Facebook Login, Instagram's webhooks come from the Meta app itself.
  return operatorSecrets(
    instagramAppSecrets.length > 0 ? instagramAppSecrets : metaAppSecrets,
    instagramVerifyTokens.length > 0 ? instagramVerifyTokens : metaVerifyTokens,
    publicUrl,
  );
}
