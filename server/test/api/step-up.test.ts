/** Step-up where it is the body that makes an act dangerous: a change of an account. */
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixedClock } from '#kernel';
import { stepUpMs } from '#workspaces';
import { type Furnished, furnish } from './furnish.ts';
import { openWorld, password, type World } from './world.ts';

let world: World;
let shop: Furnished;
/** Moves only when told, from the present: the database has the real time. */
const clock = fixedClock(new Date());

beforeAll(async () => {
  world = await openWorld({ clock });
  shop = await furnish(world, 'shop');
});
afterAll(() => world.close());

const credentials = [
  ['secrets', { secrets: { accessToken: 'another token' } }],
  ['a base URL', { settings: { baseUrl: 'https://graph.example.com' } }],
  ['an id of the provider', { name: 'Desk', settings: { messagesPerSecond: '5', wabaId: '4711' } }],
] as const;
const harmless = [
  ['a name', { name: 'Front desk' }],
  ['its pace', { settings: { messagesPerSecond: '5' } }],
  ['nothing in places of secrets', { businessName: 'Bazaar', secrets: {}, settings: {} }],
] as const;
const older = [
  ['PUT', { accessToken: 'another token' }, 403],
  ['PUT', { phone_number_id: '4712' }, 403],
  ['PUT', { isActive: true }, 200],
] as const;
const places = async () => {
  const { id } = await world.addAccount(shop.workspaceId);
  const owner = await world.addPerson(shop.workspaceId, 'owner');
  const headers = { ...(await owner.logIn()), 'x-switchyard-workspace': toPublicId('workspace', shop.workspaceId) };
  const path = `/api/v1/accounts/${toPublicId('account', id)}`;
  return { headers, path, settingsPath: `/whatsapp/settings/${id}` };
};

it.each(credentials)(
  'is asked for a change of an account with %s, and the change is made once it is given',
  async (_what, body) => {
    const { headers, path } = await places();
    clock.advanceMs(stepUpMs + 60_000);
    const before = (await world.ask('GET', path, { headers })).text;
    const refused = await world.ask('PATCH', path, { headers, body });
    expect([refused.status, refused.json().code]).toEqual([403, 'step-up-needed']);
    expect((await world.ask('GET', path, { headers })).text).toBe(before);
    expect((await world.ask('POST', '/api/v1/session/step-up', { headers, body: { password } })).status).toBe(204);
    expect((await world.ask('PATCH', path, { headers, body })).status).toBe(200);
  },
);

it.each(harmless)('is not asked for a change of an account with %s', async (_what, body) => {
  const { headers, path } = await places();
  clock.advanceMs(stepUpMs + 60_000);
  expect((await world.ask('PATCH', path, { headers, body })).status).toBe(200);
});

it.each(older)('is asked under the older name too: %s %j answers %i', async (method, body, status) => {
  const { headers, settingsPath } = await places();
  clock.advanceMs(stepUpMs + 60_000);
  expect((await world.ask(method, settingsPath, { headers, body })).status).toBe(status);
});

it('comes after the schema and after the right, and no key is asked', async () => {
  const { headers, path } = await places();
  const agent = await (await world.addPerson(shop.workspaceId, 'agent')).logIn();
  const key = await world.addKey(shop.workspaceId);
  const body = { secrets: { accessToken: 'by a program' } };
  clock.advanceMs(stepUpMs + 60_000);
  expect((await world.ask('PATCH', path, { headers, body: { ...body, odd: 1 } })).status).toBe(400);
  expect((await world.ask('PATCH', path, { headers: agent, body })).json()).toMatchObject({ code: 'forbidden' });
  expect((await world.ask('PATCH', path, { headers: key, body })).status).toBe(200);
});
