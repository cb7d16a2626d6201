import type { Identity } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShopWorld, type ShopWorld } from '../support/shop-world.ts';

let world: ShopWorld;
let next = 0;
/** A number that no other test of this file has. */
const number = () => `3461${String(1_000_000 + next++)}`;

beforeAll(async () => {
  world = await openShopWorld();
});
afterAll(() => world.close());

const phone = (value: string): Identity => ({ kind: 'phone', value });
const waId = (value: string): Identity => ({ kind: 'wa_id', value });
const lid = (value: string): Identity => ({ kind: 'lid', value });

async function identitiesOf(contactId: string): Promise<string[]> {
  const rows = await world.db.ownerQuery<{ name: string }>(
    `SELECT kind || ':' || value AS name FROM identities WHERE contact_id = $1 ORDER BY 1`,
    [contactId],
  );
  return rows.map((row) => row.name);
}

describe('finding a customer', () => {
  it('gives one contact and one conversation for the same number however it is written', async () => {
    const digits = number();
    const first = await world.meet([waId(digits), phone(`+${digits}`)], { profileName: 'Ana' });
    expect(await world.meet([phone(`+${digits}`)])).toEqual(first);
    expect(await world.meet([waId(digits)])).toEqual(first);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, first.conversationId));
    expect(conversation).toMatchObject({ contactName: 'Ana', handler: 'bot', consent: null, leaseEpoch: 0n });
  });

  it.each([
    ['Mexico', '5215512340001', '+525512340001'],
    ['Argentina', '541123450001', '+5491123450001'],
    ['Brazil', '553188880001', '+5531988880001'],
  ])('knows the wa_id and the number of %s for one person', async (_name, id, e164) => {
    expect(await world.meet([phone(e164)])).toEqual(await world.meet([waId(id)]));
  });

  it('takes a known customer with one statement', async () => {
    const customer = [waId(number())];
    await world.meet(customer, { profileName: 'Ana' });
    const counted = await world.run(async (tx) => {
      const before = world.db.storage.statements.app;
      const correspondent = { accountId: world.accountId, provider: 'meta', customer, profileName: 'Ana' } as const;
      await world.conversations.resolveConversation(tx, correspondent);
      return world.db.storage.statements.app - before;
    });
    expect(counted).toBe(1);
  });

  it('knows people without a phone number', async () => {
    const bsuid: Identity = { kind: 'bsuid', value: 'US.13491208655302741918' };
    const first = await world.meet([bsuid, { kind: 'username', value: 'ana.norte' }]);
    expect(await world.meet([bsuid])).toEqual(first);
  });

  it('never knows anybody by a username alone, and lets the name pass on', async () => {
    const name: Identity = { kind: 'username', value: 'norte.fan' };
    const first = await world.meet([{ kind: 'instagram', value: '1001' }, name]);
    const second = await world.meet([{ kind: 'instagram', value: '1002' }, name]);
    expect(second.contactId).not.toBe(first.contactId);
    expect(await identitiesOf(second.contactId)).toEqual(['instagram:1002', 'username:norte.fan']);
    expect(await identitiesOf(first.contactId)).toEqual(['instagram:1001']);
    const nameless = await world.meet([name]);
    expect([first.contactId, second.contactId]).not.toContain(nameless.contactId);
    expect(await world.meet([])).toEqual(nameless);
  });

  it('keeps ids of one account apart from those of another', async () => {
    const other = await world.addAccount('evolution');
    const here = await world.meet([lid('55501@lid')]);
    const there = await world.meet([lid('55501@lid')], { accountId: other });
    expect(there.contactId).not.toBe(here.contactId);
  });

  it('gives one contact two conversations for two accounts', async () => {
    const other = await world.addAccount('twilio');
    const customer = [phone(`+${number()}`)];
    const here = await world.meet(customer);
    const there = await world.meet(customer, { accountId: other });
    expect(there.contactId).toBe(here.contactId);
    expect(there.conversationId).not.toBe(here.conversationId);
  });

  it('has one conversation for a group, whoever writes', async () => {
    const a = await world.meet([waId(number())], { groupId: '120363@g.us' });
    const b = await world.meet([waId(number())], { groupId: '120363@g.us' });
    const nameless = await world.meet([], { groupId: '120363@g.us' });
    expect(b.conversationId).toBe(a.conversationId);
    expect(nameless.conversationId).toBe(a.conversationId);
    expect(b.contactId).not.toBe(a.contactId);
  });

  it('follows the profile name until a person gives another', async () => {
    const customer = [waId(number())];
    const { contactId } = await world.meet(customer, { profileName: 'Ana' });
    await world.meet(customer, { profileName: 'Ana B.' });
    const nameOf = async () => (await world.db.ownerQuery('SELECT name FROM contacts WHERE id = $1', [contactId]))[0];
    expect(await nameOf()).toEqual({ name: 'Ana B.' });
    await world.db.ownerQuery(`UPDATE contacts SET name = 'VIP Ana' WHERE id = $1`, [contactId]);
    await world.meet(customer, { profileName: 'Ana C.' });
    expect(await nameOf()).toEqual({ name: 'VIP Ana' });
  });

  it('bears with names that Postgres does not take', async () => {
    const { contactId } = await world.meet([waId(number())], { profileName: 'A\u0000na \ud800!' });
    const [row] = await world.db.ownerQuery('SELECT name FROM contacts WHERE id = $1', [contactId]);
    expect(row).toEqual({ name: 'A\ufffdna \ufffd!' });
  });

  it('keeps the address current, best first', async () => {
    const digits = number();
    await world.meet([lid('77@lid')]);
    const { conversationId } = await world.meet([waId(digits), lid('77@lid')]);
    const again = await world.meet([lid('77@lid')]);
    expect(again.conversationId).toBe(conversationId);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, conversationId));
    expect(conversation?.address).toEqual([lid('77@lid'), waId(digits)]);
  });
});

