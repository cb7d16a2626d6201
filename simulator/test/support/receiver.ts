/** A webhook receiver: keeps what came, byte for byte, and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly body?: string;
  readonly contentType?: string;
  /** Breaks the connection instead of answering. */
  readonly isReset?: boolean;
}

export interface Receiver {
  readonly url: string;
  readonly all: readonly Received[];
  /** Answers of the next requests, in turn; then 200 again. */
  script(...answers: ReceiverAnswer[]): void;
  /** Answers every request by what it is. */
  answerWith(decide: (received: Received) => ReceiverAnswer): void;
  /** Resolves with the first `count` requests that fit, when so many have come. */
  wait(fits: (received: Received) => boolean, count?: number): Promise<Received[]>;
  close(): Promise<void>;
}

export async function createReceiver(): Promise<Receiver> {
  const all: Received[] = [];
  const waiting = new Set<() => void>();
  const scripted: ReceiverAnswer[] = [];
  let decide: (received: Received) => ReceiverAnswer = () => ({ status: 200, body: '' });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
        text: body.toString('utf8'),
      };
      const answer = scripted.shift() ?? decide(received);
      all.push(received);
      for (const check of waiting) check();
      if (answer.isReset) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': answer.contentType ?? 'text/plain' });
      response.end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    all,
    script: (...answers) => scripted.push(...answers),
    answerWith: (next) => {
      decide = next;
    },
    wait: (fits, count = 1) =>
      new Promise((resolve) => {
        const check = () => {
          const found = all.filter(fits);
          if (found.length < count) return;
          waiting.delete(check);
          resolve(found.slice(0, count));
        };
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
