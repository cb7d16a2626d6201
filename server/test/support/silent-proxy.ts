/** A way to the database on which what is under way can fall silent, as when a host vanishes: no end, no reset, no answer. */
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import type { RoleUrls } from '#storage';

export interface SilentProxy {
  readonly urls: RoleUrls;
  /** Nothing more goes through the connections that are open now; new ones go through. */
  fallSilent(): void;
  /** Connections that were made through it so far. */
  readonly made: number;
  close(): Promise<void>;
}

export async function openSilentProxy(urls: RoleUrls): Promise<SilentProxy> {
  const pairs: (readonly [Socket, Socket])[] = [];
  const server = createServer((near) => {
    const far = connect(placeOf(new URL(urls.gateway)));
    pairs.push([near, far]);
    for (const socket of [near, far])
      socket.on('error', () => {
        // Whoever is at its ends hears of it; the proxy has nothing to tell.
      });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urls: { app: through(urls.app, port), gateway: through(urls.gateway, port), worker: through(urls.worker, port) },
    fallSilent() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    get made() {
      return pairs.length;
    },
    async close() {
      for (const socket of pairs.flat()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server of the tests listens on a socket file, whose folder its URL names. */
function placeOf({ hostname, port, searchParams }: URL): NetConnectOpts {
  const folder = searchParams.get('host');
  const number = port || searchParams.get('port') || '5432';
  return folder ? { path: `${folder}/.s.PGSQL.${number}` } : { host: hostname, port: Number(number) };
}

function through(url: string, port: number): string {
  const other = new URL(url);
  for (const key of ['host', 'port']) other.searchParams.delete(key);
  other.host = `127.0.0.1:${port}`;
  return other.href;
}
