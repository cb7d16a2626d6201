/** The floor of `turn`: verify, insert, commit, answer 200, post the reply to the same door, record it. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Pool } from 'undici';

interface EchoOrder {
  readonly databaseUrl: string;
  readonly door: string;
  readonly appSecret: string;
}

process.on('message', (order: EchoOrder) => {
  void begin(order);
});

async function begin(order: EchoOrder): Promise<void> {
  const database = new pg.Pool({ connectionString: order.databaseUrl, max: 16 });
  await database.query(
    'CREATE TABLE IF NOT EXISTS public.echo (id text PRIMARY KEY, body bytea NOT NULL, reply_id text)',
  );
  const graph = new Pool(order.door, { connections: 64, pipelining: 1 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const answerWhole = async () => {
      const body = Buffer.concat(chunks);
      const given = Buffer.from(String(request.headers['x-hub-signature-256']).slice(7), 'hex');
      if (!timingSafeEqual(given, createHmac('sha256', order.appSecret).update(body).digest()))
        return response.writeHead(401).end();
      const message = JSON.parse(body.toString()).entry[0].changes[0].value.messages[0];
      await database.query({
        name: 'in',
        text: 'INSERT INTO public.echo (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        values: [message.id, body],
      });
      response.writeHead(200).end();
      const reply = JSON.stringify({
        messaging_product: 'whatsapp',
        to: `+${message.from}`,
        type: 'text',
        text: { body: message.text.body },
      });
      const answer = await graph.request({
        method: 'POST',
        path: '/v24.0/1/messages',
        headers: { 'content-type': 'application/json' },
        body: reply,
      });
      const sent = (await answer.body.json()) as { messages: { id: string }[] };
      await database.query({
        name: 'out',
        text: 'UPDATE public.echo SET reply_id = $2 WHERE id = $1',
        values: [message.id, sent.messages[0]?.id],
      });
      return undefined;
    };
    request.on('end', () => void answerWhole());
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}
