/**
 * Two workspaces with three numbers: one each with a secret of its own, and one that is reached by the app-level shared
 * route, so that deliveries of the operator's workspace carry events of another. The same people write to all three.
 */
import type { Product } from '../../../server/src/compose/index.ts';

export interface Shop {
  readonly workspaceId: string;
  readonly accountId: string;
  readonly number: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** Where its webhooks go, without scheme and host. */
  readonly path: string;
  readonly token: string;
  /** What signs its webhooks: its own, or the app's. */
  readonly appSecret: string;
  readonly accessToken: string;
  /** A word that belongs to this workspace alone. */
  readonly canary: string;
}

/** For the accounts without a secret of their own. */
export const sharedAppSecret = 'planted-secret-of-the-app-4f1b';

export async function makeShops(product: Product, crowd: number): Promise<Shop[]> {
  return [...(await makeUsualShops(product)), ...(await makeCrowd(product, crowd))];
}

/** Further workspaces with a number each, all alike. */
async function makeCrowd(product: Product, crowd: number): Promise<Shop[]> {
  const made: Shop[] = [];
  for (let index = 4; index < 4 + crowd; index += 1) {
    const workspaceId = await makeWorkspace(product, `Crowd-${index}`);
    made.push(await makeShop(product, { workspaceId, index, canary: `CanaryCrowd${index}x`, hasSecret: true }));
  }
  return made;
}

async function makeUsualShops(product: Product): Promise<Shop[]> {
  const north = await makeWorkspace(product, 'North');
  const south = await makeWorkspace(product, 'South');
  return [
    await makeShop(product, { workspaceId: north, index: 1, canary: 'CanaryNorth7', hasSecret: true }),
    await makeShop(product, { workspaceId: south, index: 2, canary: 'CanarySouth4', hasSecret: true }),
    await makeShop(product, { workspaceId: south, index: 3, canary: 'CanarySouth4', hasSecret: false }),
  ];
}

type WorkspaceId = Parameters<Product['accounts']['create']>[0];

async function makeWorkspace(product: Product, name: string): Promise<WorkspaceId> {
  const made = await product.workspaces.create(name, { slug: name.toLowerCase() });
  if (!made.ok) throw new Error(made.refusal.detail);
  return made.value.id;
}

async function makeShop(
  product: Product,
  plan: {
    readonly workspaceId: WorkspaceId;
    readonly index: number;
    readonly canary: string;
    readonly hasSecret: boolean;
  },
): Promise<Shop> {
  const { workspaceId, index, canary, hasSecret } = plan;
  const number = `+${15_550_100_200 + index}`;
  const phoneNumberId = String(200_000_000_000_200 + index);
  const wabaId = String(200_000_000_010_100 + index);
  const ownSecret = `planted-secret-of-shop-${index}-9c2e`;
  const accessToken = `planted-access-token-${index}-77d0`;
  const made = await product.accounts.create(workspaceId, {
    provider: 'meta',
    name: `Shop ${index}`,
    phoneNumber: number,
    settings: { phoneNumberId, wabaId },
    secrets: { accessToken, ...(hasSecret ? { appSecret: ownSecret } : {}) },
    isActive: true,
  });
  if (!made.ok) throw new Error(made.refusal.detail);
  const { account, token } = made.value;
  return {
    ...{ workspaceId, accountId: account.id, number, phoneNumberId, wabaId, token, accessToken, canary },
    path: hasSecret ? `/webhooks/meta/whatsapp/${token}` : '/api/whatsapp/webhook',
    appSecret: hasSecret ? ownSecret : sharedAppSecret,
  };
}
