/**
 * The load generator, a process of its own (`fork`), and the first of three witnesses: it notes only what was answered
 * 200. What was not is posted again with the same body, as the real provider does. The next message of a conversation is
 * sent when the last one was acknowledged, so their order is known to everybody.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type Choices, seeded } from '../seeded.ts';
import { bodyOf, headersOf, reactionContent, textContent } from './bodies.ts';
import type { Acked, LoadOrder, LoadProgress, LoadTarget, ToGenerator } from './order.ts';

interface Conversation {
  readonly target: number;
  readonly from: string;
  /** In all of them one place: ids must be unique over the whole run. */
  readonly index: number;
  made: number;
  isBusy: boolean;
  /** Its last message was one that the bot does not understand. */
  wasOdd: boolean;
}

const tickMs = 5;
const answerTimeoutMs = 10_000;
const retryCapMs = 1_000;
const firstSender = 4_915_500_000_000;
const oddWords = '¿a qué hora abren?';
const words = ['hola', 'menu', 'hola', oddWords] as const;

class Generator {
  readonly #order: LoadOrder;
  readonly #choices: Choices;
  readonly #log;
  readonly #agent = new Agent({ connections: 128, pipelining: 1, headersTimeout: answerTimeoutMs });
  readonly #conversations: readonly Conversation[];
  readonly #open = new Set<Promise<void>>();
  readonly #latencies: number[] = [];
  readonly #failures: Record<string, number> = {};
  #sent = 0;
  #acked = 0;
  #refused = 0;
  #repeats = 0;
  #begun = 0;
  #bound = Infinity;
  readonly #lastAskedMs: Record<number, number> = {};
  #isStopped = false;

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#choices = seeded(order.seed);
    this.#log = createWriteStream(order.logFile);
    this.#conversations = Array.from({ length: order.conversations }, (_, index) => ({
      index,
      target: order.onlyTarget ?? index % order.targets.length,
      from: String(firstSender + Math.floor(index / (order.onlyTarget === undefined ? order.targets.length : 1))),
      made: 0,
      isBusy: false,
      wasOdd: false,
    }));
  }

  bound(messages: number | null): void {
    this.#bound = messages ?? Infinity;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<LoadProgress> {
    const { ratePerSecond, total } = this.#order;
    let startedMs = performance.now();
    const isOver = () => this.#isStopped || (total !== null && this.#begun >= total);
    const isHeld = () => this.#begun >= this.#bound;
    while (!isOver()) {
      const due = Math.floor(((performance.now() - startedMs) / 1_000) * ratePerSecond);
      for (let paced = this.#begun; paced < due && !isOver() && !isHeld(); paced += 1) this.#begin();
      // What was held is not made up for: the pace goes on from there.
      if (isHeld()) startedMs = performance.now() - (this.#begun / ratePerSecond) * 1_000;
      await wait(tickMs);
    }
    await Promise.all(this.#open);
    await new Promise<void>((resolve) => this.#log.end(resolve));
    await this.#agent.destroy();
    return this.report('done');
  }

  report(kind: LoadProgress['kind']): LoadProgress {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return {
      kind,
      sent: this.#sent,
      acked: this.#acked,
      failures: this.#failures,
      refused: this.#refused,
      repeats: this.#repeats,
      lastAskedMs: this.#lastAskedMs,
      p99Ms: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
    };
  }

  /** With every conversation waiting for its answer there is nothing to begin: then the pace slackens. */
  #begin(): void {
    const idle = this.#findIdle();
    if (!idle) return;
    this.#begun += 1;
    idle.isBusy = true;
    const work = this.#converse(idle).finally(() => {
      idle.isBusy = false;
      this.#open.delete(work);
    });
    this.#open.add(work);
  }

  #findIdle(): Conversation | undefined {
    const start = this.#choices.below(this.#conversations.length);
    for (let step = 0; step < this.#conversations.length; step += 1) {
      const one = this.#conversations[(start + step) % this.#conversations.length]!;
      if (!one.isBusy) return one;
    }
    return undefined;
  }

  async #converse(one: Conversation): Promise<void> {
    const { duplicateShare, earlyShare } = this.#order;
    one.made += 1;
    const id = `wamid.${this.#order.seed}.${one.index}.${one.made}`;
    const text = this.#wordsFor(one);
    const isEarly = this.#choices.next() < earlyShare;
    const isRepeated = this.#choices.next() < duplicateShare;
    // Every fourth of them long enough before its message that the sweep of parked events passes by.
    const pauseMs = this.#choices.below(4) === 0 ? 3_000 : 0;
    if (isEarly) {
      await this.#deliver(one, { id: `${id}.early`, kind: 'reaction', content: reactionContent(id) });
      await wait(pauseMs);
    }
    const again = await this.#deliver(one, { id, kind: 'message', content: textContent(text) });
    if (!isRepeated || !again) return;
    this.#repeats += 1;
    const { status } = await this.#post(this.#target(one), again, 0);
    if (status !== '200') this.#noteFailure(status);
  }

  /** Not odd ones in a row: the bot passes such a customer on to a person, and nobody answers them any more. */
  #wordsFor(one: Conversation): string {
    const picked = this.#choices.pick(words);
    const text = picked === oddWords && one.wasOdd ? words[0] : picked;
    one.wasOdd = text === oddWords;
    return text;
  }

  /** Until it is acknowledged. Gives the body. */
  async #deliver(
    one: Conversation,
    what: { readonly id: string; readonly kind: Acked['kind']; readonly content: object },
  ): Promise<Buffer | null> {
    const target = this.#target(one);
    const firstMs = Date.now();
    const body = bodyOf(target, { ...what, from: one.from, seconds: Math.floor(firstMs / 1_000) });
    this.#sent += 1;
    const firstPort = this.#choices.below(this.#order.ports.length);
    for (let tries = 1; ; tries += 1) {
      const startedMs = performance.now();
      const { status, port } = await this.#post(target, body, firstPort + tries - 1);
      if (status === '200') {
        if (tries === 1) this.#latencies.push(performance.now() - startedMs);
        const sha = createHash('sha256').update(body).digest('hex');
        const { id, kind } = what;
        this.#note({
          id,
          kind,
          target: one.target,
          from: one.from,
          n: one.made,
          sha,
          firstMs,
          ackedMs: Date.now(),
          tries,
          port,
        });
        return body;
      }
      if (this.#noteFailure(status) === 'final') return null;
      await wait(Math.min(retryCapMs, 25 * 2 ** Math.min(tries, 6)));
    }
  }

  async #post(target: LoadTarget, body: Buffer, turn: number): Promise<{ status: string; port: number }> {
    const port = this.#order.ports[turn % this.#order.ports.length]!;
    this.#lastAskedMs[port] = Date.now();
    try {
      const answer = await request(`http://127.0.0.1:${port}${target.path}`, {
        method: 'POST',
        headers: headersOf(target, body),
        body,
        dispatcher: this.#agent,
        bodyTimeout: answerTimeoutMs,
      });
      await answer.body.dump();
      return { status: String(answer.statusCode), port };
    } catch (error) {
      return { status: error instanceof Error && 'code' in error ? String(error.code) : 'broken', port };
    }
  }

  /** Final: what the provider would take for a no to a sound webhook, the repetition of one too. */
  #noteFailure(status: string): 'final' | 'again' {
    this.#failures[status] = (this.#failures[status] ?? 0) + 1;
    if (!/^4\d\d$/.test(status)) return 'again';
    this.#refused += 1;
    return 'final';
  }

  #note(acked: Acked): void {
    this.#acked += 1;
    this.#log.write(`${JSON.stringify(acked)}\n`);
  }

  #target(one: Conversation): LoadTarget {
    return this.#order.targets[one.target]!;
  }
}

let generator: Generator | undefined;

process.on('message', (told: ToGenerator) => {
  if (told.kind === 'stop') return generator?.stop();
  if (told.kind === 'bound') return generator?.bound(told.messages);
  const running = new Generator(told.order);
  generator = running;
  const ticking = setInterval(() => process.send?.(running.report('progress')), 200);
  running.run().then(
    (report) => {
      clearInterval(ticking);
      process.send?.(report);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
