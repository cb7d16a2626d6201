/** At the web companion's door: signed with a time and a nonce, each believed once; or as WAHA signs, over the body alone. */
import { createHmac, randomBytes } from 'node:crypto';
import { type HostileRequest, nowSeconds, senders, type Targets } from './request.ts';

const tenMinutesMs = 600_000;

export function webjsRequests({ doors, round }: Targets): HostileRequest[] {
  const { mine, other } = doors.webjs;
  let made = 0;
  const message = (from: string, session = mine.name) => {
    made += 1;
    const id = `3EB1${`${round}`.padStart(4, '0')}${`${made}`.padStart(12, '0')}`;
    const chatId = `${from}@c.us`;
    const about = { from: chatId, chatId, to: '15550190199@c.us', fromMe: false, timestamp: nowSeconds() };
    const payload = { id: `false_${chatId}_${id}`, ...about, type: 'chat', body: 'hola' };
    const envelope = { id: `evt_${id}`, timestamp: Date.now(), event: 'message', session, payload };
    return { id, body: Buffer.from(JSON.stringify(envelope)) };
  };
  const post = (
    name: string,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    more: Partial<HostileRequest> & Pick<HostileRequest, 'answers'>,
  ): HostileRequest => ({
    ...{ name: `companion, ${name}`, method: 'POST', path: mine.path, body, ...more },
    headers: { 'content-type': 'application/json', ...headers },
  });
  const forged = message(senders.forged).body;
  const wrong = (name: string, headers: Readonly<Record<string, string>>, body = forged) =>
    post(name, body, headers, { answers: [401] });
  const [sound, waha] = [message(senders.odd), message(senders.odd)];
  const soundly = signed(mine.secret, sound.body);
  const once = post('a sound one', sound.body, soundly, { answers: [200], takes: [sound.id] });
  return [
    once,
    { ...once, name: 'companion, its nonce again', answers: [401], takes: [] },
    post('the same under another nonce', sound.body, signed(mine.secret, sound.body), {
      answers: [200],
      takes: [sound.id],
    }),
    post('as WAHA signs', waha.body, signedAsWaha(mine.secret, waha.body), {
      answers: [200],
      takes: [waha.id],
      copies: 3,
    }),
    wrong('no signature', {}),
    wrong('another key', signed('another', forged)),
    wrong("another tenant's key", signed(other.secret, forged)),
    wrong('ten minutes late', signed(mine.secret, forged, Date.now() - tenMinutesMs)),
    wrong('ten minutes early', signed(mine.secret, forged, Date.now() + tenMinutesMs)),
    wrong('another time than was signed', {
      ...signed(mine.secret, forged),
      'x-webhook-timestamp': `${Date.now() + 1_000}`,
    }),
    wrong('no nonce', { ...signed(mine.secret, forged), 'x-webhook-nonce': '' }),
    wrong('the signature of another body', signed(mine.secret, sound.body)),
    wrong('as WAHA signs, another key', signedAsWaha('another', forged)),
    wrong('an algorithm that nobody has', { ...signed(mine.secret, forged), 'x-webhook-hmac-algorithm': 'none' }),
    ...[message(senders.foreign, other.name).body].map((body) =>
      post("another's session", body, signed(mine.secret, body), { answers: [200], setsAside: 'foreign-account' }),
    ),
  ];
}

function signed(key: string, body: Buffer, atMs = Date.now()): Record<string, string> {
  const nonce = randomBytes(12).toString('hex');
  const hmac = createHmac('sha256', key).update(`${atMs}.${nonce}.`).update(body).digest('hex');
  return { 'x-webhook-hmac': hmac, 'x-webhook-timestamp': `${atMs}`, 'x-webhook-nonce': nonce };
}

function signedAsWaha(key: string, body: Buffer): Record<string, string> {
  const hmac = createHmac('sha512', key).update(body).digest('hex');
  return { 'x-webhook-hmac': hmac, 'x-webhook-hmac-algorithm': 'sha512' };
}
