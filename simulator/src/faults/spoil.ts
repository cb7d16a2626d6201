/** Ways of answering that no careful client may mistake for an answer. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Exchange, JSON_TYPE, type Reply } from '../http/exchange.ts';

const HUGE_CHUNK = Buffer.alloc(65_536, 0x20);

/** The connection ends with RST. */
export function reset(exchange: Exchange): void {
  exchange.request.socket.resetAndDestroy();
}

/** No answer for so long, then the connection ends. */
export function leaveWaiting(exchange: Exchange, milliseconds: number): void {
  const timer = setTimeout(() => exchange.request.socket.destroy(), milliseconds);
  timer.unref();
  exchange.response.once('close', () => clearTimeout(timer));
}

/** Half of the promised body, then the connection ends. */
export function truncate(exchange: Exchange, reply: Reply): void {
  const body = Buffer.from(reply.body);
  const { response } = exchange;
  response.writeHead(reply.status, { 'content-type': reply.contentType ?? JSON_TYPE, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => exchange.request.socket.destroy());
}

/** One byte at a time. */
export function drip(exchange: Exchange, reply: Reply, milliseconds: number): void {
  const body = Buffer.from(reply.body);
  const { response } = exchange;
  response.writeHead(reply.status, { 'content-type': reply.contentType ?? JSON_TYPE, 'content-length': body.length });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + 1));
    sent += 1;
    if (sent < body.length) return;
    clearInterval(timer);
    response.end();
  }, milliseconds);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}

/** The right answer, then blanks up to `bytes`: valid JSON, if one reads that far. */
export async function flood(exchange: Exchange, reply: Reply, bytes: number): Promise<void> {
  const { response } = exchange;
  response.writeHead(reply.status, { 'content-type': reply.contentType ?? JSON_TYPE });
  response.write(reply.body);
  for (let sent = 0; sent < bytes && !response.destroyed; sent += HUGE_CHUNK.length) {
    if (!response.write(HUGE_CHUNK)) await drained(response);
  }
  response.end();
}

async function drained(response: ServerResponse): Promise<void> {
  const listening = new AbortController();
  const { signal } = listening;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() =>
    listening.abort(),
  );
}
