/** At Evolution's door: nothing is signed, a key is brought along in a header or in the body. */
import type { Door } from './accounts.ts';
import { type HostileRequest, nowSeconds, senders, type Targets } from './request.ts';

export function evolutionRequests({ doors, round }: Targets): HostileRequest[] {
  const { mine, other } = doors.evolution;
  let made = 0;
  const message = (from: string, around: object = {}) => {
    made += 1;
    const id = `3EB0${`${round}`.padStart(4, '0')}${`${made}`.padStart(12, '0')}`;
    const data = {
      key: { remoteJid: `${from}@s.whatsapp.net`, fromMe: false, id },
      pushName: 'Ana',
      message: { conversation: 'hola' },
      messageType: 'conversation',
      messageTimestamp: nowSeconds(),
    };
    const body = {
      event: 'messages.upsert',
      instance: mine.name,
      data,
      date_time: new Date().toISOString(),
      ...around,
    };
    return { id, body: Buffer.from(JSON.stringify(body)) };
  };
  const post = (name: string, body: Buffer, answers: readonly number[], more: Partial<HostileRequest> = {}) => ({
    ...{ name: `Evolution, ${name}`, method: 'POST', path: mine.path, body, answers, ...more },
    headers: { 'content-type': 'application/json', ...more.headers },
  });
  const forged = message(senders.forged).body;
  const wrong = (name: string, headers: Readonly<Record<string, string>>, body = forged, path = mine.path) =>
    post(name, body, [401], { headers, path });
  const [byHeader, inBody] = [message(senders.odd), message(senders.odd, { apikey: mine.secret })];
  const key = { apikey: mine.secret };
  const byName = (door: Door) => `/webhooks/evolution/${door.name}`;
  return [
    post('a sound one', byHeader.body, [200], { headers: key, takes: [byHeader.id] }),
    post('a sound one again', byHeader.body, [200], { headers: key, takes: [byHeader.id], copies: 3 }),
    post('the key in the body', inBody.body, [200], { takes: [inBody.id], stored: masked(inBody.body, mine.secret) }),
    wrong('no key', {}),
    wrong('an empty key', { apikey: '' }),
    wrong('a wrong key', { apikey: 'A-GUESS' }),
    wrong('a wrong key in the body', {}, message(senders.forged, { apikey: 'A-GUESS' }).body),
    wrong('the key inside a message', {}, message(senders.forged, { note: { apikey: mine.secret } }).body),
    wrong("another tenant's key", { apikey: other.secret }),
    wrong('a token that nobody signed', { authorization: `Bearer ${unsignedToken()}` }),
    wrong("another's instance by its name", key, message(senders.forged, { instance: other.name }).body, byName(other)),
    wrong('by its name, a wrong key', { apikey: 'A-GUESS' }, forged, byName(mine)),
    post("another tenant's token without the key", forged, [401], { path: other.path }),
    post("another's instance", message(senders.foreign, { instance: other.name }).body, [200], {
      headers: key,
      setsAside: 'foreign-account',
    }),
  ];
}

function masked(body: Buffer, secret: string): Buffer {
  return Buffer.from(body.toString().replace(`"${secret}"`, `"${'*'.repeat(secret.length)}"`));
}

function unsignedToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ iat: nowSeconds(), exp: nowSeconds() + 600 })}.`;
}
