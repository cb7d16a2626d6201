/** Webhooks at a steady pace, whether or not the ones before were answered: a process of its own, until it is told to stop. */
import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type MetaTarget, metaBody } from './meta-body.ts';

export interface PaceOrder {
  readonly port: number;
  readonly target: MetaTarget;
  readonly perSecond: number;
}

/** When each was sent, by the wall clock, and how long its answer took. */
export interface Paced {
  readonly waits: readonly { readonly sentAtMs: number; readonly waitMs: number }[];
  /** Those that were answered anything else than 200. */
  readonly refused: number;
}

let isOver = false;

async function paced(order: PaceOrder): Promise<Paced> {
  const dispatcher = new Agent({ connections: null });
  const run = Date.now().toString(36);
  const sent: Promise<{ readonly sentAtMs: number; readonly waitMs: number; readonly status: number }>[] = [];
  const begun = performance.now();
  while (!isOver) {
    sent.push(send(order, `${run}${sent.length}`, dispatcher));
    await pause(Math.max(0, begun + (sent.length * 1_000) / order.perSecond - performance.now()));
  }
  const all = await Promise.all(sent);
  await dispatcher.close();
  return { waits: all, refused: all.filter(({ status }) => status !== 200).length };
}

async function send({ port, target }: PaceOrder, id: string, dispatcher: Agent) {
  const message = {
    id: `wamid.PACE${id}`,
    from: '4915500000001',
    seconds: Math.floor(Date.now() / 1_000),
    text: 'hola',
  };
  const body = metaBody(target, message);
  const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
  const [sentAtMs, begun] = [Date.now(), performance.now()];
  const answer = await request(`http://127.0.0.1:${port}${target.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body,
    dispatcher,
  });
  await answer.body.dump();
  return { sentAtMs, waitMs: performance.now() - begun, status: answer.statusCode };
}

process.on('message', (order: PaceOrder | 'stop') => {
  if (order === 'stop') {
    isOver = true;
    return;
  }
  paced(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
