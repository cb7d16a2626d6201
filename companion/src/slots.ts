/** Room for so many at once, and for fewer of one owner, so that nobody takes it all. Who comes first is first, where there is room. */
export class Slots {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<{ readonly owner: string; readonly enter: () => void }>();
  #count = 0;

  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Gives the way out, to be called once. Throws the signal's reason where it ends before there is room. */
  async take(owner: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#hasRoomFor(owner)) await this.#wait(owner, signal);
    else this.#enter(owner);
    return () => this.#leave(owner);
  }

  #wait(owner: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const one = { owner, enter };
      const giveUp = () => {
        this.#waiting.delete(one);
        reject(signal.reason as Error);
      };
      function enter() {
        signal.removeEventListener('abort', giveUp);
        resolve();
      }
      this.#waiting.add(one);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #hasRoomFor(owner: string): boolean {
    return this.#count < this.#most && (this.#taken.get(owner) ?? 0) < this.#mostOfOne;
  }

  #enter(owner: string): void {
    this.#count += 1;
    this.#taken.set(owner, (this.#taken.get(owner) ?? 0) + 1);
  }

  #leave(owner: string): void {
    this.#count -= 1;
    const left = (this.#taken.get(owner) ?? 0) - 1;
    if (left > 0) this.#taken.set(owner, left);
    else this.#taken.delete(owner);
    for (const one of this.#waiting) {
      if (!this.#hasRoomFor(one.owner)) continue;
      this.#waiting.delete(one);
      this.#enter(one.owner);
      one.enter();
    }
  }
}
