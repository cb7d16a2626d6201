/** What is asked for in one turn of the event loop is looked up at once: by one request, or by many. */

interface Asked<Value> {
  readonly key: string;
  readonly resolve: (value: Value | null) => void;
  readonly reject: (error: unknown) => void;
}

/** `findAll` gives what there is of up to `maxAtOnce` keys; where it fails, all who asked for one of them hear of it. */
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
      for (const { reject } of asked) reject(error);
    }
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
