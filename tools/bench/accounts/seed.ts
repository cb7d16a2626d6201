/**
 * Many workspaces with three accounts each, written in bulk: the same rows that the product's own acts write (account with
 * its sealed secrets and their dates, sealed token, routes), each sealed for its own place, and an API key a workspace.
 */
import { randomBytes } from 'node:crypto';
import { type AccountId, channelOfProvider, type Provider, type WorkspaceId } from '@switchyard/contract';
import pg from 'pg';
import { sealSecrets, tokenPlace } from '../../../server/src/accounts/record/account-secrets.ts';
import { bindingsOf, routesOf } from '../../../server/src/accounts/routing/bindings.ts';
import { channels, type Product } from '../../../server/src/compose/index.ts';
import { newId, silentLog } from '../../../server/src/kernel/index.ts';
import { startEmbedded } from '../../../server/src/storage/embedded/index.ts';
import { hashToken, newToken } from '../../../server/src/storage/index.ts';

export interface SeededAccount {
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly token: string;
}

export interface SeededWorkspace {
  readonly workspaceId: WorkspaceId;
  readonly apiKey: string;
  readonly accounts: readonly SeededAccount[];
}

const workspacesAtOnce = 500;

/** Settings and secrets as a person would type them. */
const accountKinds = [
  {
    provider: 'meta',
    settings: (number: number) => ({
      phoneNumberId: String(106_000_000_000_000 + number),
      wabaId: String(102_000_000_000_000 + number),
    }),
    secrets: ['appSecret', 'accessToken'],
  },
  {
    provider: 'twilio',
    settings: (number: number) => ({
      accountSid: `AC${number.toString(16).padStart(32, '0')}`,
      sender: `whatsapp:+${15_600_000_000 + number}`,
    }),
    secrets: ['authToken'],
  },
  {
    provider: 'instagram',
    settings: (number: number) => ({ instagramId: String(17_841_400_000_000_000 + number) }),
    secrets: ['appSecret', 'accessToken'],
  },
] as const;

/** Gives what is needed to call them, in the order in which they were made. */
export async function seedAccounts(product: Product, workspaces: number): Promise<readonly SeededWorkspace[]> {
  const { dataFolder } = product.config;
  const hold = await startEmbedded({ folder: dataFolder, log: silentLog });
  const client = new pg.Client({
    connectionString: hold.superuserUrl('switchyard'),
    options: '-c search_path=switchyard',
  });
  try {
    await client.connect();
    const seeded: SeededWorkspace[] = [];
    while (seeded.length < workspaces) {
      const count = Math.min(workspacesAtOnce, workspaces - seeded.length);
      const made = Array.from({ length: count }, (_, index) => makeWorkspace(product, seeded.length + index));
      await insertRows(client, made);
      seeded.push(...made.map(({ seeded: one }) => one));
    }
    await client.query('ANALYZE');
    return seeded;
  } finally {
    await client.end();
    await hold.stop();
  }
}

type Rows = Readonly<Record<keyof typeof inserts, readonly Readonly<Record<string, unknown>>[]>>;

interface MadeWorkspace {
  readonly seeded: SeededWorkspace;
  readonly rows: Rows;
}

function makeWorkspace(product: Product, number: number): MadeWorkspace {
  const workspaceId = newId('workspace');
  const apiKey = `swy_${newToken()}`;
  const made = accountKinds.map((kind, place) =>
    makeAccount(product, { workspaceId, number: number * accountKinds.length + place }, kind),
  );
  const name = `Workspace ${number}`;
  return {
    seeded: { workspaceId, apiKey, accounts: made.map(({ seeded }) => seeded) },
    rows: {
      workspaces: [{ workspace_id: workspaceId, name, slug: `workspace-${number}` }],
      accounts: made.map(({ account }) => account),
      webhook_tokens: made.map(({ token }) => token),
      routes: made.flatMap(({ routes }) => routes),
      secret_dates: made.flatMap(({ dates }) => dates),
      api_keys: [
        {
          ...{ workspace_id: workspaceId, id: newId('apiKey'), name: 'bench', scopes: ['read', 'write'] },
          ...{ key_hash: hashToken(apiKey), last_four: apiKey.slice(-4) },
        },
      ],
    },
  };
}

function makeAccount(
  { foundation: { sealer } }: Product,
  { workspaceId, number }: { readonly workspaceId: WorkspaceId; readonly number: number },
  kind: (typeof accountKinds)[number],
) {
  const { provider } = kind;
  const channel = channelOfProvider[provider];
  const [accountId, tokenId] = [newId('account'), newId('account')];
  const settings = kind.settings(number);
  const secrets = Object.fromEntries(kind.secrets.map((name) => [name, randomBytes(16).toString('hex')]));
  const token = newToken();
  const owner = { workspace_id: workspaceId, account_id: accountId };
  const claims = routesOf(bindingsOf(channels[provider].fields, settings));
  const phone = channel === 'whatsapp' ? `+${15_600_000_000 + number}` : null;
  return {
    seeded: { accountId, provider, token },
    account: {
      ...{ workspace_id: workspaceId, id: accountId, channel, provider, name: phone ?? 'A page', phone_number: phone },
      // The first of a channel is its primary one.
      ...{ is_primary: provider !== 'twilio', is_active: true, settings },
      secrets_sealed: sealSecrets(sealer, accountId, secrets).toString('base64'),
    },
    token: {
      ...{ ...owner, id: tokenId, token_hash: hashToken(token) },
      token_sealed: sealer.seal(token, tokenPlace(tokenId)).toString('base64'),
    },
    routes: [
      { ...owner, provider, kind: 'token', key: hashToken(token) },
      ...claims.map(({ kind: routeKind, key }) => ({ ...owner, provider, kind: routeKind, key })),
    ],
    dates: kind.secrets.map((name) => ({ ...owner, name })),
  };
}

/** By table, in the order of their references: its columns, and those that come as base64. */
const inserts = {
  workspaces: 'workspace_id uuid, name text, slug text',
  accounts: `workspace_id uuid, id uuid, channel text, provider text, name text, phone_number text, is_primary boolean,
    is_active boolean, settings jsonb, secrets_sealed bytea`,
  webhook_tokens: 'workspace_id uuid, id uuid, account_id uuid, token_hash text, token_sealed bytea',
  routes: 'kind text, key text, workspace_id uuid, account_id uuid, provider text',
  secret_dates: 'workspace_id uuid, account_id uuid, name text',
  api_keys: 'workspace_id uuid, id uuid, name text, scopes text[], key_hash text, last_four text',
} as const;

async function insertRows(client: pg.Client, made: readonly MadeWorkspace[]): Promise<void> {
  await client.query('BEGIN');
  for (const table of Object.keys(inserts) as (keyof typeof inserts)[]) {
    const rows = made.flatMap(({ rows: ofWorkspace }) => ofWorkspace[table]);
    await client.query(insertOf(table), [JSON.stringify(rows)]);
  }
  await client.query('COMMIT');
}

function insertOf(table: keyof typeof inserts): string {
  const columns = inserts[table].split(',').map((column) => {
    const [name = '', type = ''] = column.trim().split(' ');
    return { name, type };
  });
  const names = columns.map(({ name }) => name).join(', ');
  const values = columns.map(({ name, type }) => (type === 'bytea' ? `decode(n.${name}, 'base64')` : `n.${name}`));
  const shapes = columns.map(({ name, type }) => `${name} ${type === 'bytea' ? 'text' : type}`);
  return `INSERT INTO ${table} (${names}) SELECT ${values.join(', ')}
    FROM json_to_recordset($1) AS n (${shapes.join(', ')})`;
}
