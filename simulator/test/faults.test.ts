import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+15550001111';
const PHONE_ID = '115550001111';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.faults();
  await stage.control('DELETE', 'ledger');
  await register({ autoReceipts: false });
});

function register(extra: Record<string, unknown>) {
  return stage.register({
    provider: 'meta',
    number: NUMBER,
    window: false,
    limits: { perSecond: null, pair: false },
    ...extra,
  });
}

function request(body: Record<string, unknown> = {}): [string, RequestInit] {
  const url = `${stage.simulator.urls.graph}/v23.0/${PHONE_ID}/messages`;
  const message = { messaging_product: 'whatsapp', to: '+34600111222', type: 'text', text: { body: 'hi' }, ...body };
  const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
  return [url, { method: 'POST', headers, body: JSON.stringify(message) }];
}

const send = (body?: Record<string, unknown>) => stage.call(...request(body));

async function outcomes(): Promise<string[]> {
  const entries = await stage.ledger();
  return entries
    .filter((entry) => entry.kind === 'send' || entry.kind === 'refusal')
    .map((entry) => `${entry.kind} ${entry.fault}`);
}

describe('at the door', () => {
  test('429 with seconds, with a date, without', async () => {
    await stage.faults(
      { kind: 'rate_limited', retryAfter: 7, times: 1 },
      { kind: 'rate_limited', retryAfter: 'date', milliseconds: 60_000, times: 1 },
      { kind: 'rate_limited', times: 1 },
    );
    const [seconds, date, none] = [await send(), await send(), await send()];
    expect([seconds.status, seconds.headers.get('retry-after'), seconds.json.error.code]).toEqual([429, '7', 130429]);
    expect(Date.parse(date.headers.get('retry-after')!) - Date.now()).toBeGreaterThan(50_000);
    expect([none.status, none.headers.get('retry-after')]).toEqual([429, null]);
    expect((await send()).status).toBe(200);
  });

  test('5xx before and after acceptance', async () => {
    await stage.faults(
      { kind: 'server_error', status: 503, times: 1 },
      { kind: 'server_error', when: 'after', times: 1 },
    );
    expect((await send()).status).toBe(503);
    expect((await send()).status).toBe(500);
    expect(await outcomes()).toEqual(['refusal server_error', 'send server_error']);
  });

  test('reset before and after acceptance', async () => {
    await stage.faults({ kind: 'reset', times: 1 }, { kind: 'reset', when: 'after', times: 1 });
    await expect(send()).rejects.toThrow();
    await expect(send()).rejects.toThrow();
    expect(await outcomes()).toEqual(['refusal reset', 'send reset']);
  });

  test('a time-out holds the answer back and then breaks off', async () => {
    await stage.faults({ kind: 'timeout', when: 'after', milliseconds: 20, times: 1 });
    await expect(send()).rejects.toThrow();
    expect(await outcomes()).toEqual(['send timeout']);
  });

  test('a slow drip gives the whole answer, byte by byte', async () => {
    await stage.faults({ kind: 'slow_drip', milliseconds: 1, times: 1 });
    const response = await fetch(...request());
    let chunks = 0;
    let text = '';
    for await (const chunk of response.body!) {
      chunks += 1;
      text += Buffer.from(chunk).toString('utf8');
    }
    expect(JSON.parse(text).messages[0].id).toMatch(/^wamid/);
    expect(chunks).toBeGreaterThan(5);
  });

  test('200 with an error inside is not taken', async () => {
    await stage.faults({ kind: 'ok_with_error', code: 131000, times: 1 });
    const answer = await send();
    expect([answer.status, answer.json.error.code]).toEqual([200, 131000]);
    expect(await outcomes()).toEqual(['refusal ok_with_error']);
  });

  test('a wrong id is another than the ledger’s', async () => {
    await stage.faults({ kind: 'wrong_id', times: 1 });
    const answer = await send();
    const [entry] = await stage.ledger('kind=send');
    expect(answer.json.messages[0].id).toMatch(/^wamid\./);
    expect(answer.json.messages[0].id).not.toBe(entry.messageId);
  });

  test('truncated, empty, HTML and 202 hide that the send was taken', async () => {
    await stage.faults(...['truncated', 'empty', 'html', 'accepted_202'].map((kind) => ({ kind, times: 1 })));
    await expect(send()).rejects.toThrow();
    expect((await send()).text).toBe('');
    expect((await send()).text).toContain('<!doctype html>');
    expect((await send()).status).toBe(202);
    expect((await outcomes()).map((outcome) => outcome.split(' ')[0])).toEqual(['send', 'send', 'send', 'send']);
  });

  test('a huge answer is as large as ordered', async () => {
    await stage.faults({ kind: 'huge', bytes: 3_000_000, times: 1 });
    const answer = await send();
    expect(answer.text.length).toBeGreaterThan(3_000_000);
    expect(answer.json.messages[0].id).toMatch(/^wamid/);
  });

  test('a receipt overtakes the answer', async () => {
    await register({ autoReceipts: true });
    await stage.faults({ kind: 'receipt_first', times: 1 });
    const before = stage.receiver.all.length;
    await send({ biz_opaque_callback_data: 'att_first' });
    const early = stage.receiver.all.slice(before).map((received) => received.text);
    expect(early.some((text) => text.includes('att_first') && text.includes('"status":"sent"'))).toBe(true);
  });

  test('a taken send can fail later', async () => {
    await stage.faults({ kind: 'failed_receipt', code: 131026, times: 1 });
    const id = (await send()).json.messages[0].id;
    const [receipt] = await stage.receiver.wait((received) => received.text.includes(id));
    expect(receipt!.text).toContain('131026');
    expect(receipt!.text).toContain('"status":"failed"');
  });

  test('strikes by provider, number, customer, after so many, so often, and by a seeded chance', async () => {
    await stage.faults({ kind: 'error', code: 131000, customer: '34600111222', after: 1, times: 2 });
    const statuses: number[] = [];
    for (let sent = 0; sent < 5; sent += 1) statuses.push((await send()).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
    await stage.faults(
      { kind: 'error', provider: 'twilio' },
      { kind: 'error', number: '+1999' },
      { kind: 'error', operation: 'read' },
    );
    expect((await send()).status).toBe(200);

    const throws = async () => {
      await stage.faults({ kind: 'error', code: 131000, probability: 0.5 });
      const results: number[] = [];
      for (let sent = 0; sent < 20; sent += 1) results.push((await send()).status);
      return results;
    };
    const first = await throws();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await throws()).toEqual(first);
  });

  test('an unknown fault is refused by name', async () => {
    const answer = await stage.faults({ kind: 'gremlins' });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid']);
  });
});

