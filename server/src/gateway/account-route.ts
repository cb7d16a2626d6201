import type { RouteKind, ServingAccount } from '#accounts';
import { answers, textAnswer } from './answers.ts';
import { deliver, destinationOf } from './deliver.ts';
import {
  answer,
  answerUnavailable,
  canaryOf,
  type Exchange,
  guarded,
  isReading,
  isRefusedByHead,
  publicUrlOf,
  withBody,
} from './exchange.ts';
import type { WebhookPath } from './paths.ts';
import { secretsOfAccount } from './verify-secrets.ts';

type AccountPath = Extract<WebhookPath, { kind: 'token' | 'instance' }>;

/** A path that names its account: by token, or by the name of an Evolution instance. Nothing is awaited on a hit. */
export function serveAccountRoute(exchange: Exchange, path: AccountPath): void {
  const { accounts } = exchange.deps;
  const key = path.kind === 'token' ? path.token : path.instance;
  const known = accounts.peekRoute(path.kind, key);
  if (known !== undefined) {
    countRouting(exchange, path.kind, known, known ? 'hit' : 'negative');
    serveAccount(exchange, path, known);
    return;
  }
  accounts.route(path.kind, key).then(
    (routed) => {
      const account = routed.kind === 'found' ? routed.account : null;
      countRouting(exchange, path.kind, account, routed.outcome);
      guarded(exchange, () => serveAccount(exchange, path, account));
    },
    (error: unknown) => answerUnavailable(exchange, error),
  );
}

export function countRouting(
  { deps }: Exchange,
  kind: RouteKind,
  account: ServingAccount | null,
  outcome: 'hit' | 'miss' | 'negative',
): void {
  deps.accounts.countRouting(account?.accountId ?? null, account?.workspaceId ?? null, kind, outcome);
  deps.log.debug({ route: kind, outcome, accountId: account?.accountId }, 'routed');
}

function serveAccount(exchange: Exchange, path: AccountPath, account: ServingAccount | null): void {
  const provider = path.kind === 'token' ? path.provider : 'evolution';
  if (!account || account.provider !== provider) {
    answer(exchange, answers.unknown);
    return;
  }
  const canary = canaryOf(exchange);
  if (canary === 'stranger') {
    answer(exchange, answers.unknown);
    return;
  }
  canary?.passed('routed');
  const { req, deps } = exchange;
  const channel = deps.channels[provider];
  const both = secretsOfAccount(account, channel.fields, publicUrlOf(exchange));
  const secrets = path.kind === 'token' ? both.byToken : both.byName;
  if (isReading(req.method) && channel.challenge) {
    answerChallenge(exchange, channel.challenge(req.url ?? '', secrets));
    return;
  }
  // Twilio may be set to call by GET, with everything in the URL.
  const isDelivery = req.method === 'POST' || (req.method === 'GET' && provider === 'twilio');
  if (!isDelivery) {
    answer(exchange, answers.wrongMethod);
    return;
  }
  if (isRefusedByHead(exchange)) return;
  const target = path.kind === 'token' ? path.maskedTarget : (req.url ?? '');
  withBody(exchange, (body) => deliver(exchange, destinationOf(account, path.kind, target), secrets, body));
}

export function answerChallenge(
  exchange: Exchange,
  challenge: { readonly kind: 'answer'; readonly text: string } | { readonly kind: 'wrong-token' | 'not-a-challenge' },
): void {
  switch (challenge.kind) {
    case 'answer':
      // As text that no browser takes for a page: the challenge comes from outside.
      answer(
        exchange,
        textAnswer(200, 'text/plain; charset=utf-8', challenge.text, ['X-Content-Type-Options', 'nosniff']),
      );
      return;
    case 'wrong-token':
      answer(exchange, answers.wrongVerifyToken);
      return;
    case 'not-a-challenge':
      answer(exchange, answers.notAChallenge);
      return;
  }
}
