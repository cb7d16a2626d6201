/** Where the files of messages lie: a body begins, and ends only when it is cut. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  readonly host: string;
  /** Paths that were asked for. */
  readonly calls: readonly string[];
  cut(): void;
  close(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(request.url ?? '');
    response.write('a drop');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
