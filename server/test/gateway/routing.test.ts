/** What routing costs, when it forgets, and what is said when the database is away. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StorageUnavailable } from '#storage';
import { routingLimits } from '../../src/accounts/routing/routing.ts';
import { type Connected, metaBody, metaSignature, openWorld, type World } from './world.ts';

let world: World;
let account: Connected;

beforeAll(async () => {
  world = await openWorld();
  account = await world.connect({ provider: 'meta', settings: { phoneNumberId: '106540352242922' } });
});
afterAll(() => world.close());

function sendText(path = account.path, secret?: string) {
  const body = metaBody('106540352242922');
  return world.send(path, { headers: metaSignature(body, secret), body });
}

function statementsSent(): number {
  const { app, gateway, worker } = world.db.storage.statements;
  return app + gateway + worker;
}

describe('routing', () => {
  it('costs a known token no statement: the only one is the insert', async () => {
    await sendText();
    const before = statementsSent();
    for (let n = 0; n < 5; n += 1) expect((await sendText()).status).toBe(200);
    expect(statementsSent() - before).toBe(5);
  });

  it('remembers an unknown token too', async () => {
    await sendText('/webhooks/meta/whatsapp/a-token-of-nobody');
    const before = statementsSent();
    for (let n = 0; n < 5; n += 1)
      expect((await sendText('/webhooks/meta/whatsapp/a-token-of-nobody')).status).toBe(404);
    expect(statementsSent() - before).toBe(0);
  });

  it('knows a token at once that was asked for before it was given', async () => {
    const token = 'an-imported-token-of-an-older-system';
    expect((await sendText(`/webhooks/meta/whatsapp/${token}`)).status).toBe(404);
    const imported = await world.connect({ provider: 'meta', token });
    expect(imported.token).toBe(token);
    expect((await sendText(imported.path)).status).toBe(200);
  });

  it('uses a changed secret with the next delivery', async () => {
    await sendText();
    await world.accounts.update(world.workspaceId, account.id, { secrets: { appSecret: 'a newer secret' } });
    expect((await sendText(account.path, 'a newer secret')).status).toBe(200);
    expect((await sendText(account.path)).status).toBe(401);
    await world.accounts.update(world.workspaceId, account.id, { secrets: { appSecret: 'an app secret' } });
  });

  it('keeps a rotated token for the overlap, and knows the new one', async () => {
    const rotated = await world.connect({ provider: 'meta' });
    const result = await world.accounts.rotateToken(world.workspaceId, rotated.id);
    if (!result.ok) throw new Error(result.refusal.code);
    expect((await sendText(rotated.path)).status).toBe(200);
    expect((await sendText(new URL(result.value.webhookUrl).pathname)).status).toBe(200);
  });

  it('forgets an account that was removed', async () => {
    const removed = await world.connect({ provider: 'meta' });
    expect((await sendText(removed.path)).status).toBe(200);
    await world.accounts.remove(world.workspaceId, removed.id);
    expect((await sendText(removed.path)).status).toBe(404);
  });

  it('counts hits, misses and negatives by account and kind of route', async () => {
    const counted = await world.connect({ provider: 'meta' });
    for (let n = 0; n < 3; n += 1) await sendText(counted.path);
    await world.accounts.close();
    const rows = await world.db.ownerQuery<{ outcome: string; count: string }>(
      `SELECT outcome, sum(count) AS count FROM routing_counts WHERE account_id = $1 AND route_kind = 'token'
       GROUP BY outcome ORDER BY outcome`,
      [counted.id],
    );
    expect(rows).toEqual([
      { outcome: 'hit', count: '2' },
      { outcome: 'miss', count: '1' },
    ]);
    const accounts = await world.accounts.list(world.workspaceId);
    const seen = accounts.find(({ id }) => id === counted.id);
    expect(seen).toMatchObject({ webhookStatus: 'active' });
    expect(seen?.lastWebhookAt).toBeInstanceOf(Date);
  });
});

describe('a shared route, which anybody can call', () => {
  const path = '/api/whatsapp/webhook';
  let ids = 500_000_000_000;
  /** As many ids of nobody as are looked at. */
  const bodyOfStrangers = () =>
    JSON.stringify(
      Array.from({ length: 40 }, () => {
        ids += 1;
        return { id: `7${ids}`, metadata: { phone_number_id: String(ids) } };
      }),
    );

  it('looks nothing up for what brings no signature, or none of the right shape', async () => {
    const before = statementsSent();
    for (const headers of [{}, { 'x-hub-signature-256': 'sha256=00' }])
      expect((await world.send(path, { headers, body: bodyOfStrangers() })).status).toBe(401);
    for (const signature of ['', 'none']) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
      const body = `To=whatsapp:+1${ids}&From=whatsapp:+2${ids}`;
      expect((await world.send('/whatsapp/webhook', { headers, body })).status).toBe(401);
    }
    expect(statementsSent() - before).toBe(0);
  });

  it('looks up by one statement whatever a stranger names', async () => {
    const before = statementsSent();
    const body = bodyOfStrangers();
    const headers = metaSignature(body, 'a secret of nobody');
    expect((await world.send(path, { headers, body })).status).toBe(401);
    expect(statementsSent() - before).toBe(1);
    const form = {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': `${'A'.repeat(27)}=` },
      body: `To=whatsapp:+1${ids}&From=whatsapp:+2${ids}&AccountSid=AC${'f'.repeat(32)}`,
    };
    expect((await world.send('/whatsapp/webhook', form)).status).toBe(404);
    expect(statementsSent() - before).toBe(2);
  });

  it('takes nothing that the database would not: it is looked up for nobody, and is nobody’s', async () => {
    const before = statementsSent();
    const signed = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': `${'A'.repeat(27)}=` };
    const twilio = (form: string) => world.send('/whatsapp/webhook', { headers: signed, body: form });
    const answers = await Promise.all([
      world.send('/webhooks/evolution/%00', { body: '{}' }),
      world.send('/webhooks/evolution/in%07stance/messages-upsert', { body: '{}' }),
      world.send('/webhooks/evolution/%ed%a0%80', { body: '{}' }),
      world.send('/webhooks/meta/whatsapp/%00', { headers: metaSignature('{}'), body: '{}' }),
      twilio('To=%00x&From=whatsapp%3A%2B1%00&AccountSid=%00'),
      twilio(`To=${'9'.repeat(100_000)}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect(statementsSent() - before).toBe(0);
  });

  it('lets no key that the database would not take spoil those that are looked up beside it', async () => {
    const beside = await world.connect({ provider: 'meta', settings: { phoneNumberId: '106540352242944' } });
    const { accounts } = world;
    // In one turn of the event loop, as many requests at once come to it.
    const [nul, half, cold, nulls] = await Promise.all([
      accounts.route('instance', 'an instance\u0000'),
      accounts.route('twilio_address', 'half a pair \ud800'),
      accounts.route('phone_number_id', '106540352242944'),
      accounts.route('waba_id', '\u0000'.repeat(9)),
    ]);
    expect([nul.kind, half.kind, nulls.kind]).toEqual(['unknown', 'unknown', 'unknown']);
    expect(cold).toMatchObject({ kind: 'found', account: { accountId: beside.id } });
  });

  it('drives out no route that is known: a known token costs nothing after as many strange ids as routes are held', async () => {
    await sendText();
    const strange = Array.from({ length: routingLimits.maxCachedRoutes + 1 }, (_, n) => `9${n}`);
    await Promise.all(strange.map((id) => world.accounts.route('phone_number_id', id)));
    const before = statementsSent();
    expect((await sendText()).status).toBe(200);
    expect(statementsSent() - before).toBe(1);
  });
});

describe('with the database away', () => {
  afterEach(() => world.db.ownerQuery(`ALTER DATABASE ${world.db.name} CONNECTION LIMIT -1`));

  /** The backends are gone when it returns: a connection that is only about to break would still take a statement. */
  async function cutDatabase(users = 'switchyard%'): Promise<void> {
    await world.db.ownerQuery(`ALTER DATABASE ${world.db.name} CONNECTION LIMIT 0`);
    await world.db.ownerQuery(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
       WHERE datname = $1 AND usename LIKE $2 AND pid <> pg_backend_pid()`,
      [world.db.name, users],
    );
  }

  it('still refuses a wrong signature at once, and stores again when the database is back', async () => {
    await sendText();
    // The doorbell stays, and so this comes before the test that cuts it: when it breaks, what is known of routes is
    // forgotten, and nothing can be checked at all.
    await cutDatabase('switchyard_gateway%');
    expect((await sendText(account.path, 'a wrong secret')).status).toBe(401);
    expect((await sendText()).status).toBe(503);
    expect(world.unavailable.at(-1)).toBeInstanceOf(StorageUnavailable);
    await world.db.ownerQuery(`ALTER DATABASE ${world.db.name} CONNECTION LIMIT -1`);
    // Each connection that was cut costs one 503, after which the provider comes again.
    await expect.poll(async () => (await sendText()).status, { timeout: 10_000 }).toBe(200);
  });

  it('answers 503 with Retry-After to a known token, to an unknown one, and to a challenge: never that it is wrong', async () => {
    await sendText();
    await cutDatabase();
    const challenge = '/api/whatsapp/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=unheard-of';
    const answers = [
      await sendText(),
      await sendText('/webhooks/meta/whatsapp/a-token-never-seen'),
      await world.send('/webhooks/evolution/an-instance-never-seen', { body: '{}' }),
      await world.send(challenge, { method: 'GET' }),
      await world.send('/api/whatsapp/webhook-test', { headers: { authorization: 'Bearer swy_x' }, body: '{}' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    for (const { headers } of answers) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });
});
