/**
 * A load generator for loopback, a process of its own (`fork`): told by one message, answering with one. It does what a
 * provider does: makes a message, signs it, posts it over keep-alive connections by an ordinary HTTP client (undici), and
 * sends the next on a connection when the answer to the last is whole.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Client } from 'undici';
import { type MetaTarget, metaBody } from './meta-body.ts';

export interface LoadOrder {
  readonly port: number;
  readonly target: MetaTarget;
  readonly connections: number;
  readonly seconds: number;
  /** Not counted: connections are made and code is warmed in it. */
  readonly warmSeconds: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers by status, all of them. */
  readonly statuses: Readonly<Record<string, number>>;
  /** CPU seconds of this process while it counted. */
  readonly cpuSeconds: number;
}

class Load {
  readonly #order: LoadOrder;
  readonly #latencies: number[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #run = randomBytes(6).toString('hex');
  #made = 0;
  #isCounting = false;
  #isOn = true;
  #requests = 0;

  constructor(order: LoadOrder) {
    this.#order = order;
  }

  async run(): Promise<LoadReport> {
    const { connections, warmSeconds, seconds: wanted, port } = this.#order;
    const clients = Array.from({ length: connections }, () => new Client(`http://127.0.0.1:${port}`, { pipelining: 1 }));
    const lanes = clients.map((client) => this.#lane(client));
    await pause(warmSeconds * 1_000);
    this.#isCounting = true;
    const started = performance.now();
    const cpu = process.cpuUsage();
    await pause(wanted * 1_000);
    this.#isCounting = false;
    const used = process.cpuUsage(cpu);
    const seconds = (performance.now() - started) / 1_000;
    this.#isOn = false;
    await Promise.all(lanes);
    await Promise.all(clients.map((client) => client.close()));
    return this.#report(seconds, (used.user + used.system) / 1e6);
  }

  async #lane(client: Client): Promise<void> {
    while (this.#isOn) {
      const body = this.#make();
      const signature = createHmac('sha256', this.#order.target.appSecret).update(body).digest('hex');
      const sentAt = performance.now();
      const status = await post(client, this.#order.target.path, body, signature);
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
      if (!this.#isCounting) continue;
      this.#requests += 1;
      this.#latencies.push(performance.now() - sentAt);
    }
  }

  #make(): Buffer {
    this.#made += 1;
    return metaBody(this.#order.target, {
      id: `wamid.${this.#run}${String(this.#made).padStart(24, '0')}`,
      from: String(4_915_500_000_000 + (this.#made % 500)),
      seconds: Math.floor(Date.now() / 1_000),
      text: 'hola, ¿tienen café molido para llevar?',
    });
  }

  #report(seconds: number, cpuSeconds: number): LoadReport {
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const rps = this.#requests / seconds;
    return { requests: this.#requests, seconds, rps, p50Ms: at(0.5), p99Ms: at(0.99), statuses: this.#statuses, cpuSeconds };
  }
}

async function post(client: Client, path: string, body: Buffer, signature: string): Promise<string> {
  try {
    const answer = await client.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}`, 'user-agent': 'facebookexternalua' },
      body,
    });
    await answer.body.dump();
    return String(answer.statusCode);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'broken';
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', (order: LoadOrder) => {
  new Load(order).run().then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
