import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PostAnswer, Posting } from '../src/posting/posting.ts';
import { retryDelayMs } from '../src/posting/retry.ts';
import { createNumber, parseNumberSettings } from '../src/world/number.ts';
import { createRandom } from '../src/world/random.ts';
import { type Stage, setStage } from './support/stage.ts';

const atOnce = { sent: 0, delivered: 0, read: 0 };

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.control('DELETE', 'ledger');
});

/** Posts one message and waits until it was taken or given up. Gives the statuses of its tries. */
async function tries(
  settings: Record<string, unknown>,
  status: number | 'reset',
  text: string,
): Promise<(number | null)[]> {
  const number = '+15550002222';
  await stage.register({ number, ...settings });
  stage.receiver.answerWith((received) =>
    received.text.includes(text) && status !== 200
      ? status === 'reset'
        ? { status: 0, isReset: true }
        : { status }
      : { status: 200 },
  );
  const answer = await stage.inbound({
    provider: settings.provider,
    number,
    from: '+34600111222',
    content: { type: 'text', text },
  });
  await stage.control('POST', 'settle', {});
  stage.receiver.answerWith(() => ({ status: 200 }));
  const entries = await stage.ledger('kind=webhook');
  return entries.filter((entry) => entry.messageId === answer.json.messageId).map((entry) => entry.status);
}

test('Meta tries again on anything but 200, so often and no more', async () => {
  expect(await tries({ provider: 'meta' }, 500, 'meta-500')).toHaveLength(10);
  expect((await stage.ledger('kind=lost')).at(-1)).toMatchObject({ code: 'given_up' });
  expect(await tries({ provider: 'meta' }, 403, 'meta-403')).toHaveLength(10);
  expect(await tries({ provider: 'meta' }, 200, 'meta-200')).toEqual([200]);
});

test('Twilio tries once more, and only when the connection failed', async () => {
  expect(await tries({ provider: 'twilio' }, 500, 'twilio-500')).toEqual([500]);
  expect(await tries({ provider: 'twilio' }, 'reset', 'twilio-reset')).toEqual([null, null]);
});

test('Twilio follows the overrides in the URL’s fragment', async () => {
  const webhookUrl = `${stage.receiver.url}#rc=3&rp=5xx`;
  expect(await tries({ provider: 'twilio', webhookUrl }, 503, 'twilio-rc')).toEqual([503, 503, 503, 503]);
  expect(await tries({ provider: 'twilio', webhookUrl }, 404, 'twilio-404')).toEqual([404]);
});

test('Evolution v2 tries ten times, but not after the answers it takes for final; v1 never again', async () => {
  expect(await tries({ provider: 'evolution' }, 500, 'evo-500')).toHaveLength(10);
  for (const status of [400, 401, 403, 404, 422]) {
    expect(await tries({ provider: 'evolution' }, status, `evo-${status}`)).toEqual([status]);
  }
  expect(await tries({ provider: 'evolution', version: 'v1' }, 500, 'evo-v1')).toEqual([500]);
});

test('the companion tries fifteen times, signed anew each time', async () => {
  const statuses = await tries({ provider: 'webjs', secrets: { hmacKey: 'h' } }, 500, 'webjs-500');
  expect(statuses).toHaveLength(15);
  const nonces = stage.receiver.all
    .filter((each) => each.text.includes('webjs-500'))
    .map((each) => each.headers['x-webhook-nonce']);
  expect(new Set(nonces).size).toBe(15);
});

test('a redirect is a failure, as at the providers', async () => {
  expect(await tries({ provider: 'meta' }, 302, 'meta-302')).toHaveLength(10);
});

test('first tries of one number keep their order, whatever fails', async () => {
  const number = '+15550003333';
  await stage.register({ provider: 'meta', number });
  const from = stage.receiver.all.length;
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      stage.inbound({
        provider: 'meta',
        number,
        from: '+34600',
        id: `wamid.${index}`,
        content: { type: 'text', text: `order-${index}` },
      }),
    ),
  );
  const posted = (await stage.ledger('kind=webhook')).map((entry) => entry.messageId);
  const received = stage.receiver.all
    .slice(from)
    .map((each) => JSON.parse(each.text).entry[0].changes[0].value.messages[0].id);
  expect(received).toEqual(posted);
  expect(received).toHaveLength(30);
});

