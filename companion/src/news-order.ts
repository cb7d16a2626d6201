/**
 * The order of what is told. A file is fetched while its message waits, and what comes after it in the same chat waits behind
 * it: an answer must not overtake the photo that it is about. Other chats do not wait. It is of the session and not of a
 * connection: the library has acknowledged to WhatsApp what it tells, so nobody would tell it a second time.
 */
import type { News } from './web-client.ts';

export class NewsOrder {
  readonly #post: (event: string, payload: unknown) => void;
  /** The end of the last one's wait, by chat. */
  readonly #chats = new Map<string, Promise<void>>();
  /** Each lets one go without its files. */
  readonly #waiting = new Set<() => void>();
  #isInHaste = false;

  constructor(post: (event: string, payload: unknown) => void) {
    this.#post = post;
  }

  /** Told before this returns where nothing has to be waited for. */
  take(news: News): void {
    const { event, payload, chat } = news;
    const before = chat === null ? undefined : this.#chats.get(chat);
    const isWaitedFor = news.whole !== undefined && !this.#isInHaste;
    if (chat === null || !(before || isWaitedFor)) {
      // In haste its files come too late for it.
      news.whole?.catch(() => undefined);
      this.#post(event, payload);
      return;
    }
    const turn = Promise.all([isWaitedFor ? this.#wholeOf(news) : payload, before]).then(([told]) => {
      if (this.#chats.get(chat) === turn) this.#chats.delete(chat);
      this.#post(event, told);
    });
    this.#chats.set(chat, turn);
  }

  /** Resolves when nothing waits any more: what has waited so long goes without its files. */
  async settle(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#hasten(), graceMs);
    while (this.#chats.size > 0) await Promise.all(this.#chats.values());
    clearTimeout(timer);
  }

  #hasten(): void {
    this.#isInHaste = true;
    for (const letGo of this.#waiting) letGo();
  }

  /** Never rejects: what cannot be had whole goes without its files. */
  #wholeOf({ whole, payload }: News): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const letGo = () => resolve(payload);
    this.#waiting.add(letGo);
    whole?.then(resolve, letGo);
    return promise.finally(() => this.#waiting.delete(letGo));
  }
}
