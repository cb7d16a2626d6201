/** One request as it is told, byte for byte if need be: an ordinary client would mend half of these. */
import { connect } from 'node:net';
import type { HostileRequest } from './hostile-corpus.ts';

const answerMs = 15_000;

/** The status; 0: the connection was closed without one. Rejects never. */
export function send(port: number, request: HostileRequest): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const finish = () => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0));
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
    socket.write(request.isChunked ? chunked(request.body) : request.body);
  });
}

function headOf(port: number, { method, path, headers, body, isChunked }: HostileRequest): string {
  const length = isChunked
    ? 'transfer-encoding: chunked'
    : `content-length: ${headers['content-length'] ?? body.length}`;
  const others = Object.entries(headers).filter(([name]) => name !== 'content-length');
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    length,
    ...others.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function chunked(body: Buffer): Buffer {
  const size = 64 * 1024;
  const pieces: Buffer[] = [];
  for (let start = 0; start < body.length; start += size) {
    const piece = body.subarray(start, start + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}
