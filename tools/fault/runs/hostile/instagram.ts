/** At Instagram's door: signed as Meta signs, with a secret of its own. */
import type { Door } from './accounts.ts';
import { graphSignature, type HostileRequest, post, senders, type Targets } from './request.ts';

export function instagramRequests({ mine: shop, doors, round }: Targets): HostileRequest[] {
  const { mine, other } = doors.instagram;
  const to = { path: mine.path, appSecret: mine.secret };
  const id = (name: string) => `mid.hostile.${name}.${round}`;
  const forged = body([entry(mine, senders.forged, id('forged'))]);
  const wrong = (name: string, secret: string) =>
    post(to, `Instagram, ${name}`, forged, [401], { headers: graphSignature(secret, forged) });
  const sound = body([entry(mine, senders.odd, id('sound'))]);
  const mixed = body([entry(other, senders.foreign, id('mixed')), entry(mine, senders.odd, id('own'))]);
  return [
    post(to, 'Instagram, a sound one', sound, [200], { takes: [id('sound')] }),
    post(to, 'Instagram, a sound one again', sound, [200], { takes: [id('sound')], copies: 3 }),
    { ...post(to, 'Instagram, no signature', forged, [401]), headers: { 'content-type': 'application/json' } },
    wrong('another secret', 'another'),
    wrong("another tenant's secret", other.secret),
    wrong('the secret of a number of the same tenant', shop.appSecret),
    post(to, "Instagram, at WhatsApp's door", forged, [401], { path: shop.path }),
    post(to, 'Instagram, at the shared path of WhatsApp', forged, [401], { path: '/api/whatsapp/webhook' }),
    post(to, "Instagram, another's account", body([entry(other, senders.foreign, id('foreign'))]), [200], {
      setsAside: 'foreign-account',
    }),
    post(to, "Instagram, its own beside another's", mixed, [200], { takes: [id('own')], setsAside: 'foreign-account' }),
  ];
}

function entry(door: Door, from: string, mid: string): object {
  const now = Date.now();
  const item = { sender: { id: from }, recipient: { id: door.name }, timestamp: now, message: { mid, text: 'hola' } };
  return { id: door.name, time: now, messaging: [item] };
}

function body(entries: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ object: 'instagram', entry: entries }));
}
