/**
 * Whoever was served and still waits, so that the one that was served longest ago is next, and who is not remembered before
 * all. Kept by one process for itself, and bounded: of more than `maxKeys` the one that was served longest ago is forgotten.
 */
export class ServedLately<Key> {
  readonly #maxKeys: number;
  readonly #keys = new Set<Key>();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** The one that was served longest ago comes first. */
  get inOrder(): readonly Key[] {
    return [...this.#keys];
  }

  /** `served` just now; of all others those are forgotten that are not `waiting` any more. */
  note(served: Iterable<Key>, waiting: readonly Key[]): void {
    const isWaiting = new Set(waiting);
    for (const key of this.#keys) if (!isWaiting.has(key)) this.#keys.delete(key);
    for (const key of served) {
      this.#keys.delete(key);
      this.#keys.add(key);
    }
    for (const oldest of this.#keys) {
      if (this.#keys.size <= this.#maxKeys) return;
      this.#keys.delete(oldest);
    }
  }
}
