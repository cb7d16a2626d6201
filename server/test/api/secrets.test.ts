/** No secret leaves by an answer or a log, but the one that is shown once to who may see it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Log } from '#kernel';
import { type Furnished, furnish } from './furnish.ts';
import { pathOf, routeCases, routeName } from './route-table.ts';
import { type Answer, metaAccount, openWorld, ownPage, taken, type World } from './world.ts';

const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`;
const lines: string[] = [];

/** Every line, with all that a writer would be handed. */
const listeningLog: Log = {
  debug: (facts, text) => lines.push(text, JSON.stringify(facts, withErrors)),
  info: (facts, text) => lines.push(text, JSON.stringify(facts, withErrors)),
  warn: (facts, text) => lines.push(text, JSON.stringify(facts, withErrors)),
  error: (facts, text) => lines.push(text, JSON.stringify(facts, withErrors)),
  child: () => listeningLog,
};

function withErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.stack} ${JSON.stringify(value, Object.getOwnPropertyNames(value))}` : value;
}

let world: World;
let shop: Furnished;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await openWorld({ log: listeningLog });
  shop = await furnish(world, 'shop');
  headers = await world.addKey(shop.workspaceId);
});
afterAll(() => world.close());

it('shows an account with the names of its secrets, never their values, wherever it is asked for', async () => {
  const secrets = { accessToken: canary('access'), appSecret: canary('app'), verifyToken: canary('verify') };
  const made = await world.ask('POST', '/api/v1/accounts', {
    headers: { ...headers, 'idempotency-key': 'made' },
    body: { ...metaAccount(), secrets },
  });
  expect(made.status).toBe(201);
  const { id, token } = made.json<{ id: string; token: string }>();
  const changed = canary('changed');
  const answers: Answer[] = [made];
  const change = { secrets: { accessToken: changed } };
  answers.push(await world.ask('PATCH', `/api/v1/accounts/${id}`, { headers, body: change }));
  const wrong = { ...metaAccount(), secrets: { ...secrets, nonsense: canary('unknown field') } };
  answers.push(await world.ask('POST', '/api/v1/accounts', { headers, body: wrong }));
  answers.push(
    await world.ask('POST', '/api/v1/accounts', { headers, body: { ...metaAccount(), secrets: [canary('list')] } }),
  );
  answers.push(await world.ask('PATCH', `/api/v1/accounts/${id}`, { headers, body: `{"secrets": ${canary('cut')}` }));
  for (const route of world.app.apiRoutes) {
    if (route.method !== 'GET' || route.url.endsWith('/events')) continue;
    const kind = routeCases[routeName(route)]?.id;
    const path = pathOf(route.url, kind === 'account' ? id : kind ? shop.ids[kind] : '');
    const answer = await world.ask('GET', path, { headers });
    answers.push(answer);
    if (!path.endsWith('webhook')) expect(answer.text).not.toContain(token);
  }
  const whole = [...answers.map(({ text, headers: sent }) => text + JSON.stringify(sent)), ...lines].join('\n');
  expect(whole).not.toContain('canary-');
  expect(made.json()).toMatchObject({ heldSecrets: ['accessToken', 'appSecret', 'verifyToken'] });
  expect(lines.join('\n')).not.toContain(token);
});

it('writes no key, password or cookie into the log or the audit log, whatever goes wrong', async () => {
  const password = canary('password');
  const email = `${randomBytes(4).toString('hex')}@example.com`;
  taken(await world.workspaces.addPerson({ email, name: 'x', password }));
  const key = await world.addKey(shop.workspaceId, ['read', 'write', 'api-keys:write']);
  const secret = key.authorization?.split(' ')[1] ?? '';
  const broken = await world.openProcess({
    accounts: { ...world.accounts, listPage: () => Promise.reject(new Error('struck')) },
  });
  const failed = await broken.ask('GET', '/api/v1/accounts', { headers: key });
  expect([failed.status, failed.json().code]).toEqual([500, 'failed']);
  expect(failed.text).not.toContain('struck');
  expect(lines.join('\n')).toContain('struck');
  const asking = { headers: ownPage, body: { email, password } };
  const [cookie = ''] = (await world.ask('POST', '/api/v1/session', asking)).headers['set-cookie'] ?? [];
  await world.ask('POST', '/api/v1/session', { headers: ownPage, body: { email, password: canary('wrong') } });
  await world.ask('POST', '/api/v1/session', { headers: ownPage, body: { email, password: [canary('typed')] } });
  const made = await world.ask('POST', '/api/v1/api-keys', { headers: key, body: { name: 'made', scopes: ['read'] } });
  const audit = JSON.stringify(await world.db.ownerQuery('SELECT * FROM audit_log'));
  const kept = [lines.join('\n'), audit].join('\n');
  const token = /=([^;]+)/.exec(cookie)?.[1] ?? '';
  expect(token).toHaveLength(43);
  for (const hidden of [secret, token, made.json<{ secret: string }>().secret, 'canary-']) {
    expect(hidden.length).toBeGreaterThan(5);
    expect(kept).not.toContain(hidden);
  }
});

it('lists keys without their secrets', async () => {
  const { authorization = '' } = await world.addKey(shop.workspaceId);
  const list = await world.ask('GET', '/api/v1/api-keys', { headers });
  expect(list.text).toContain(authorization.slice(-4));
  expect(list.text).not.toContain(authorization.slice(-20));
  expect(list.text).not.toContain('hash');
});
