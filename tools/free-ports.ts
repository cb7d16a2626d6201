/** Ports of the loopback that nobody listens on now. Another process may still take one before it is used. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The system may give one twice before anybody has taken it: each is given once in the life of this process. */
const given = new Set<number>();
const tries = 50;

export function freePort(): Promise<number> {
  return freePorts(1);
}

/** The first of so many in a row: a server's and its stand-ins'. */
export async function freePorts(count: number): Promise<number> {
  for (let round = 0; round < tries; round += 1) {
    const first = await portOf(0);
    const row = Array.from({ length: count }, (_, index) => first + index);
    if (row.some((port) => port > 65_535 || given.has(port))) continue;
    const others = await Promise.all(row.slice(1).map((port) => portOf(port).catch(() => null)));
    if (others.includes(null)) continue;
    for (const port of row) given.add(port);
    return first;
  }
  throw new Error(`there are no ${count} free ports in a row`);
}

/** 0: whichever the system gives. Rejects where somebody listens. */
async function portOf(wanted: number): Promise<number> {
  const probe = createServer().listen(wanted, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || !address) throw new Error('a port has a number');
  return address.port;
}