describe('of webhooks', () => {
  const write = (text: string) =>
    stage.inbound({ provider: 'meta', number: NUMBER, from: '+34600', content: { type: 'text', text } });
  const has = (text: string) => (received: { text: string }) => received.text.includes(text);
  const order = (from: number) =>
    stage.receiver.all
      .slice(from)
      .flatMap((received) => [...received.text.matchAll(/"body":"([^"]+)"/g)].map((match) => match[1]));

  test('a duplicate is the same bytes so many times more', async () => {
    await stage.faults({ kind: 'duplicate', count: 3, times: 1 });
    await write('again-1');
    const copies = await stage.receiver.wait(has('again-1'), 4);
    expect(new Set(copies.map((copy) => copy.text)).size).toBe(1);
  });

  test('concurrent duplicates go at once', async () => {
    await stage.faults({ kind: 'duplicate', count: 9, isConcurrent: true, times: 1 });
    await write('again-2');
    expect(await stage.receiver.wait(has('again-2'), 10)).toHaveLength(10);
  });

  test('a reordered one follows the next', async () => {
    const from = stage.receiver.all.length;
    await stage.faults({ kind: 'reorder', times: 1 });
    expect((await write('held-1')).json).toMatchObject({ outcome: 'held', heldBy: 'reorder' });
    await write('second');
    await stage.receiver.wait(has('held-1'));
    expect(order(from)).toEqual(['second', 'held-1']);
  });

  test('a delayed one is overtaken', async () => {
    const from = stage.receiver.all.length;
    await stage.faults({ kind: 'delay', milliseconds: 60, times: 1 });
    expect((await write('slow')).json.outcome).toBe('held');
    await write('fast');
    await stage.receiver.wait(has('slow'));
    expect(order(from)).toEqual(['fast', 'slow']);
  });

  test('a batch is one POST with several changes', async () => {
    await stage.faults({ kind: 'batch', count: 3, times: 3 });
    for (const text of ['one-of-3', 'two-of-3', 'three-of-3']) await write(text);
    const [batch] = await stage.receiver.wait(has('three-of-3'));
    const { entry } = JSON.parse(batch!.text);
    expect(entry).toHaveLength(1);
    expect(entry[0].changes).toHaveLength(3);
  });

  test('a dropped one is in the ledger and nowhere else', async () => {
    await stage.faults({ kind: 'drop', times: 1 });
    const answer = await write('gone');
    expect(answer.json).toMatchObject({ outcome: 'posted', status: null, error: 'dropped' });
    expect((await stage.ledger('kind=lost')).at(-1)).toMatchObject({ code: 'dropped' });
    expect(stage.receiver.all.some(has('gone'))).toBe(false);
  });

  test('late receipts come after what happened later; messages are not held', async () => {
    await register({ autoReceipts: true });
    const from = stage.receiver.all.length;
    await stage.faults({ kind: 'late_receipts', milliseconds: 80, times: 3 });
    const id = (await send()).json.messages[0].id;
    expect((await write('in between')).json.outcome).toBe('posted');
    await stage.receiver.wait(has(id), 3);
    expect(stage.receiver.all.slice(from)[0]!.text).toContain('in between');
  });
});

describe('of the number', () => {
  test('a ban is announced, refuses sends, and ends with the rules', async () => {
    await stage.faults({ kind: 'ban', provider: 'meta', number: NUMBER });
    const [notice] = await stage.receiver.wait((received) => received.text.includes('DISABLED_UPDATE'));
    expect(JSON.parse(notice!.text).entry[0].changes[0].field).toBe('account_update');
    expect((await send()).json.error.code).toBe(131031);
    await stage.control('DELETE', 'faults');
    expect((await send()).status).toBe(200);
  });

  test('a disconnected Evolution instance closes with its reason', async () => {
    await stage.register({ provider: 'evolution', number: '+5511', ids: { instance: 'i' } });
    await stage.faults({ kind: 'disconnect', provider: 'evolution' });
    const [notice] = await stage.receiver.wait((received) => received.text.includes('"state":"close"'));
    expect(JSON.parse(notice!.text).data).toMatchObject({ state: 'close', statusReason: 401 });
  });

  test('a QR cycle shows one code after another and gives up at the limit', async () => {
    await stage.register({ provider: 'evolution', number: '+5512', ids: { instance: 'q' } });
    await stage.faults({ kind: 'qr_cycle', provider: 'evolution', number: '+5512' });
    const codes = await stage.receiver.wait(
      (received) => received.text.includes('"code":"2@') && received.text.includes('"instance":"q"'),
      30,
    );
    const shown = codes.map((received) => JSON.parse(received.text).data.qrcode.code);
    expect(new Set(shown).size).toBe(30);
    const [refused] = await stage.receiver.wait((received) => received.text.includes('"state":"refused"'));
    expect(JSON.parse(refused!.text).data.statusReason).toBe(428);
  });
});
