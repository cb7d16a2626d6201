/** A server of mail on this machine: takes every mail and keeps its text. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface LocalPost {
  readonly url: string;
  readonly mails: string[];
  close(): Promise<void>;
}

export async function openPost(): Promise<LocalPost> {
  const mails: string[] = [];
  const server = createServer((socket) => converse(socket, mails));
  const port = await listen(server);
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => close(server) };
}

/** As much of RFC 5321 as a sender needs. */
function converse(socket: Socket, mails: string[]): void {
  let waiting = '';
  let mail: string | null = null;
  socket.on('error', () => {
    // The sender has gone; the test looks at what it sent.
  });
  socket.write('220 post\r\n');
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (waiting + piece).split('\r\n');
    waiting = lines.pop() ?? '';
    for (const line of lines) {
      if (mail === null) {
        if (line === 'DATA') mail = '';
        socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      } else if (line === '.') {
        mails.push(mail);
        mail = null;
        socket.write('250 taken\r\n');
      } else mail += `${line}\n`;
    }
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
