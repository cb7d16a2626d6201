/** What is asked for in one turn of the event loop is looked up at once: by one request, or by many. */
import { StorageUnavailable } from '#storage';

interface Asked<Value> {
  readonly key: string;
  readonly resolve: (value: Value | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `findAll` gives what there is of up to `maxAtOnce` keys. Where it is away, all who asked for one of them hear of it; where
 * it fails in any other way the keys are asked for in halves, so that one which it will not take is its asker's alone.
 */
export function gatherLookUps<Value>(
  findAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  maxAtOnce: number,
): (key: string) => Promise<Value | null> {
  let waiting: Asked<Value>[] = [];

  async function lookUp(asked: readonly Asked<Value>[]): Promise<void> {
    try {
      const found = await findAll(asked.map(({ key }) => key));
      for (const { key, resolve } of asked) resolve(found.get(key) ?? null);
    } catch (error) {
      if (asked.length === 1 || error instanceof StorageUnavailable) for (const { reject } of asked) reject(error);
      else await lookUpInHalves(asked);
    }
  }

  async function lookUpInHalves(asked: readonly Asked<Value>[]): Promise<void> {
    const middle = asked.length >> 1;
    await lookUp(asked.slice(0, middle));
    await lookUp(asked.slice(middle));
  }

  function lookUpAll(): void {
    const all = waiting;
    waiting = [];
    for (let start = 0; start < all.length; start += maxAtOnce) void lookUp(all.slice(start, start + maxAtOnce));
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(lookUpAll);
      waiting.push({ key, resolve, reject });
    });
}
