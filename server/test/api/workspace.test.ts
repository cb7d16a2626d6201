/** A workspace's own settings, the mails of its invitations, and keys that have an end, over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedClock } from '#kernel';
import { createMailer, invitationLimits } from '#workspaces';
import { type LocalPost, openPost } from '../support/local-post.ts';
import { type Furnished, furnish } from './furnish.ts';
import { openWorld, ownPage, type World } from './world.ts';

let world: World;
let shop: Furnished;
let post: LocalPost;
const clock = fixedClock(new Date());

beforeAll(async () => {
  post = await openPost();
  world = await openWorld({ clock, mailer: createMailer({ smtpUrl: post.url, from: 'hello@example.com' }) });
  shop = await furnish(world, 'shop');
});
afterAll(async () => {
  await world.close();
  await post.close();
});

type Headers = Readonly<Record<string, string>>;
const send = (method: string, path: string, headers: Headers, body?: unknown) =>
  world.ask(method, `/api/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
const logIn = async (role: 'owner' | 'admin' | 'viewer') => (await world.addPerson(shop.workspaceId, role)).logIn();

describe('a workspace', () => {
  it('is called otherwise, in another zone and language, by an owner, with both values in the audit log', async () => {
    const owner = await logIn('owner');
    expect((await send('GET', '/workspace', owner)).json()).toMatchObject({ timeZone: 'UTC', language: 'en' });
    const change = { name: ' Bazaar Norte ', timeZone: 'Asia/Tokyo', language: 'es' };
    const changed = await send('PATCH', '/workspace', owner, change);
    expect([changed.status, changed.json()]).toMatchObject([200, { ...change, name: 'Bazaar Norte', slug: 'shop' }]);
    expect((await send('PATCH', '/workspace', owner, {})).json()).toMatchObject({ name: 'Bazaar Norte' });
    const me = (await send('GET', '/me', owner)).json<{ workspaces: unknown[] }>();
    expect(me.workspaces).toMatchObject([{ name: 'Bazaar Norte', timeZone: 'Asia/Tokyo', language: 'es' }]);
    const { data } = (await send('GET', '/audit?resource=workspace', owner)).json<{ data: { fields: unknown }[] }>();
    expect(data.map(({ fields }) => fields)).toContainEqual({
      before: { name: '•••', timeZone: 'UTC', language: 'en' },
      after: { name: '•••', timeZone: 'Asia/Tokyo', language: 'es' },
    });
  });

  it('is told to customers under its new name at once', async () => {
    const owner = await logIn('owner');
    const { id } = await world.addAccount(shop.workspaceId);
    await world.accounts.findServing(shop.workspaceId, id);
    await send('PATCH', '/workspace', owner, { name: 'Bazaar Sur' });
    expect(await world.accounts.findServing(shop.workspaceId, id)).toMatchObject({ workspaceName: 'Bazaar Sur' });
  });

  it.each([
    [{ timeZone: 'Mars/Olympus' }, '/timeZone'],
    [{ timeZone: '+02:00' }, '/timeZone'],
    [{ timeZone: 'europe/madrid' }, '/timeZone'],
    [{ language: 'xx' }, '/language'],
    [{ name: '  ' }, '/name'],
    [{ name: 'x'.repeat(101) }, '/name'],
    [{ kind: 'operator' }, 'kind'],
    [{ slug: 'taken-over' }, 'slug'],
  ])('refuses %j and names what is wrong', async (body, named) => {
    const answer = await send('PATCH', '/workspace', await logIn('owner'), body);
    expect([answer.status, answer.json()]).toMatchObject([400, { code: 'invalid-request' }]);
    expect(answer.text).toContain(named);
  });

  it('is changed by no admin, and by a key only with the scope that names it', async () => {
    expect((await send('PATCH', '/workspace', await logIn('admin'), { name: 'Mine' })).status).toBe(403);
    const general = await world.addKey(shop.workspaceId, ['read', 'write']);
    expect((await send('PATCH', '/workspace', general, { name: 'Mine' })).status).toBe(403);
    const named = await world.addKey(shop.workspaceId, ['workspace:write']);
    expect((await send('PATCH', '/workspace', named, { language: 'fr' })).status).toBe(200);
  });

  it('counts the days of its own zone, unless another one is asked for', async () => {
    const owner = await logIn('owner');
    await send('PATCH', '/workspace', owner, { timeZone: 'Asia/Tokyo' });
    const { id } = await world.addAccount(shop.workspaceId);
    const path = `/accounts/acc_${id.replaceAll('-', '')}/statistics`;
    const range = 'by=day&from=2026-01-10T00:00:00.000Z&to=2026-01-12T00:00:00.000Z';
    const daysOf = async (more: string) =>
      (await send('GET', `${path}?${range}${more}`, owner)).json<{ timeZone: string; buckets: { at: string }[] }>();
    const own = await daysOf('');
    expect([own.timeZone, own.buckets[0]?.at]).toEqual(['Asia/Tokyo', '2026-01-09T15:00:00.000Z']);
    expect((await daysOf('&timeZone=UTC')).buckets[0]?.at).toBe('2026-01-10T00:00:00.000Z');
  });
});

describe('an invitation', () => {
  const invite = async (email: string) =>
    (await send('POST', '/invitations', await logIn('owner'), { email, role: 'agent' })).json<{
      id: string;
      link: string;
      mail: string;
    }>();
  const look = (link: string) =>
    send('POST', '/invitations/look', ownPage, { token: link.slice(link.indexOf('#') + 1) });

  it('is mailed with the workspace’s name and in its language, and its link is shown all the same', async () => {
    await send('PATCH', '/workspace', await logIn('owner'), { name: 'Casa\r\nBcc: x@example.com', language: 'es' });
    const made = await invite('nina@example.com');
    expect(made).toMatchObject({ mail: 'sent', link: expect.stringContaining('https://hooks.example.com/join#') });
    const mail = readable(post.mails.at(-1) ?? '');
    expect(mail).toContain('To: nina@example.com');
    expect(mail).toContain('Le invitan a unirse a Casa');
    expect(mail).toContain(made.link);
    expect(mail).not.toMatch(/^Bcc:/m);
  });

  it('sent again has a new link and its whole time; the link before is over', async () => {
    const first = await invite('omar@example.com');
    clock.advanceMs(invitationLimits.validMs + 1_000);
    const expired = await look(first.link);
    expect([expired.status, expired.json()]).toMatchObject([410, { code: 'invitation-over', state: 'expired' }]);
    const again = await send('POST', `/invitations/${first.id}/resend`, await logIn('owner'));
    const { link, mail, state } = again.json<{ link: string; mail: string; state: string }>();
    expect([again.status, mail, state]).toEqual([200, 'sent', 'open']);
    expect((await look(link)).json()).toMatchObject({ email: 'omar@example.com' });
    expect((await look(first.link)).json()).toMatchObject({ code: 'invitation-over', state: 'unknown' });
    expect(readable(post.mails.at(-1) ?? '')).toContain(link);
  });

  it('that was taken back or used says so, and is not sent again', async () => {
    const owner = await logIn('owner');
    const revoked = await invite('pia@example.com');
    expect((await send('DELETE', `/invitations/${revoked.id}`, owner)).status).toBe(204);
    expect((await look(revoked.link)).json()).toMatchObject({ state: 'revoked' });
    const answer = await send('POST', `/invitations/${revoked.id}/resend`, owner);
    expect([answer.status, answer.json()]).toMatchObject([410, { code: 'invitation-over', state: 'revoked' }]);
    const used = await invite('quin@example.com');
    const token = used.link.slice(used.link.indexOf('#') + 1);
    const person = { name: 'Quin', password: 'a long password' };
    expect((await send('POST', '/invitations/accept', ownPage, { token, ...person })).status).toBe(204);
    expect((await look(used.link)).json()).toMatchObject({ state: 'accepted' });
    expect((await send('POST', `/invitations/${used.id}/resend`, owner)).json()).toMatchObject({
      code: 'already-member',
    });
    expect((await send('POST', '/invitations/nothing/resend', owner)).status).toBe(404);
  });

  it('floods no address, and is made all the same where the mail cannot leave', async () => {
    const told: string[] = [];
    for (let index = 0; index <= invitationLimits.mails; index += 1) told.push((await invite('rosa@example.com')).mail);
    expect(told).toEqual([...Array.from({ length: invitationLimits.mails }, () => 'sent'), 'too-many']);
    const mute = await world.openProcess({
      mailer: createMailer({ smtpUrl: 'smtp://127.0.0.1:9', from: 'a@b.example' }),
    });
    const headers = await logIn('owner');
    const body = { email: 'sol@example.com', role: 'viewer' };
    const made = await mute.ask('POST', '/api/v1/invitations', { headers, body });
    expect([made.status, made.json()]).toMatchObject([
      201,
      { mail: 'failed', link: expect.stringContaining('/join#') },
    ]);
  });
});

describe('an API key with an end', () => {
  it('is listed with it, and refused after it with words that say so', async () => {
    const owner = await logIn('owner');
    const expiresAt = new Date(clock.now().getTime() + 60_000).toISOString();
    const made = await send('POST', '/api-keys', owner, { name: 'short', scopes: ['read'], expiresAt });
    const { id, secret } = made.json<{ id: string; secret: string }>();
    const listed = (await send('GET', '/api-keys', owner)).json<{ data: { id: string; expiresAt: string }[] }>();
    expect(listed.data.find((key) => key.id === id)?.expiresAt).toBe(expiresAt);
    const headers = { authorization: `Bearer ${secret}` };
    expect((await send('GET', '/workspace', headers)).status).toBe(200);
    await world.db.ownerQuery(`UPDATE api_keys SET expires_at = now() WHERE name = 'short'`);
    const refused = await send('GET', '/workspace', headers);
    expect([refused.status, refused.json()]).toMatchObject([401, { code: 'key-ended' }]);
    expect(refused.text).toContain('this API key ended at 2');
    expect((await send('GET', '/workspace', { authorization: `Bearer ${secret}x` })).json()).toMatchObject({
      code: 'unauthenticated',
    });
    expect((await send('DELETE', `/api-keys/${id}`, owner)).status).toBe(204);
    expect((await send('GET', '/workspace', headers)).text).toContain('was revoked at 2');
  });

  it('is not made where it has ended already, or where its end is no instant', async () => {
    const owner = await logIn('owner');
    const make = (expiresAt: unknown) =>
      send('POST', '/api-keys', owner, { name: 'past', scopes: ['read'], expiresAt });
    expect((await make(clock.now().toISOString())).json()).toMatchObject({ status: 422, code: 'expiry-past' });
    expect((await make('tomorrow')).json()).toMatchObject({ status: 400, code: 'invalid-request' });
  });
});

/** A mail as a person reads it: quoted-printable undone. */
function readable(mail: string): string {
  const bytes = mail
    .replaceAll('=\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
