/** A load at a steady rate, a process of its own (`fork`): told by one message, answering with one. */
import { createHmac, randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { type MetaTarget, metaBody } from './meta-body.ts';

export interface PacedOrder {
  readonly port: number;
  readonly target: MetaTarget;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface PacedReport {
  readonly sent: number;
  readonly answered: number;
  /** From the first that was due to the last answer. */
  readonly seconds: number;
  /** From the moment each was due to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Answers by status, and what went wrong by its code. */
  readonly statuses: Readonly<Record<string, number>>;
}

const tickMs = 2;
/** As many as a provider's many machines would hold; more than these wait, and their wait counts. */
const connections = 256;
const answerTimeoutMs = 30_000;
const customers = 5_000;

async function run({ port, target, perSecond, seconds }: PacedOrder): Promise<PacedReport> {
  const agent = new Agent({
    connections,
    pipelining: 1,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
  const round = randomBytes(6).toString('hex');
  const statuses: Record<string, number> = {};
  const waits: number[] = [];
  const open = new Set<Promise<void>>();
  const total = Math.round(perSecond * seconds);
  const startedMs = performance.now();
  const post = async (index: number) => {
    const dueMs = startedMs + (index / perSecond) * 1_000;
    const body = metaBody(target, {
      id: `wamid.${round}${String(index).padStart(24, '0')}`,
      from: String(4_915_500_000_000 + (index % customers)),
      seconds: Math.floor(Date.now() / 1_000),
      text: 'hola',
    });
    const status = await statusOf(agent, `http://127.0.0.1:${port}${target.path}`, { body, secret: target.appSecret });
    statuses[status] = (statuses[status] ?? 0) + 1;
    waits.push(performance.now() - dueMs);
  };
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1_000) * perSecond) + 1);
    for (; sent < due; sent += 1) {
      const work = post(sent).finally(() => open.delete(work));
      open.add(work);
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(open);
  const sorted = waits.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  await agent.close();
  return {
    ...{ sent: total, answered: waits.length, seconds: (performance.now() - startedMs) / 1_000, statuses },
    ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  };
}

async function statusOf(
  agent: Agent,
  url: string,
  { body, secret }: { readonly body: Buffer; readonly secret: string },
): Promise<string> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
      body,
      dispatcher: agent,
    });
    await answer.body.dump();
    return String(answer.statusCode);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'broken';
  }
}

process.on('message', (order: PacedOrder) => {
  run(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
