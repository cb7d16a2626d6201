import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSimulator } from '../src/index.ts';
import { Ledger } from '../src/world/ledger.ts';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+15550001111';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.control('DELETE', 'ledger');
  await stage.register({ provider: 'meta', number: NUMBER });
});

const write = (text: string, extra: Record<string, unknown> = {}) =>
  stage.inbound({
    provider: 'meta',
    number: NUMBER,
    from: '+34600111222',
    profileName: 'Ana',
    content: { type: 'text', text },
    ...extra,
  });

function send(text: string) {
  return stage.call(`${stage.simulator.urls.graph}/v23.0/115550001111/messages`, {
    method: 'POST',
    headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
    body: JSON.stringify({ messaging_product: 'whatsapp', to: '+34600111222', type: 'text', text: { body: text } }),
  });
}

/** Reads events until one fits. */
async function readUntil(stream: AsyncIterator<Uint8Array>, fits: (event: { type: string; data: unknown }) => boolean) {
  let text = '';
  for (;;) {
    const { value, done } = await stream.next();
    if (done) throw new Error('The events ended');
    text += Buffer.from(value).toString('utf8');
    for (const [, type = '', data = ''] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
      const event = { type, data: JSON.parse(data) };
      if (fits(event)) return event;
    }
  }
}

describe('the phone', () => {
  test('serves its page with nothing from elsewhere', async () => {
    const page = await stage.call(`${stage.simulator.urls.phone}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    const linked = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!);
    expect(linked).toContain('/app.js');
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|style="/);
    for (const path of linked) {
      const file = await stage.call(stage.simulator.urls.phone + path);
      expect(file.status, path).toBe(200);
      const imports = [...file.text.matchAll(/from '\.(\/[\w.]+)'/g)].map((match) => match[1]!);
      for (const each of imports) expect((await stage.call(stage.simulator.urls.phone + each)).status, each).toBe(200);
      expect(file.text, path).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
    }
  });

  test.each(['/../package.json', '/%2e%2e/%2e%2e/package.json', '/start.ts', '/page/app.js'])(
    'gives out no other file: %s',
    async (path) => {
      expect((await stage.call(stage.simulator.urls.phone + path)).status).toBe(404);
    },
  );

  test('tells of messages and ticks as they happen', async () => {
    const events = await fetch(`${stage.simulator.urls.phone}/phone/events`);
    expect(events.headers.get('content-type')).toBe('text/event-stream');
    const stream = events.body![Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    await write('hello <b>');
    const message = await readUntil(stream, (event) => event.type === 'message');
    expect(message.data).toMatchObject({
      customer: { key: '34600111222', name: 'Ana' },
      message: { direction: 'in', content: { text: 'hello <b>' } },
    });
    await send('answer');
    const read = await readUntil(
      stream,
      (event) => event.type === 'tick' && (event.data as { tick: string }).tick === 'read',
    );
    expect(read.data).toMatchObject({ customer: '34600111222' });
    await events.body!.cancel().catch(() => undefined);
    await stream.return?.();
  });

  test('loads threads with ticks, a failed webhook marked on the customer’s message', async () => {
    stage.receiver.script({ status: 401 });
    await stage.control('PUT', 'faults', [{ kind: 'drop', times: 0 }]);
    await write('unheard');
    const state = await stage.call(`${stage.simulator.urls.phone}/phone/state`);
    const [thread] = state.json.numbers[0].threads;
    expect(thread.messages.at(-1)).toMatchObject({ content: { text: 'unheard' }, tick: 'failed', note: '401' });
  });

  test('shows a message once though it is delivered twice, an edit in place, a deletion as gone', async () => {
    const { json } = await write('typo');
    await write('typo', { id: json.messageId });
    const threadOf = async () =>
      (await stage.call(`${stage.simulator.urls.phone}/phone/state`)).json.numbers[0].threads[0].messages.filter(
        (message: { id: string }) => message.id === json.messageId,
      );
    expect(await threadOf()).toHaveLength(1);
    await stage.inbound({
      provider: 'meta',
      number: NUMBER,
      from: '+34600111222',
      content: { type: 'edit', targetId: json.messageId, text: 'fixed' },
    });
    expect((await threadOf())[0].content).toEqual({ type: 'text', text: 'fixed' });
    await stage.inbound({
      provider: 'meta',
      number: NUMBER,
      from: '+34600111222',
      content: { type: 'delete', targetId: json.messageId },
    });
    expect((await threadOf())[0].content.type).toBe('delete');
  });

  test('delivers to a phone that is off when it is on again', async () => {
    await write('hi');
    const offline = (isOffline: boolean) =>
      stage.control('POST', 'customers', { provider: 'meta', number: NUMBER, from: '34600111222', isOffline });
    await offline(true);
    const id = (await send('later')).json.messages[0].id;
    const ofId = (received: { text: string }) => received.text.includes(id);
    await stage.receiver.wait(ofId);
    expect(stage.receiver.all.filter(ofId)).toHaveLength(1);
    await offline(false);
    const receipts = await stage.receiver.wait(ofId, 3);
    expect(receipts.map((each) => JSON.parse(each.text).entry[0].changes[0].value.statuses[0].status)).toEqual([
      'sent',
      'delivered',
      'read',
    ]);
  });
});

describe('the control API', () => {
  test('takes changes as JSON only, so that no foreign page can send them', async () => {
    const answer = await stage.call(`${stage.simulator.urls.phone}/control/numbers`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(answer.status).toBe(415);
    expect((await stage.call(`${stage.simulator.urls.phone}/control/ledger`, { method: 'DELETE' })).status).toBe(415);
  });

  test('registers twice what is one, and hides secrets', async () => {
    await stage.register({ provider: 'meta', number: NUMBER, name: 'Renamed', secrets: { appSecret: 'hush-hush' } });
    const { json, text } = await stage.control('GET', 'numbers');
    expect(json.data).toHaveLength(1);
    expect(json.data[0]).toMatchObject({ name: 'Renamed', secrets: ['appSecret'] });
    expect(text).not.toContain('hush-hush');
  });

  test.each([
    ['an unknown provider', { provider: 'pigeon', number: '1' }],
    ['no number', { provider: 'meta' }],
    ['a secret that is no text', { provider: 'meta', number: '1', secrets: { a: 1 } }],
  ])('refuses %s', async (_name, body) => {
    expect((await stage.control('PUT', 'numbers', body)).json.error.code).toBe('invalid');
  });

  test('refuses what is no JSON, an unknown number, an unknown path', async () => {
    const broken = await stage.call(`${stage.simulator.urls.phone}/control/numbers`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(broken.status).toBe(400);
    expect(
      (await stage.inbound({ provider: 'meta', number: 'none', content: { type: 'text', text: 'a' } })).status,
    ).toBe(404);
    expect((await stage.control('GET', 'nothing')).status).toBe(404);
  });

  test('posts a receipt of our choosing', async () => {
    const content = { type: 'status', messageId: 'wamid.mine', status: 'failed', code: 131049, correlation: 'att_9' };
    const answer = await stage.inbound({ provider: 'meta', number: NUMBER, from: '+34600', content });
    expect(answer.json.status).toBe(200);
    expect(stage.receiver.all.at(-1)!.text).toContain('att_9');
    expect(stage.receiver.all.at(-1)!.text).toContain('131049');
  });
});

describe('the ledger', () => {
  test('pages by sequence without missing any, filters, and counts', async () => {
    for (let index = 0; index < 5; index += 1) await write(`line ${index}`);
    const first = (await stage.control('GET', 'ledger?limit=2&kind=webhook')).json;
    const second = (await stage.control('GET', `ledger?limit=10&kind=webhook&since=${first.next}`)).json;
    expect([...first.entries, ...second.entries].map((entry) => entry.what)).toEqual(Array(5).fill('text'));
    expect(first.entries[0]).toMatchObject({
      provider: 'meta',
      number: NUMBER,
      status: 200,
      attempt: 1,
      customer: '34600111222',
    });
    expect(first.entries[0].request).toContain('line 0');
    expect(await stage.ledger('provider=twilio')).toEqual([]);
    expect((await stage.control('GET', 'stats')).json.counts.meta).toEqual({ webhook: 5 });
  });

  test('keeps the newest entries within its limit and says how many it forgot', () => {
    const ledger = new Ledger(3);
    for (let index = 0; index < 5; index += 1) ledger.add(0, { kind: 'send', provider: 'meta', number: String(index) });
    const { entries, forgotten, next } = ledger.read({ since: 0, limit: 10 });
    expect(entries.map((entry) => entry.number)).toEqual(['2', '3', '4']);
    expect([forgotten, next, ledger.size]).toEqual([2, 5, 3]);
    ledger.clear();
    expect(ledger.read({ since: 0, limit: 10 }).entries).toEqual([]);
    ledger.add(0, { kind: 'send', provider: 'meta', number: '5' });
    expect(ledger.read({ since: 0, limit: 10 }).entries.map((entry) => entry.seq)).toEqual([6]);
  });
});

test('gives the same ids for the same seed', async () => {
  const ids = async () => {
    const simulator = await startSimulator({ seed: 42 });
    const control = (method: string, path: string, body: unknown) =>
      fetch(`${simulator.urls.phone}/control/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await control('PUT', 'numbers', { provider: 'meta', number: NUMBER });
    const answer = await control('POST', 'inbound', {
      provider: 'meta',
      number: NUMBER,
      from: '+34600',
      content: { type: 'text', text: 'a' },
    });
    const { messageId } = (await answer.json()) as { messageId: string };
    await simulator.close();
    return messageId;
  };
  expect(await ids()).toBe(await ids());
});

test('a taken port rejects and leaves nothing open', async () => {
  const port = Number(new URL(stage.simulator.urls.graph).port);
  await expect(startSimulator({ ports: { webjs: port } })).rejects.toThrow(/EADDRINUSE/);
});
