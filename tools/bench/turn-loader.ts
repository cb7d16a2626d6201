/**
 * Plays the customers and Meta's door in one process: posts signed messages, takes the replies at its Graph door, and
 * knows for each phone that asked when it was answered. A reply to a phone that did not ask is counted as crossed.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { type MetaTarget, metaBody, type ReceiptStatus, receiptBody } from './meta-body.ts';

export interface TurnOrder {
  readonly port: number;
  readonly targets: readonly MetaTarget[];
  readonly seconds: number;
  readonly warmSeconds: number;
  /** As many conversations in flight as this, one after another; or, with `perSecond`, begun at that rate. */
  readonly inFlight: number;
  readonly perSecond?: number;
  /** What Meta tells of each reply, one webhook each, before the conversation's place is given to the next. */
  readonly receipts?: readonly ReceiptStatus[];
}

export interface TurnReport {
  readonly turns: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly crossed: number;
  readonly unanswered: number;
  readonly refused: number;
  /** Acknowledged, messages and receipts, counted or not. */
  readonly webhooks: number;
}

interface Reply {
  readonly at: number;
  readonly providerId: string;
}

const answerTimeoutMs = 10_000;

class Customers {
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  readonly #latencies: number[] = [];
  readonly #run = randomBytes(5).toString('hex');
  #made = 0;
  #turns = 0;
  #crossed = 0;
  #unanswered = 0;
  #refused = 0;
  #webhooks = 0;
  #isCounting = false;
  #isOn = true;

  /** Meta's answer to a send; who it is for is all that is read. */
  takeReply(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const at = performance.now();
      const { to = '' } = JSON.parse(Buffer.concat(chunks).toString()) as { to?: string };
      const phone = to.replace(/^\+/, '');
      this.#made += 1;
      const providerId = `wamid.OUT${this.#run}${this.#made}`;
      const answer = JSON.stringify({
        messaging_product: 'whatsapp',
        contacts: [{ input: to, wa_id: phone }],
        messages: [{ id: providerId }],
      });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
      const answered = this.#waiting.get(phone);
      if (answered) answered({ at, providerId });
      else if (this.#isOn) this.#crossed += 1;
    });
  }

  async run(order: TurnOrder): Promise<TurnReport> {
    const pool = new Pool(`http://127.0.0.1:${order.port}`, {
      connections: Math.max(order.inFlight, 64),
      pipelining: 1,
    });
    const work = order.perSecond === undefined ? this.#closed(order, pool) : this.#open(order, pool, order.perSecond);
    await pause(order.warmSeconds * 1_000);
    this.#isCounting = true;
    const started = performance.now();
    await pause(order.seconds * 1_000);
    this.#isCounting = false;
    const seconds = (performance.now() - started) / 1_000;
    this.#isOn = false;
    await work;
    await pool.close();
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      turns: this.#turns,
      perSecond: this.#turns / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      crossed: this.#crossed,
      unanswered: this.#unanswered,
      refused: this.#refused,
      webhooks: this.#webhooks,
    };
  }

  async #closed(order: TurnOrder, pool: Pool): Promise<void> {
    const lane = async () => {
      while (this.#isOn) await this.#turn(order, pool);
    };
    await Promise.all(Array.from({ length: order.inFlight }, lane));
  }

  /** Begun by the clock whether or not earlier ones were answered: so that a slow answer cannot hide behind a pause. */
  async #open(order: TurnOrder, pool: Pool, perSecond: number): Promise<void> {
    const started = performance.now();
    const running = new Set<Promise<void>>();
    for (let begun = 0; this.#isOn; ) {
      const due = ((performance.now() - started) / 1_000) * perSecond;
      for (; begun < due; begun += 1) {
        const turn = this.#turn(order, pool).finally(() => running.delete(turn));
        running.add(turn);
      }
      await pause(1);
    }
    await Promise.all(running);
  }

  async #turn(order: TurnOrder, pool: Pool): Promise<void> {
    this.#made += 1;
    const number = this.#made;
    const phone = String(34_600_000_000 + (number % 1_000_000));
    const target = order.targets[number % order.targets.length]!;
    const body = metaBody(target, {
      id: `wamid.${this.#run}${number}`,
      from: phone,
      seconds: Math.floor(Date.now() / 1_000),
      text: 'hola',
    });
    const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
    const sentAt = performance.now();
    const reply = this.#reply(phone);
    const status = await post(pool, target.path, body, signature);
    if (status !== 200) {
      this.#refused += 1;
      this.#waiting.delete(phone);
      return;
    }
    this.#webhooks += 1;
    const answered = await reply;
    if (answered === null) {
      this.#unanswered += 1;
      return;
    }
    if (this.#isCounting) {
      this.#turns += 1;
      this.#latencies.push(answered.at - sentAt);
    }
    for (const status of order.receipts ?? [])
      await this.#receipt(pool, target, { id: answered.providerId, to: phone, status });
  }

  async #receipt(
    pool: Pool,
    target: MetaTarget,
    receipt: { readonly id: string; readonly to: string; readonly status: ReceiptStatus },
  ): Promise<void> {
    const body = receiptBody(target, { ...receipt, seconds: Math.floor(Date.now() / 1_000) });
    const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
    if ((await post(pool, target.path, body, signature)) === 200) this.#webhooks += 1;
    else this.#refused += 1;
  }

  #reply(phone: string): Promise<Reply | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(phone);
        resolve(null);
      }, answerTimeoutMs);
      this.#waiting.set(phone, (answered) => {
        clearTimeout(timer);
        this.#waiting.delete(phone);
        resolve(answered);
      });
    });
  }
}

async function post(pool: Pool, path: string, body: Buffer, signature: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
  try {
    const answer = await pool.request({ method: 'POST', path, headers, body });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    console.error(String(error));
    return 0;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let customers = new Customers();
const door = createServer({ keepAliveTimeout: 60_000 }, (request, response) => customers.takeReply(request, response));
door.listen(0, '127.0.0.1', () => process.send?.({ door: (door.address() as AddressInfo).port }));
process.on('message', (order: TurnOrder) => {
  customers = new Customers();
  customers.run(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exit(1);
    },
  );
});
