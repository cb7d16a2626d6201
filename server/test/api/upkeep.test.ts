/** Erasure, export, retention and reconciliation over HTTP. */
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Furnished, furnish } from './furnish.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let ours: Furnished;
let headers: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  ours = await furnish(world, 'Canary');
  headers = await world.addKey(ours.workspaceId);
});
afterAll(() => world.close());

const never = new AbortController().signal;

describe('retention', () => {
  it('tells the policy, and what another would take, without changing anything', async () => {
    const plain = await world.ask('GET', '/api/v1/retention', { headers });
    expect(plain.json()).toMatchObject({ deliveryDays: 14, attemptDays: 30, doomed: { deliveries: 0, attempts: 0 } });
    const tried = await world.ask('GET', '/api/v1/retention?deliveryDays=3', { headers });
    expect(tried.json()).toMatchObject({ deliveryDays: 3, attemptDays: 30 });
    expect((await world.ask('GET', '/api/v1/retention', { headers })).json()).toMatchObject({ deliveryDays: 14 });
  });

  it('is changed in part, kept, and written down', async () => {
    const changed = await world.ask('PATCH', '/api/v1/retention', { headers, body: { attemptDays: 7 } });
    expect([changed.status, changed.json()]).toEqual([
      200,
      expect.objectContaining({ deliveryDays: 14, attemptDays: 7 }),
    ]);
    expect((await world.ask('GET', '/api/v1/retention', { headers })).json()).toMatchObject({ attemptDays: 7 });
    const [entry] = await world.db.ownerQuery(
      `SELECT action, resource, fields FROM audit_log WHERE workspace_id = $1 ORDER BY sequence DESC LIMIT 1`,
      [ours.workspaceId],
    );
    expect(entry).toEqual({ action: 'change', resource: 'retention', fields: { deliveryDays: 14, attemptDays: 7 } });
  });

  it.each([{ deliveryDays: 0 }, { deliveryDays: 401 }, { deliveryDays: 1.5 }, { days: 3 }])(
    'refuses %j',
    async (body) => {
      expect((await world.ask('PATCH', '/api/v1/retention', { headers, body })).status).toBe(400);
    },
  );
});

describe('one contact', () => {
  it('is exported as one document to be kept', async () => {
    const answer = await world.ask('GET', `/api/v1/contacts/${ours.ids.contact}/export`, { headers });
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${ours.ids.contact}.json"`);
    expect(answer.json()).toMatchObject({ contact: { id: ours.ids.contact, name: 'Canary' } });
    expect(answer.json<{ messages: unknown[] }>().messages).toHaveLength(2);
  });

  it('is erased only by who says so, and found by nobody from then on', async () => {
    const path = `/api/v1/contacts/${ours.ids.contact}`;
    for (const body of [{}, { confirm: 'yes' }, { confirm: 'erase', more: 1 }])
      expect((await world.ask('POST', `${path}/erase`, { headers, body })).status).toBe(400);
    const erased = await world.ask('POST', `${path}/erase`, { headers, body: { confirm: 'erase' } });
    expect(erased.status).toBe(202);
    const receipt = erased.json<{ id: string }>();
    expect(receipt).toMatchObject({ contactId: ours.ids.contact, phase: 'messages', counts: { identities: 1 } });
    expect(world.upkeep.at(-1)).toMatchObject({ name: 'purge' });

    const places = ['conversations', 'conversations?search=Canary', `conversations/${ours.ids.conversation}`];
    places.push(`conversations/${ours.ids.conversation}/messages`, `messages/${ours.ids.message}`);
    for (const place of places) {
      const { text } = await world.ask('GET', `/api/v1/${place}`, { headers });
      expect([place, text]).toEqual([place, expect.not.stringContaining('Canary')]);
    }
    expect((await world.ask('GET', `${path}/export`, { headers })).status).toBe(404);
    expect((await world.ask('POST', `${path}/erase`, { headers, body: { confirm: 'erase' } })).status).toBe(404);

    await world.privacy.purge(never);
    const done = await world.ask('GET', `/api/v1/erasures/${receipt.id}`, { headers });
    expect(done.json()).toMatchObject({ phase: 'done', counts: { messages: 2, outbound: 1, conversations: 1 } });
    const list = await world.ask('GET', '/api/v1/erasures', { headers });
    expect(list.json<{ data: { id: string }[] }>().data.map(({ id }) => id)).toContain(receipt.id);
    expect(list.text).not.toContain('Canary');
  });

  it('is for admins only', async () => {
    const agent = await (await world.addPerson(ours.workspaceId, 'agent')).logIn();
    const other = await furnish(world, 'Another');
    expect((await world.ask('GET', `/api/v1/contacts/${other.ids.contact}/export`, { headers: agent })).status).toBe(
      403,
    );
  });
});

describe('a reconciliation', () => {
  it('is asked of the workers, with the span that it will look at', async () => {
    const path = `/api/v1/accounts/${ours.ids.account}`;
    const asked = await world.ask('POST', `${path}/reconcile`, { headers, body: {} });
    const span = asked.json<{ from: string; until: string }>();
    expect([asked.status, Date.parse(span.until) - Date.parse(span.from)]).toEqual([202, 86_400_000]);
    expect(world.upkeep.at(-1)).toMatchObject({
      name: 'reconcile',
      payload: { accountId: toPublicId('account', ours.accountId), reason: 'asked', ...span },
    });
    expect((await world.ask('GET', `${path}/reconciliations`, { headers })).json()).toEqual({ data: [] });
  });

  it('of another span is another job, though one of this account waits; of the same it is the same', async () => {
    const path = `/api/v1/accounts/${ours.ids.account}/reconcile`;
    const days = [
      { from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' },
      { from: '2026-01-01T00:00:00Z', until: '2026-01-03T00:00:00Z' },
    ] as const;
    const before = world.upkeep.length;
    for (const body of [days[0], days[1], days[0]])
      expect((await world.ask('POST', path, { headers, body })).status).toBe(202);
    const [first, other, again] = world.upkeep.slice(before).map(({ name, id }) => `${name}/${id}`);
    expect(other).not.toBe(first);
    expect(again).toBe(first);
  });

  it.each([
    { from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' },
    { from: '2025-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z' },
    { from: 'yesterday' },
  ])('refuses %j', async (body) => {
    const answer = await world.ask('POST', `/api/v1/accounts/${ours.ids.account}/reconcile`, { headers, body });
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ code: 'invalid-request' })]);
  });
});
