/** A door: one node:http server that reads each body within its limit and hands the exchange on. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BODY_LIMIT_BYTES, type Exchange, jsonReply, type Reply, writeReply } from './exchange.ts';

/** Answers with a reply, or with null when it has answered (or broken off) by itself. */
export type Handler = (exchange: Exchange) => Reply | null | Promise<Reply | null>;

export interface Door {
  readonly url: string;
  close(): Promise<void>;
}

export interface DoorSettings {
  readonly host: string;
  readonly port: number;
  readonly log: (line: string) => void;
}

export async function openDoor(settings: DoorSettings, handler: Handler): Promise<Door> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    receive(request, response, handler, settings.log);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return { url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`, close: () => closeServer(server) };
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  handler: Handler,
  log: (line: string) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  });
  // A client that went away has nobody to answer; the connection is closed already.
  request.on('error', () => undefined);
  request.on('end', () => {
    if (size > BODY_LIMIT_BYTES) {
      writeReply(response, jsonReply(413, { error: { code: 'too_large', message: 'Body too large' } }));
      return;
    }
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    void answer(exchangeOf(request, response, body), handler, log);
  });
}

function exchangeOf(request: IncomingMessage, response: ServerResponse, body: Buffer): Exchange {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: request.headers,
    body,
    request,
    response,
  };
}

async function answer(exchange: Exchange, handler: Handler, log: (line: string) => void): Promise<void> {
  try {
    const outcome = handler(exchange);
    const reply = outcome instanceof Promise ? await outcome : outcome;
    if (reply) writeReply(exchange.response, reply);
  } catch (error) {
    log(
      `${exchange.method} ${exchange.path}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    if (!exchange.response.headersSent) {
      writeReply(
        exchange.response,
        jsonReply(500, { error: { code: 'simulator_error', message: 'The simulator failed' } }),
      );
    }
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