describe('many at once', () => {
  it('makes one contact and one conversation of ten deliveries of a stranger', async () => {
    const customer = [waId(number()), { kind: 'bsuid', value: 'US.77' } as const];
    const met = await Promise.all(Array.from({ length: 10 }, () => world.meet(customer)));
    expect(new Set(met.map((one) => one.contactId)).size).toBe(1);
    expect(new Set(met.map((one) => one.conversationId)).size).toBe(1);
  });

  it('makes one contact of a stranger who writes to three accounts at once', async () => {
    const accounts = [world.accountId, await world.addAccount('twilio'), await world.addAccount('evolution')];
    const customer = [phone(`+${number()}`)];
    const met = await Promise.all(accounts.map((accountId) => world.meet(customer, { accountId })));
    expect(new Set(met.map((one) => one.contactId)).size).toBe(1);
    expect(new Set(met.map((one) => one.conversationId)).size).toBe(3);
    const left = await world.db.ownerQuery(
      'SELECT id FROM contacts c WHERE NOT EXISTS (SELECT FROM identities i WHERE i.contact_id = c.id) AND deleted_at IS NULL AND id > $1',
      [met[0]?.contactId],
    );
    expect(left).toEqual([]);
  });

  it('merges once when two deliveries prove the same thing at the same time', async () => {
    const [digits, anonymous] = [number(), lid('9911@lid')];
    const byPhone = await world.meet([waId(digits)]);
    const byLid = await world.meet([anonymous]);
    const met = await Promise.all(Array.from({ length: 6 }, () => world.meet([waId(digits), anonymous])));
    for (const one of met) expect(one).toEqual(byPhone);
    const [survivor] = await world.db.ownerQuery<{ merges: { contactId: string }[] }>(
      `SELECT metadata->'merges' AS merges FROM contacts WHERE id = $1`,
      [byPhone.contactId],
    );
    expect(survivor?.merges.map((merge) => merge.contactId)).toEqual([byLid.contactId]);
  });
});

