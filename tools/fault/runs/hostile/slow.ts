/** Clients that hold a connection and never finish. Each is told off in its time, and meanwhile is in nobody's way. */
import { connect } from 'node:net';
import type { Shop } from '../../stage/shops.ts';
import { metaMessage, post, senders } from './request.ts';
import { headOf, statusOf } from './send.ts';

interface Slow {
  readonly kind: 'idle' | 'head' | 'body';
  /** 0: closed without an answer. */
  readonly status: number;
  readonly afterMs: number;
}

export interface SlowOutcome {
  readonly failures: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

const counts = { idle: 300, head: 20, body: 20 } as const;
/** What is said to a client that has begun; who never began is closed, with or without a word. */
const answers: Readonly<Record<Slow['kind'], readonly number[]>> = { idle: [0, 408], head: [408], body: [408] };
/** Twice the listener's own limits, and room for a busy machine. */
const patienceMs: Readonly<Record<Slow['kind'], number>> = { idle: 40_000, head: 40_000, body: 80_000 };
const everyMs = 1_000;

/** Resolves when all of them were told off, or their time was up. Rejects never. */
export async function holdOn(port: number, shop: Shop): Promise<SlowOutcome> {
  const request = post(shop, 'slow', metaMessage(shop, senders.forged, 'wamid.hostile.slow'), [408]);
  const head = headOf(port, request);
  const drips = { idle: ['', ''], head: ['', head], body: [head, request.body.toString()] } as const;
  const kinds = Object.keys(counts) as Slow['kind'][];
  const all = await Promise.all(
    kinds.flatMap((kind) => Array.from({ length: counts[kind] }, () => drip(port, kind, drips[kind]))),
  );
  const odd = all.filter(({ kind, status, afterMs }) => afterMs >= patienceMs[kind] || !answers[kind].includes(status));
  const slowest = (kind: Slow['kind']) => Math.max(...all.filter((one) => one.kind === kind).map((one) => one.afterMs));
  return {
    failures: odd.map(({ kind, status }) => `slow, ${kind}: answered ${status}, or held on to for too long`),
    details: {
      connections: all.length,
      ...Object.fromEntries(kinds.map((kind) => [`${kind}ClosedAfterMs`, slowest(kind)])),
    },
  };
}

/** Sends the first text at once and the second byte by byte, one a second. */
function drip(port: number, kind: Slow['kind'], [atOnce, slowly]: readonly [string, string]): Promise<Slow> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    let at = 0;
    const dripping = setInterval(() => {
      // The last byte is never sent: then it would be a request.
      if (at < slowly.length - 1) socket.write(slowly.charAt(at++));
    }, everyMs);
    const tooLate = setTimeout(() => socket.destroy(), patienceMs[kind]);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    // Told in 'close', which follows.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(dripping);
      clearTimeout(tooLate);
      resolve({ kind, status: statusOf(text), afterMs: Math.round(performance.now() - startedMs) });
    });
    if (atOnce !== '') socket.write(atOnce);
  });
}
