/** One request as it is told, byte for byte if need be: an ordinary client would mend half of these. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { HostileRequest } from './request.ts';

const answerMs = 15_000;
const pieceBytes = 64 * 1024;

/** The status; 0: the connection was closed without one. Rejects never. */
export function send(port: number, request: HostileRequest): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const finish = () => {
      socket.destroy();
      resolve(statusOf(text));
    };
    socket.setTimeout(answerMs, finish);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) finish();
    });
    // A refused body is cut off while we still write it: the answer lies in what was read before.
    socket.on('error', () => undefined);
    socket.on('close', finish);
    socket.write(headOf(port, request));
    void write(socket, request);
  });
}

export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}

async function write(socket: Socket, { body, isChunked, isCutOff }: HostileRequest): Promise<void> {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  for (let start = 0; start < body.length && !socket.destroyed; start += pieceBytes) {
    const piece = body.subarray(start, start + pieceBytes);
    const framed = isChunked
      ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
      : piece;
    if (socket.write(framed)) continue;
    // Gone while we wrote: whoever waits for the answer hears of it.
    await once(socket, 'drain', { signal: closed.signal }).catch(() => undefined);
  }
  if (isChunked) socket.write('0\r\n\r\n');
  if (isCutOff) socket.end();
}

export function headOf(port: number, { method, path, headers, body, ...how }: HostileRequest): string {
  const usual = how.isChunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...('host' in headers ? [] : [`host: 127.0.0.1:${port}`]),
    ...(how.lengthLines ?? [usual]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
