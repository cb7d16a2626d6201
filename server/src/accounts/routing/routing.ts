import type { AccountId, WorkspaceId } from '@switchyard/contract';
import { type Engines, hashToken, type Storage, type TwoLevelCache } from '#storage';
import type { Routed, RouteKind, ServingAccount } from '../accounts.ts';
import { gatherLookUps } from './gather.ts';
import { findPlaces, type Place } from './route-store.ts';

export const routingLimits = {
  maxCachedRoutes: 50_000,
  /** Of keys that nobody has: those who guess drive out each other's guesses, and no route. */
  maxCachedAbsences: 5_000,
  /** In one statement. */
  maxLookedUpAtOnce: 256,
  maxCachedAccounts: 10_000,
  /** How long a process that is cut off from the doorbell may route by what it knew. */
  ttlMs: 60_000,
  negativeTtlMs: 10_000,
  maxRememberedHashes: 10_000,
} as const;

export interface Routing {
  readonly peek: (kind: RouteKind, key: string) => ServingAccount | null | undefined;
  readonly route: (kind: RouteKind, key: string) => Promise<Routed>;
  /** As `route`, but nobody has used what is looked up. */
  readonly lookUp: (kind: RouteKind, key: string) => Promise<Routed>;
  readonly find: (workspaceId: WorkspaceId, accountId: AccountId) => Promise<ServingAccount | null>;
  forgetAccount(workspaceId: WorkspaceId, accountId: AccountId): Promise<void>;
  /** `key` as it stands in the table: the hash of a token, not its text. */
  forgetRoute(kind: RouteKind, key: string): Promise<void>;
}

export interface RoutingParts {
  readonly engines: Pick<Engines, 'cache'>;
  readonly storage: Storage;
  /** A token that leads to an account was used. */
  readonly noteToken: (workspaceId: WorkspaceId, hash: string) => void;
}

/**
 * Two caches: a route gives an account's place, a place gives the account, so that a change of an account is one
 * invalidation however many routes lead to it. Only places may go to the shared level: accounts hold open secrets.
 */
export function createRouting(
  parts: RoutingParts,
  loadAccount: (place: Place) => Promise<ServingAccount | null>,
): Routing {
  const { maxCachedRoutes, maxCachedAbsences, maxCachedAccounts, ttlMs, negativeTtlMs } = routingLimits;
  const places: TwoLevelCache<Place> = parts.engines.cache({
    name: 'routes',
    maxEntries: maxCachedRoutes,
    maxAbsences: maxCachedAbsences,
    ttlMs,
    negativeTtlMs,
    load: gatherLookUps((routeKeys) => findByRouteKeys(parts.storage, routeKeys), routingLimits.maxLookedUpAtOnce),
    codec: { encode: (place) => JSON.stringify(place), decode: (text) => JSON.parse(text) as Place },
  });
  const accounts: TwoLevelCache<ServingAccount> = parts.engines.cache({
    name: 'accounts',
    maxEntries: maxCachedAccounts,
    ttlMs,
    negativeTtlMs,
    load: (placeKey) => {
      const [workspaceId, accountId] = splitOnce(placeKey, '/');
      return loadAccount({ workspaceId: workspaceId as WorkspaceId, accountId: accountId as AccountId });
    },
  });
  const keyOfToken = rememberingTokenKeys();
  const routeKeyOf = (kind: RouteKind, key: string) => (kind === 'token' ? keyOfToken(key).key : `${kind}:${key}`);

  async function lookUp(kind: RouteKind, key: string): Promise<Routed> {
    const place = await places.get(routeKeyOf(kind, key));
    if (!place.value) return { kind: 'unknown', outcome: place.outcome === 'negative' ? 'negative' : 'miss' };
    const account = await accounts.get(placeKeyOf(place.value));
    const wasKnown = place.outcome === 'hit' && account.outcome !== 'miss';
    if (!account.value || account.value.isDeleted) {
      return { kind: 'unknown', outcome: wasKnown ? 'negative' : 'miss' };
    }
    return { kind: 'found', account: account.value, outcome: wasKnown ? 'hit' : 'miss' };
  }

  return {
    peek(kind, key) {
      const place = places.peek(routeKeyOf(kind, key));
      if (!place) return place;
      if (kind === 'token') parts.noteToken(place.workspaceId, keyOfToken(key).hash);
      const account = accounts.peek(placeKeyOf(place));
      return account?.isDeleted ? null : account;
    },
    async route(kind, key) {
      const routed = await lookUp(kind, key);
      if (kind === 'token' && routed.kind === 'found') {
        parts.noteToken(routed.account.workspaceId, keyOfToken(key).hash);
      }
      return routed;
    },
    lookUp,
    find: async (workspaceId, accountId) => (await accounts.get(placeKeyOf({ workspaceId, accountId }))).value,
    forgetAccount: (workspaceId, accountId) => accounts.invalidate(placeKeyOf({ workspaceId, accountId })),
    forgetRoute: (kind, key) => places.invalidate(`${kind}:${key}`),
  };
}

/** A key with NUL is nobody's: Postgres holds none, and refuses the whole statement that names one. */
const canBeHeld = (routeKey: string): boolean => !routeKey.includes('\u0000');

async function findByRouteKeys(storage: Storage, asked: readonly string[]): Promise<ReadonlyMap<string, Place>> {
  const routeKeys = asked.filter(canBeHeld);
  if (routeKeys.length === 0) return new Map();
  const routes = routeKeys.map((routeKey) => {
    const [kind, key] = splitOnce(routeKey, ':');
    return { kind, key };
  });
  const found = await findPlaces(storage, routes);
  return new Map(
    found.map(({ kind, key, workspaceId, accountId }) => [`${kind}:${key}`, { workspaceId, accountId }] as const),
  );
}

function placeKeyOf({ workspaceId, accountId }: Place): string {
  return `${workspaceId}/${accountId}`;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}

interface TokenKey {
  /** In the cache of places. */
  readonly key: string;
  /** As it stands in the table. */
  readonly hash: string;
}

/**
 * A token's key, which is its SHA-256, remembered: hashing it anew for every request would cost more than the rest of the
 * look-up. Begins afresh when full, so that a guesser of tokens fills no memory.
 */
function rememberingTokenKeys(): (token: string) => TokenKey {
  let remembered = new Map<string, TokenKey>();
  return (token) => {
    const known = remembered.get(token);
    if (known !== undefined) return known;
    if (remembered.size >= routingLimits.maxRememberedHashes) remembered = new Map();
    const hash = hashToken(token);
    const made: TokenKey = { key: `token:${hash}`, hash };
    remembered.set(token, made);
    return made;
  };
}
