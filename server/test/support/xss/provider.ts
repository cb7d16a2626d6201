/** A provider whose every word is hostile: it takes messages of Meta's kind or refuses them, and tells of an Evolution instance. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packer, payloads } from './payloads.ts';

export interface HostileProvider {
  readonly url: string;
  close(): Promise<void>;
}

export async function startHostileProvider(): Promise<HostileProvider> {
  const pack = packer();
  let asked = 0;
  const server = createServer((incoming, outgoing) => {
    asked += 1;
    incoming.resume();
    answer(incoming, outgoing, { pack, asked });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Wit {
  readonly pack: (room: number) => string;
  readonly asked: number;
}

function answer({ url = '', method }: IncomingMessage, outgoing: ServerResponse, { pack, asked }: Wit): void {
  const say = (status: number, body: object) =>
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (url.includes('/webhook/find/'))
    return void say(200, { url: `http://127.0.0.1/${payloads[0]}`, enabled: true, events: payloads.slice(0, 80) });
  if (url.includes('/instance/connect/'))
    return void say(200, { code: pack(300), base64: `data:image/svg+xml,${payloads[12]}`, count: 1 });
  if (url.includes('/instance/')) return void say(200, { instance: { instanceName: pack(100), state: 'close' } });
  if (method === 'POST' && asked % 2 === 0)
    return void say(200, { messages: [{ id: `wamid.${asked}.${payloads[asked % payloads.length]}` }] });
  const error = { message: pack(200), code: 131026, type: pack(60), error_data: { details: pack(400) } };
  return void say(400, { error });
}
