/**
 * Many small writes as few statements: while one batch is being written, what comes meanwhile forms the next. Nothing
 * waits for a timer, so a lone write goes at once.
 */
export interface MicroBatch<Item, Outcome> {
  /** Resolves with this item's outcome after its batch was written; rejects when the batch could not be. */
  add(item: Item): Promise<Outcome>;
  /** Nothing is waiting and nothing under way. */
  readonly isIdle: boolean;
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** `write` gives one outcome an item, in their order. */
export function createMicroBatch<Item, Outcome>(
  maxItems: number,
  write: (items: readonly Item[]) => Promise<readonly Outcome[]>,
): MicroBatch<Item, Outcome> {
  const waiting: Waiting<Item, Outcome>[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    isWriting = true;
    // One turn of the event loop, so that what is decided together is written together.
    await Promise.resolve();
    while (waiting.length > 0) await writeOne(waiting.splice(0, maxItems));
    isWriting = false;
  }

  async function writeOne(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await write(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    add(item) {
      return new Promise<Outcome>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (!isWriting) void writeAll();
      });
    },
    get isIdle() {
      return !isWriting && waiting.length === 0;
    },
  };
}
