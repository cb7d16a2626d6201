/** At Twilio's door: what is signed is the URL and every parameter of the form. */
import { createHmac } from 'node:crypto';
import { accountSidOf, type Door } from './accounts.ts';
import { type HostileRequest, senders, type Targets } from './request.ts';

type Fields = Readonly<Record<string, string>>;

export function twilioRequests({ doors, port, round }: Targets): HostileRequest[] {
  const { mine, other } = doors.twilio;
  const base = `http://127.0.0.1:${port}`;
  let made = 0;
  const message = (from: string, more: Fields = {}): Fields => {
    made += 1;
    const sid = `SM${`${round}`.padStart(4, '0')}${`${made}`.padStart(28, '0')}`;
    const who = { AccountSid: accountSidOf(1), From: `whatsapp:+${from}`, To: mine.name };
    return { MessageSid: sid, ...who, Body: 'hola', NumMedia: '0', ...more };
  };
  const post = (name: string, fields: Fields, answers: readonly number[], more: Partial<HostileRequest> = {}) =>
    formRequest(mine, { name, fields, signature: signed(mine.secret, base + mine.path, fields), answers }, more);
  const forged = message(senders.forged);
  const wrong = (name: string, signature: string, fields = forged, more: Partial<HostileRequest> = {}) =>
    formRequest(mine, { name: `Twilio, ${name}`, fields, signature, answers: [401] }, more);
  const right = signed(mine.secret, base + mine.path, forged);
  const digest = `${mine.path}?bodySHA256=${'0'.repeat(64)}`;
  const [sound, reordered] = [message(senders.odd), message(senders.odd)];
  const turned = Object.fromEntries(Object.entries(reordered).reverse());
  const elsewhere = { 'x-forwarded-host': 'hooks.example.com', 'x-forwarded-proto': 'https' };
  return [
    post('Twilio, a sound one', sound, [200], { takes: [sound.MessageSid!] }),
    post('Twilio, a sound one again', sound, [200], { takes: [sound.MessageSid!], copies: 3 }),
    post('Twilio, in another order', turned, [200], { takes: [reordered.MessageSid!] }),
    wrong('no signature', ''),
    wrong('another token', signed('another', base + mine.path, forged)),
    wrong("another tenant's token", signed(other.secret, base + mine.path, forged)),
    wrong('another URL', signed(mine.secret, `${base}${other.path}`, forged)),
    wrong(
      'the URL of a proxy that is not ours',
      signed(mine.secret, `https://hooks.example.com${mine.path}`, forged),
      forged,
      {
        headers: elsewhere,
      },
    ),
    wrong('a parameter changed', right, { ...forged, Body: 'adios' }),
    wrong('a parameter more', right, { ...forged, Forwarded: 'true' }),
    wrong(
      'a parameter less',
      right,
      Object.fromEntries(Object.entries(forged).filter(([name]) => name !== 'NumMedia')),
    ),
    wrong('JSON for a form', signed(mine.secret, base + mine.path, {}), forged, {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(forged)),
    }),
    wrong('the digest of another body', signed(mine.secret, base + digest, {}), forged, { path: digest }),
    wrong('more parameters than Twilio sends', right, { ...forged, ...many(1_100) }),
    wrong("another's number, by the shared path", right, { ...forged, To: other.name }, { path: '/whatsapp/webhook' }),
    post("Twilio, another's account", message(senders.foreign, { AccountSid: accountSidOf(2) }), [200], {
      setsAside: 'foreign-account',
    }),
    post("Twilio, another's number", message(senders.foreign, { To: other.name }), [200], {
      setsAside: 'foreign-account',
    }),
  ];
}

interface Form {
  readonly name: string;
  readonly fields: Fields;
  readonly signature: string;
  readonly answers: readonly number[];
}

function formRequest(
  door: Door,
  { name, fields, signature, answers }: Form,
  more: Partial<HostileRequest>,
): HostileRequest {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const headers = { ...type, ...(signature === '' ? {} : { 'x-twilio-signature': signature }), ...more.headers };
  const body = Buffer.from(new URLSearchParams(fields).toString());
  return { name, method: 'POST', path: door.path, body, answers, ...more, headers };
}

function signed(token: string, url: string, fields: Fields): string {
  const parameters = Object.keys(fields)
    .sort()
    .map((name) => `${name}${fields[name]}`);
  return createHmac('sha1', token)
    .update(`${url}${parameters.join('')}`)
    .digest('base64');
}

function many(count: number): Fields {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`P${at}`, 'x']));
}
