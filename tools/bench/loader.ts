/**
 * A load generator for loopback: keep-alive connections that each send the next request when the answer to the last is
 * whole. Runs as a process of its own (`fork`), told by one message and answering with one.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type MetaTarget, metaBody, signedRequest } from './meta-body.ts';

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
}

const host = '127.0.0.1';
const statusAt = 'HTTP/1.1 '.length;

class Load {
  readonly #order: LoadOrder;
  readonly #latencies: number[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #run = randomBytes(6).toString('hex');
  #sent = 0;
  #isCounting = false;
  #isOn = true;
  #requests = 0;
  readonly #prepared: Buffer[] = [];

  constructor(order: LoadOrder) {
    this.#order = order;
  }

  /** Requests are signed beforehand, so that the signing does not compete with the server for the machine. */
  prepare(count: number): void {
    while (this.#prepared.length < count) this.#prepared.push(this.#make());
  }

  async run(): Promise<LoadReport> {
    const sockets = await Promise.all(Array.from({ length: this.#order.connections }, () => this.#open()));
    for (const socket of sockets) this.#send(socket);
    await pause(this.#order.warmSeconds * 1_000);
    this.#isCounting = true;
    const started = performance.now();
    await pause(this.#order.seconds * 1_000);
    const seconds = (performance.now() - started) / 1_000;
    this.#isCounting = false;
    this.#isOn = false;
    await pause(300);
    for (const socket of sockets) socket.destroy();
    return this.#report(seconds);
  }

  #make(): Buffer {
    this.#sent += 1;
    const from = String(4_915_500_000_000 + (this.#sent % 500));
    const body = metaBody(this.#order.target, {
      id: `wamid.${this.#run}${String(this.#sent).padStart(24, '0')}`,
      from,
      seconds: Math.floor(Date.now() / 1_000),
      text: 'hola, ¿tienen café molido para llevar?',
    });
    return signedRequest(this.#order.target, host, body);
  }

  async #open(): Promise<Socket> {
    const socket = connect(this.#order.port, host);
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => this.#count('broken'));
    return socket;
  }

  #send(socket: Socket): void {
    let answer = '';
    let sentAt = 0;
    const next = () => {
      if (!this.#isOn) return;
      answer = '';
      sentAt = performance.now();
      socket.write(this.#prepared.pop() ?? this.#make());
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (!isWhole(answer)) return;
      this.#count(answer.slice(statusAt, statusAt + 3));
      if (this.#isCounting) {
        this.#requests += 1;
        this.#latencies.push(performance.now() - sentAt);
      }
      next();
    });
    next();
  }

  #count(status: string): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  #report(seconds: number): LoadReport {
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      requests: this.#requests,
      seconds,
      rps: this.#requests / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      statuses: this.#statuses,
    };
  }
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /content-length: (\d+)/i.exec(answer.slice(0, end));
  if (length) return answer.length >= end + 4 + Number(length[1]);
  return answer.includes('0\r\n\r\n', end + 4) || answer.length === end + 4;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', (order: LoadOrder) => {
  const load = new Load(order);
  load.prepare(Math.ceil((order.seconds + order.warmSeconds) * 14_000));
  load.run().then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
