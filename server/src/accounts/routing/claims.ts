/** What an account is routed by: taken with the account, given back when it changes. Only inside a change. */
import type { AccountId, Provider } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import { hashToken } from '#storage';
import type { Changing } from '../changing.ts';
import { Refusal, routeTaken } from '../failures.ts';
import type { AccountRow } from '../record/account-store.ts';
import { bindingsOf, type RouteClaim, routesOf } from './bindings.ts';
import { claimRoute, dropRoute, listRoutes, offerChallenge } from './route-store.ts';

type Named = Readonly<Record<string, string>>;

/** Claims what the account is routed by now, and lets go of what it no longer is. */
export async function claimRoutes(
  changing: Changing,
  row: AccountRow,
  held: { readonly fields: AccountFields; readonly secrets: Named },
): Promise<void> {
  const { tx, routes } = changing;
  const owner = { accountId: row.id, provider: row.provider };
  const claims = routesOf(bindingsOf(held.fields, row.settings));
  const challenges = verifyTokensOf(held.fields, held.secrets).map(hashToken);
  const wanted = new Set([
    ...claims.map(({ kind, key }) => `${kind}:${key}`),
    ...challenges.map((hash) => `challenge:${hash}`),
  ]);
  await dropRoutes(changing, row.id, ({ kind, key }) => kind !== 'token' && !wanted.has(`${kind}:${key}`));
  for (const claim of claims) await claimOrRefuse(changing, owner, claim);
  for (const hash of challenges) {
    await offerChallenge(tx, owner, hash);
    routes.push({ kind: 'challenge', key: hash });
  }
}

export async function dropRoutes(
  { tx, routes }: Changing,
  accountId: AccountId,
  isDropped: (route: Changing['routes'][number]) => boolean,
): Promise<void> {
  for (const route of await listRoutes(tx, accountId)) {
    if (!isDropped(route)) continue;
    await dropRoute(tx, accountId, route.kind, route.key);
    routes.push(route);
  }
}

async function claimOrRefuse(
  { tx, routes }: Changing,
  owner: { readonly accountId: AccountId; readonly provider: Provider },
  claim: RouteClaim,
): Promise<void> {
  if (!(await claimRoute(tx, owner, claim))) throw new Refusal(routeTaken(claim.kind));
  routes.push({ kind: claim.kind, key: claim.key });
}

function verifyTokensOf(fields: AccountFields, secrets: Named): readonly string[] {
  return fields.secrets.flatMap(({ name, verifies }) => {
    const value = secrets[name];
    return verifies === 'challenge' && value ? [value] : [];
  });
}
