import { once } from 'node:events';
import { createServer } from 'node:net';

/** The system may give one twice before anybody has taken it. */
const given = new Set<number>();

/** Each is given once in the life of this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    probe.close();
    await once(probe, 'close');
    if (typeof address !== 'object' || !address) throw new Error('no free port');
    if (given.has(address.port)) continue;
    given.add(address.port);
    return address.port;
  }
}
