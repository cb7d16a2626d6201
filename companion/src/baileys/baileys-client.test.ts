import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Customer } from '../../test/customer.ts';
import { WhatsAppStand } from '../../test/whatsapp-stand.ts';
import { silentLog } from '../log.ts';
import type { OpenWebClient, SessionStore, WebClient, WebEvent } from '../web-client.ts';
import { openBaileysClient } from './baileys-client.ts';

/** A busy machine is slow at making keys. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const number = '14155550109';
const store = memoryStore();
let stand: WhatsAppStand;
let customer: Customer;
let openClient: OpenWebClient;

beforeAll(async () => {
  stand = await WhatsAppStand.start();
  customer = stand.addCustomer('15550004444');
  openClient = await openBaileysClient({ whatsappUrl: stand.url, log: silentLog });
  const { client, said } = await connect();
  await vi.waitFor(() => expect(said.at(-1)).toMatchObject({ kind: 'closed', reason: 'restart' }), 20_000);
  await client.close();
});
afterAll(() => stand.close());

test.each([
  ['that is cut', () => Promise.resolve(stand.cut(number))],
  ['that we close', (client: WebClient) => client.close()],
])('a connection %s while it catches up tells what WhatsApp was told that we have', async (how, end) => {
  stand.isCatchingUp = true;
  const { client, said } = await connect();
  await vi.waitFor(() => expect(said).toContainEqual(expect.objectContaining({ kind: 'open' })), 20_000);
  const id = `WAITING ${how}`;
  await stand.write(customer, number, 'Are you open?', id);
  await stand.until(() => stand.acknowledged.includes(id));
  expect(said.filter(({ kind }) => kind === 'news')).toEqual([]);
  await end(client);
  await vi.waitFor(() => {
    const news = said.filter((event) => event.kind === 'news' && event.event === 'messages.upsert');
    expect(news).toMatchObject([{ payload: { messages: [{ key: { id } }] } }]);
  }, 20_000);
  await client.close();
});

async function connect(): Promise<{ readonly client: WebClient; readonly said: readonly WebEvent[] }> {
  const said: WebEvent[] = [];
  const onEvent = (event: WebEvent) => {
    said.push(event);
    if (event.kind === 'code') stand.scan(event.code, number);
  };
  return { said, client: await openClient({ accountId: 'acc', store, onEvent }) };
}

function memoryStore(): SessionStore {
  const kept = new Map<string, string>();
  return {
    async read(names) {
      return Object.fromEntries(names.flatMap((name) => (kept.has(name) ? [[name, kept.get(name)!]] : [])));
    },
    async write(changes) {
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) kept.delete(name);
        else kept.set(name, value);
      }
    },
  };
}
