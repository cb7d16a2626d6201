/** A stand-in for Meta's Graph API, with a ledger of what it took: sends by text, in the order in which they came. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anywhere, defaultSendTimeouts, type SendingNetwork, type SendTimeouts } from '#channels';

export interface TakenSend {
  readonly to: string;
  readonly text: string;
  readonly attemptId: string;
  readonly providerMessageId: string;
}

/** What the server does with one send. `accept`: takes it and says so. Others answer by themselves. */
export type Behaviour = (send: TakenSend, answer: Answering) => void | Promise<void>;

export interface Answering {
  accept(): void;
  refuse(status: number, code: number, headers?: Record<string, string>): void;
  /** Takes the message and says nothing: the connection ends. */
  acceptThenHangUp(): void;
}

export interface ProviderServer extends AsyncDisposable {
  /** Requests that asked for a send, whatever became of them. */
  readonly requests: TakenSend[];
  /** What was taken: a real provider would have delivered it. */
  readonly ledger: TakenSend[];
  readonly reads: string[];
  readonly baseUrl: string;
  behave(behaviour: Behaviour): void;
  network(timeouts?: Partial<SendTimeouts>): Omit<SendingNetwork, 'signal'>;
}

export async function startProviderServer(): Promise<ProviderServer> {
  const requests: TakenSend[] = [];
  const ledger: TakenSend[] = [];
  const reads: string[] = [];
  let behaviour: Behaviour = (_send, answer) => answer.accept();
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      if (body.status === 'read') {
        reads.push(body.message_id);
        reply(response, 200, { success: true });
        return;
      }
      if (body.readMessages) {
        for (const { remoteJid, id } of body.readMessages) reads.push(`${remoteJid} ${id}`);
        reply(response, 201, { message: 'Read messages', read: 'success' });
        return;
      }
      count += 1;
      const send: TakenSend = {
        to: body.to,
        text: body.text?.body ?? body.template?.name ?? body.type,
        attemptId: body.biz_opaque_callback_data,
        providerMessageId: `wamid.${count}`,
      };
      requests.push(send);
      void behaviour(
        send,
        answering(response, () => ledger.push(send), send),
      );
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests,
    ledger,
    reads,
    baseUrl,
    behave(next) {
      behaviour = next;
    },
    network: (timeouts = {}) => ({ baseUrl, reach: anywhere, timeouts: { ...defaultSendTimeouts, ...timeouts } }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function answering(response: ServerResponse, take: () => void, send: TakenSend): Answering {
  return {
    accept() {
      take();
      reply(response, 200, {
        messaging_product: 'whatsapp',
        contacts: [{ input: send.to, wa_id: send.to }],
        messages: [{ id: send.providerMessageId }],
      });
    },
    refuse(status, code, headers = {}) {
      reply(response, status, { error: { code, message: `error ${code}`, type: 'OAuthException' } }, headers);
    },
    acceptThenHangUp() {
      take();
      response.socket?.destroy();
    },
  };
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
