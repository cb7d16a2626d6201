/** As much of RFC 6455 as a stand-in needs: binary frames both ways, no fragments, no extensions. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const binary = 0x2;
const closing = 0x8;

export interface ServerSocket {
  onMessage: (bytes: Buffer) => void;
  onClose: () => void;
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface WebSocketServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startWebSocketServer(opened: (socket: ServerSocket) => void): Promise<WebSocketServer> {
  const server = createServer((_request, response) => response.writeHead(426).end());
  const streams = new Set<Duplex>();
  server.on('upgrade', (request, stream: Duplex) => {
    streams.add(stream);
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64');
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    opened(socketOver(stream, () => streams.delete(stream)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/ws/chat`,
    close: () =>
      new Promise((resolve) => {
        for (const stream of streams) stream.destroy();
        server.close(() => resolve());
      }),
  };
}

function socketOver(stream: Duplex, gone: () => void): ServerSocket {
  let waiting = Buffer.alloc(0);
  const socket: ServerSocket = {
    onMessage: () => {},
    onClose: () => {},
    send: (bytes) => void (stream.writable && stream.write(frameOf(binary, bytes))),
    close() {
      if (stream.writable) stream.end(frameOf(closing, new Uint8Array()));
    },
  };
  stream.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let frame = readFrame(waiting); frame; frame = readFrame(waiting)) {
      waiting = waiting.subarray(frame.length);
      if (frame.opcode === binary) socket.onMessage(frame.payload);
      else if (frame.opcode === closing) stream.end();
    }
  });
  stream.on('error', () => stream.destroy());
  stream.on('close', () => {
    gone();
    socket.onClose();
  });
  return socket;
}

function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0]), uint32(payload.length)]);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Clients mask every frame. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (bytes.length < start) return null;
  const size = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? bytes.readUInt32BE(6) : short;
  if (bytes.length < start + size) return null;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + size));
  for (let index = 0; index < payload.length; index += 1) payload[index]! ^= mask[index % 4]!;
  return { opcode: bytes[0]! & 0x0f, payload, length: start + size };
}
