/** Accounts of the other providers, one in each of two workspaces, and a number whose app secret is changed during the run. */
import { openProduct, type Product } from '../../../../server/src/compose/index.ts';
import { parseConfig } from '../../../../server/src/config.ts';
import { silentLog } from '../../../../server/src/kernel/index.ts';
import type { Shop } from '../../stage/shops.ts';
import type { Stage } from '../../stage/stage.ts';

export interface Door {
  readonly accountId: string;
  readonly path: string;
  readonly token: string;
  /** By which its webhooks name it: sender, instance, id, session. */
  readonly name: string;
  /** What its webhooks are signed with, or bring along. */
  readonly secret: string;
}

export type Doors = Readonly<
  Record<'twilio' | 'evolution' | 'instagram' | 'webjs', { readonly mine: Door; readonly other: Door }>
>;

export interface Neighbours {
  readonly product: Product;
  readonly doors: Doors;
  /** A number of WhatsApp, in the first workspace. */
  readonly changing: Shop;
}

/** The caller closes the product. Nothing of the server may run yet: it learns of these accounts as it starts. */
export async function makeNeighbours(stage: Stage): Promise<Neighbours> {
  const settings = { SWITCHYARD_DATA: stage.folder, SWITCHYARD_DEMO: '0', PUBLIC_URL: 'http://127.0.0.1:1' };
  const product = await openProduct(parseConfig(settings), silentLog);
  try {
    const [mine, other] = [stage.shops[0]!, stage.shops[1]!];
    const doors = await makeDoors(product.accounts, [mine.workspaceId, other.workspaceId]);
    const changing = await makeChanging(product.accounts, mine);
    const made = [changing.accountId, ...allOf(doors).map((one) => one.accountId)];
    // Their messages are taken, and another system answers them: nothing of theirs may leave here.
    await stage.cluster.ask(`UPDATE accounts SET cutover = 'legacy' WHERE id = ANY($1)`, [made]);
    return { product, doors, changing };
  } catch (error) {
    await product.close();
    throw error;
  }
}

/** One of each provider in each of the two workspaces. */
export async function makeDoors(accounts: MakesAccounts, workspaceIds: readonly [string, string]): Promise<Doors> {
  const pair = async (make: (place: Place) => Promise<Door>) => ({
    mine: await make({ accounts, workspaceId: workspaceIds[0], which: 1 }),
    other: await make({ accounts, workspaceId: workspaceIds[1], which: 2 }),
  });
  return {
    twilio: await pair(makeTwilio),
    evolution: await pair(makeEvolution),
    instagram: await pair(makeInstagram),
    webjs: await pair(makeWebjs),
  };
}

export function secretsOf({ doors, changing }: Neighbours): string[] {
  const own = allOf(doors).flatMap(({ token, secret }) => [token, secret]);
  return [...own, changing.appSecret, changing.token, changedSecret];
}

function allOf(doors: Doors): Door[] {
  return Object.values(doors).flatMap(({ mine, other }) => [mine, other]);
}

/** What the app secret is changed to. */
export const changedSecret = 'planted-secret-after-the-change-52aa';

export function accountSidOf(which: number): string {
  return `AC${String(which).padStart(32, '0')}`;
}

type MakesAccounts = Pick<Product['accounts'], 'create'>;
type NewAccount = Parameters<MakesAccounts['create']>[1];

interface Place {
  readonly accounts: MakesAccounts;
  readonly workspaceId: string;
  readonly which: number;
}

function makeTwilio(place: Place): Promise<Door> {
  const [name, secret] = [`whatsapp:+1555019010${place.which}`, `planted-twilio-token-${place.which}-8d1e`];
  const settings = { accountSid: accountSidOf(place.which), sender: name };
  return make(place, { provider: 'twilio', settings, secrets: { authToken: secret } }, { name, secret });
}

function makeEvolution(place: Place): Promise<Door> {
  const [name, secret] = [`planted-instance-${place.which}`, `PLANTED-APIKEY-${place.which}-77AB`];
  const settings = { instance: name, requiresSecret: 'true' };
  return make(place, { provider: 'evolution', settings, secrets: { apiKey: secret } }, { name, secret });
}

function makeInstagram(place: Place): Promise<Door> {
  const [name, secret] = [`1784140000000${place.which}`, `planted-instagram-secret-${place.which}-3f0c`];
  const secrets = { appSecret: secret, accessToken: `planted-instagram-access-${place.which}-a11b` };
  return make(place, { provider: 'instagram', settings: { instagramId: name }, secrets }, { name, secret });
}

function makeWebjs(place: Place): Promise<Door> {
  const [name, secret] = [`planted-session-${place.which}`, `planted-webhook-key-${place.which}-c4d2`];
  return make(
    place,
    { provider: 'webjs', settings: { session: name }, secrets: { webhookKey: secret } },
    { name, secret },
  );
}

async function makeChanging(accounts: MakesAccounts, shop: Shop): Promise<Shop> {
  const [number, secret] = ['+15550100290', 'planted-secret-before-the-change-19fe'];
  const ids = { phoneNumberId: '200000000000290', wabaId: '200000000010290' };
  const place = { accounts, workspaceId: shop.workspaceId, which: 1 };
  const secrets = { appSecret: secret, accessToken: shop.accessToken };
  const { accountId, path, token } = await make(
    place,
    { provider: 'meta', settings: ids, secrets },
    { name: number, secret },
  );
  return { ...shop, ...ids, number, accountId, path, token, appSecret: secret };
}

async function make(
  { accounts, workspaceId }: Place,
  account: Pick<NewAccount, 'provider' | 'settings' | 'secrets'>,
  known: Pick<Door, 'name' | 'secret'>,
): Promise<Door> {
  const given = { ...account, name: known.name, isActive: true };
  const made = await accounts.create(workspaceId as Parameters<MakesAccounts['create']>[0], given);
  if (!made.ok) throw new Error(`${account.provider}: ${made.refusal.detail}`);
  const { account: created, token, webhookUrl } = made.value;
  return { ...known, accountId: created.id, token, path: new URL(webhookUrl).pathname };
}