describe('finding many at once', () => {
  const asked = (
    customer: readonly Identity[],
    facts: { readonly groupId?: string; readonly profileName?: string } = {},
  ) => ({ accountId: world.accountId, provider: 'meta', customer, ...facts }) as const;
  const resolveAll = (correspondents: readonly ReturnType<typeof asked>[]) =>
    world.run((tx) => world.conversations.resolveConversations(tx, correspondents));

  it('gives each what they get alone, the same customer twice included', async () => {
    const [known, fresh, other] = [number(), number(), number()];
    await world.meet([waId(known)], { profileName: 'Ana' });
    const all = [
      asked([waId(known)], { profileName: 'Ana' }),
      asked([waId(fresh)]),
      asked([waId(fresh), phone(`+${fresh}`)]),
      asked([waId(other)], { groupId: 'many@g.us' }),
      asked([]),
      asked([waId(fresh)]),
      asked([waId(known)], { profileName: 'Ana Maria' }),
    ];
    const together = await resolveAll(all);
    expect(together[1]).toEqual(together[5]);
    expect(together[1]).toEqual(together[2]);
    expect(together[0]).toEqual(together[6]);
    for (const [index, { customer, accountId, provider, ...facts }] of all.entries())
      expect(await world.meet(customer, facts)).toEqual(together[index]);
    expect(await identitiesOf(together[1]!.contactId)).toEqual([`phone:+${fresh}`, `wa_id:${fresh}`]);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, together[1]!.conversationId));
    expect(conversation?.address).toEqual([waId(fresh)]);
  });

  it('takes the known and the unknown with two statements', async () => {
    const known = [waId(number())];
    await world.meet(known);
    const counted = await world.run(async (tx) => {
      const before = world.db.storage.statements.app;
      const strangers = Array.from({ length: 20 }, () => asked([waId(number())]));
      await world.conversations.resolveConversations(tx, [asked(known), ...strangers]);
      return world.db.storage.statements.app - before;
    });
    expect(counted).toBe(2);
  });

  it('makes nobody twice when two transactions meet on the same customers', async () => {
    const numbers = Array.from({ length: 8 }, number);
    const all = numbers.map((one) => asked([waId(one)]));
    const [{ since } = {}] = await world.db.ownerQuery<{ since: Date }>('SELECT clock_timestamp() AS since');
    const first = Promise.withResolvers<void>();
    const one = world.run(async (tx) => {
      const resolved = await world.conversations.resolveConversations(tx, all);
      first.resolve();
      await tx.query('SELECT pg_sleep(0.05)');
      return resolved;
    });
    await first.promise;
    const [a, b] = await Promise.all([one, resolveAll(all.toReversed())]);
    expect(b.toReversed()).toEqual(a);
    const [row] = await world.db.ownerQuery(
      `SELECT count(DISTINCT contact_id)::int AS people,
         (SELECT count(*)::int FROM contacts WHERE created_at >= $2) AS made
       FROM identities WHERE value = ANY($1)`,
      [numbers, since],
    );
    expect(row).toEqual({ people: 8, made: 8 });
  });
});