test('of several in one POST each has its tries in the ledger, and each its end', async () => {
  const number = '+15550004444';
  const secrets = { accessToken: 'EAAbatch' };
  const ids = { phoneNumberId: '106500000000004', wabaId: '102200000000004' };
  const order = 'number';
  await stage.register({ provider: 'meta', number, secrets, ids, order, window: false, receiptDelaysMs: atOnce });
  await stage.control('PUT', 'settings', { batchUpTo: 20 });
  const from = stage.receiver.all.length;
  const refused = new Set<string>();
  stage.receiver.answerWith(({ text }) => {
    const isFirst = text.includes('"statuses"') && !refused.has(text);
    refused.add(text);
    return { status: isFirst ? 503 : 200 };
  });
  const sent = await Promise.all(
    ['one', 'two', 'three', 'four'].map(async (body) => {
      const answer = await stage.call(`${stage.simulator.urls.graph}/v23.0/${ids.phoneNumberId}/messages`, {
        method: 'POST',
        headers: { authorization: 'Bearer EAAbatch', 'content-type': 'application/json' },
        body: JSON.stringify({ messaging_product: 'whatsapp', to: '+34600111222', type: 'text', text: { body } }),
      });
      return answer.json.messages[0].id as string;
    }),
  );
  await stage.control('POST', 'settle', {});
  await stage.control('PUT', 'settings', { batchUpTo: 1 });
  stage.receiver.answerWith(() => ({ status: 200 }));
  const posts = stage.receiver.all.slice(from);
  expect(posts.length).toBeLessThan(2 * 3 * sent.length);
  const entries = await stage.ledger('kind=webhook');
  for (const messageId of sent) {
    for (const what of ['sent', 'delivered', 'read']) {
      const its = entries.filter((entry) => entry.messageId === messageId && entry.what === what);
      expect(its.map(({ status, attempt }) => [status, attempt])).toEqual([
        [503, 1],
        [200, 2],
      ]);
    }
  }
  expect(entries.filter(({ together }) => together > 1).length).toBeGreaterThan(1);
  expect((await stage.control('GET', 'stats')).json.webhooksOpen).toBe(0);
});

test('of several in one POST that is given up each is lost', async () => {
  const number = '+15550005555';
  await stage.register({ provider: 'meta', number });
  await stage.faults({ kind: 'batch', count: 3, times: 3 });
  stage.receiver.answerWith(() => ({ status: 500 }));
  const messages = ['a', 'b', 'c'].map((id) => `wamid.together.${id}`);
  for (const id of messages)
    await stage.inbound({ provider: 'meta', number, from: '+34600', id, content: { type: 'text', text: 'hola' } });
  await stage.control('POST', 'settle', {});
  stage.receiver.answerWith(() => ({ status: 200 }));
  expect((await stage.ledger('kind=lost')).map(({ messageId, code }) => [messageId, code])).toEqual(
    messages.map((id) => [id, 'given_up']),
  );
});

test('delays are the providers’ own: doubling from five seconds to five minutes at Evolution', () => {
  const number = createNumber(parseNumberSettings({ provider: 'evolution', number: '+1' }));
  const failed: PostAnswer = { status: 500, body: '', contentType: '', error: null, milliseconds: 1 };
  const random = createRandom(1);
  const delays = Array.from({ length: 10 }, (_, index) =>
    retryDelayMs({ number } as Posting, index + 1, failed, random),
  );
  delays.slice(0, 9).forEach((delay, index) => {
    const base = Math.min(300_000, 5_000 * 2 ** index);
    expect(delay).toBeGreaterThanOrEqual(base * 0.8);
    expect(delay).toBeLessThanOrEqual(base * 1.2);
  });
  expect(delays[9]).toBeNull();
});
