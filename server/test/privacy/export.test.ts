import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPrivacyWorld, type PrivacyWorld, saysInGroup, writes } from './world.ts';

let world: PrivacyWorld;
beforeAll(async () => {
  world = await openPrivacyWorld();
});
afterAll(() => world.close());

test('an export holds everything of one contact, and nothing of another', async () => {
  const shop = await world.inbox.shop();
  const ana = { phone: '34611100001', name: 'Ana', secret: 'what Ana said' };
  const ben = { phone: '34611100002', name: 'Ben', secret: 'what Ben said' };
  const first = await world.deliver(shop, writes(shop, ana, 'in.1'));
  await world.deliver(shop, writes(shop, ben, 'in.2'));
  const exported = await world.privacy.exportContact(
    shop.workspaceId,
    await world.contactOf(shop, '+34611100001'),
    'cli',
  );
  if (!exported.ok) throw new Error(exported.refusal);
  const { contact, identities, conversations, messages, deliveryIds } = exported.value;
  expect(contact).toMatchObject({ id: expect.stringMatching(/^con_[0-9a-f]{32}$/), name: 'Ana' });
  expect(identities).toEqual(
    expect.arrayContaining([expect.objectContaining({ kind: 'phone', value: '+34611100001' })]),
  );
  expect(conversations).toHaveLength(1);
  expect(messages).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ direction: 'in', content: { type: 'text', text: 'what Ana said' } }),
    ]),
  );
  expect(messages.length).toBeGreaterThan(1);
  expect(deliveryIds).toEqual([`dlv_${first.replaceAll('-', '')}`]);
  expect(JSON.stringify(exported.value)).not.toContain('Ben');
  const [entry] = await world.inbox.db.ownerQuery(
    `SELECT action, fields FROM audit_log WHERE workspace_id = $1 AND resource LIKE 'contact %'`,
    [shop.workspaceId],
  );
  expect(entry).toEqual({ action: 'export', fields: {} });
});

test('what somebody said in a group is in their export, with its delivery, and nothing that others said there', async () => {
  const shop = await world.inbox.shop();
  const ana = { phone: '34611100003', name: 'Ana', secret: 'to Ana’s shop' };
  const [anaThere, benThere] = [
    { ...ana, secret: 'Ana in the group' },
    { phone: '34611100004', name: 'Ben', secret: 'Ben in the group' },
  ];
  const deliveries = [
    await world.deliver(shop, writes(shop, ana, 'in.3')),
    await world.deliver(shop, saysInGroup(shop, anaThere, 'in.4')),
  ];
  await world.deliver(shop, saysInGroup(shop, benThere, 'in.5'));
  const reaction = { customer: { emoji: '👎', at: '2026-11-20T10:00:00Z' } };
  await world.inbox.db.ownerQuery(`UPDATE messages SET reactions = $2 WHERE workspace_id = $1 AND direction = 'in'`, [
    shop.workspaceId,
    JSON.stringify(reaction),
  ]);
  const contactId = await world.contactOf(shop, '+34611100003');
  const exported = await world.privacy.exportContact(shop.workspaceId, contactId, 'cli');
  if (!exported.ok) throw new Error(exported.refusal);
  const { conversations, messages, deliveryIds } = exported.value;
  expect(conversations).toHaveLength(1);
  const said = (messages as Record<string, unknown>[]).filter(({ direction }) => direction === 'in');
  expect(said).toMatchObject([
    { groupId: null, content: { text: 'to Ana’s shop' }, reactions: reaction },
    { groupId: 'a-group', content: { text: 'Ana in the group' }, reactions: null },
  ]);
  expect(deliveryIds).toEqual(deliveries.map((id) => `dlv_${id.replaceAll('-', '')}`).toSorted());
  expect(JSON.stringify(exported.value)).not.toContain('Ben');
});