describe('merging', () => {
  async function twoThatAreOne() {
    const [digits, anonymous] = [number(), lid(`${number()}@lid`)];
    const older = await world.meet([waId(digits)], { profileName: 'Ana' });
    const younger = await world.meet([anonymous], { profileName: 'ana♥' });
    await world.run((tx) =>
      world.conversations.recordConsent(tx, {
        contactId: younger.contactId,
        channel: 'whatsapp',
        topic: 'all',
        choice: 'out',
        source: 'message',
        at: new Date(),
      }),
    );
    return { older, younger, customer: [waId(digits), anonymous] };
  }

  it('keeps the older contact and moves identities, consents and conversations to it', async () => {
    const { older, younger, customer } = await twoThatAreOne();
    expect(await world.meet(customer)).toEqual(older);
    expect((await identitiesOf(older.contactId)).length).toBe(3);
    expect(await identitiesOf(younger.contactId)).toEqual([]);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, older.conversationId));
    expect(conversation).toMatchObject({ consent: 'out', contactName: 'Ana' });
    const moved = await world.db.ownerQuery(
      'SELECT contact_id = $2 AS "isMoved", closed_at IS NOT NULL AS "isClosed" FROM conversations WHERE id = $1',
      [younger.conversationId, older.contactId],
    );
    expect(moved).toEqual([{ isMoved: true, isClosed: true }]);
  });

  it('can be taken back, to the row', async () => {
    const { older, younger, customer } = await twoThatAreOne();
    const snapshot = () =>
      world.db.ownerQuery(
        `SELECT 'identity' AS what, contact_id, value AS fact FROM identities WHERE contact_id IN ($1, $2)
         UNION ALL SELECT 'consent', contact_id, id::text FROM consents WHERE contact_id IN ($1, $2)
         UNION ALL SELECT 'conversation', contact_id, id::text || COALESCE(closed_at::text, ' open') FROM conversations
          WHERE contact_id IN ($1, $2) ORDER BY 1, 2, 3`,
        [older.contactId, younger.contactId],
      );
    const before = await snapshot();
    await world.meet(customer);
    expect(await snapshot()).not.toEqual(before);
    expect(await world.run((tx) => world.conversations.undoMerge(tx, older.contactId, younger.contactId))).toBe(true);
    expect(await snapshot()).toEqual(before);
    expect(await world.run((tx) => world.conversations.undoMerge(tx, older.contactId, younger.contactId))).toBe(false);
  });

  it('does not merge two people of whom one got the other’s number, and keeps the number’s refusal', async () => {
    const digits = number();
    const former = await world.meet([waId(digits), lid('801@lid')]);
    await world.run((tx) =>
      world.conversations.recordConsent(tx, {
        contactId: former.contactId,
        channel: 'whatsapp',
        topic: 'all',
        choice: 'out',
        source: 'message',
        at: new Date(),
      }),
    );
    const holder = await world.meet([waId(digits), lid('802@lid')]);
    expect(holder.contactId).not.toBe(former.contactId);
    expect(await identitiesOf(former.contactId)).toEqual(['lid:801@lid']);
    expect(await identitiesOf(holder.contactId)).toEqual(['lid:802@lid', `phone:+${digits}`, `wa_id:${digits}`]);
    expect(await world.run((tx) => world.conversations.findConsent(tx, holder.contactId, 'whatsapp', 'all'))).toBe(
      'out',
    );
  });

  it('takes a new business-scoped id for the same person, as after a move of portfolio', async () => {
    const digits = number();
    const before = await world.meet([waId(digits), { kind: 'bsuid', value: 'ES.1' }]);
    const after = await world.meet([waId(digits), { kind: 'bsuid', value: 'ES.2' }]);
    expect(after).toEqual(before);
  });
});

describe('a changed number', () => {
  it('belongs to the same contact from then on', async () => {
    const [old, fresh] = [number(), number()];
    const met = await world.meet([waId(old)]);
    await world.run(async (tx) => {
      const conversation = await world.conversations.loadConversation(tx, met.conversationId);
      await world.conversations.changeAddress(tx, conversation!, fresh);
    });
    expect(await world.meet([waId(fresh)])).toEqual(met);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, met.conversationId));
    expect(conversation?.address).toEqual([waId(fresh)]);
  });

  it('merges whoever is known under the new one', async () => {
    const [old, fresh] = [number(), number()];
    const met = await world.meet([waId(old)]);
    const other = await world.meet([waId(fresh)]);
    await world.run(async (tx) => {
      const conversation = await world.conversations.loadConversation(tx, met.conversationId);
      await world.conversations.changeAddress(tx, conversation!, fresh);
    });
    expect((await world.meet([waId(fresh)])).contactId).toBe(met.contactId);
    expect(other.contactId).not.toBe(met.contactId);
  });
});
