/** A stand-in for a provider's server, for tests: answers as told, on a port of its own, and keeps what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultSendTimeouts, type SendingNetwork, type SendTimeouts } from '../channel.ts';
import { anywhere } from './address/index.ts';

export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface LocalProvider extends AsyncDisposable {
  readonly calls: ReceivedCall[];
  readonly network: (timeouts?: Partial<SendTimeouts>, signal?: AbortSignal) => SendingNetwork;
}

export type Behaviour = (response: ServerResponse, request: IncomingMessage, body: string) => void;

export async function startLocalProvider(behave: Behaviour): Promise<LocalProvider> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      calls.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      behave(response, request, body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    network: (timeouts = {}, signal = new AbortController().signal) => ({
      baseUrl: `http://127.0.0.1:${port}`,
      reach: anywhere,
      timeouts: { ...defaultSendTimeouts, ...timeouts },
      signal,
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Answers every call with this status and JSON. */
export function answerJson(status: number, value: unknown, headers: Record<string, string> = {}): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };
}
