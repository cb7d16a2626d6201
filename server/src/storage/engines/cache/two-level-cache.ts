/**
 * The cache of this process, before a shared level where there is one, before the loader.
 *
 * What keeps it right:
 * - An invalidation goes to the shared level first and then, by the doorbell, to every process; each drops the shared
 *   value again before it asks for a new one, in case the first to try could not.
 * - A load under way when an invalidation arrives answers those who asked before it, and is then thrown away; who asks
 *   after it starts a load of its own.
 * - After a gap of the doorbell all that is held is forgotten, since any of it may have been invalidated.
 * - A process that is cut off from the doorbell serves what it holds for `ttlMs` at most.
 */
import { LRUCache } from 'lru-cache';
import type { Log } from '#kernel';
import type { CacheOptions, Doorbell, TwoLevelCache } from '../../engines.ts';
import type { SharedLevel } from './shared-level.ts';

export interface CacheParts {
  readonly doorbell: Doorbell;
  readonly shared: SharedLevel | null;
  readonly log: Log;
  readonly random: () => number;
  readonly elapsedMs: () => number;
}

interface Fetched<Value> {
  /** null: it is not there. */
  readonly value: Value | null;
  readonly outcome: 'hit' | 'miss' | 'negative';
  /** How long it may be held here. */
  readonly ttlMs: number;
}

interface Load<Value> {
  readonly result: Promise<Fetched<Value>>;
  /** Set by an invalidation: the result may be given to those who wait, but not kept. */
  isVoid: boolean;
}

const defaultMaxAbsences = 5_000;

/** Entries made together should not end together. */
const jitterShare = 0.1;

export function createTwoLevelCache<Value>(options: CacheOptions<Value>, parts: CacheParts): TwoLevelCache<Value> {
  const { doorbell, random } = parts;
  const topic = `cache:${options.name}`;
  // A start of zero means "lives for ever" to lru-cache, and a clock may begin there.
  const timed = { ttlResolution: 0, perf: { now: () => parts.elapsedMs() + 1 } };
  const held = new LRUCache<string, { readonly value: Value }>({
    ...{ max: options.maxEntries, ttl: options.ttlMs },
    ...timed,
  });
  const absent = new LRUCache<string, true>({
    max: options.maxAbsences ?? Math.min(options.maxEntries, defaultMaxAbsences),
    ttl: options.negativeTtlMs,
    ...timed,
  });
  const loads = new Map<string, Load<Value>>();
  const shared = options.codec && parts.shared ? { level: parts.shared, codec: options.codec } : null;
  const listening = listenForInvalidations();

  async function listenForInvalidations(): Promise<void> {
    doorbell.onGap(forgetAll);
    await doorbell.listen(topic, ({ key }) => {
      if (typeof key !== 'string') return;
      void shared?.level.drop(key);
      forget(key);
    });
  }

  function forget(key: string): void {
    held.delete(key);
    absent.delete(key);
    const load = loads.get(key);
    if (load) load.isVoid = true;
    loads.delete(key);
  }

  function forgetAll(): void {
    held.clear();
    absent.clear();
    for (const load of loads.values()) load.isVoid = true;
    loads.clear();
  }

  function startLoad(key: string): Load<Value> {
    const load: Load<Value> = { isVoid: false, result: fetchThrough(key, shared, options, random) };
    loads.set(key, load);
    load.result.then(
      ({ value, ttlMs }) => {
        if (load.isVoid) return;
        loads.delete(key);
        if (value === null) absent.set(key, true, { ttl: ttlMs });
        else held.set(key, { value }, { ttl: ttlMs });
      },
      () => {
        // The failure goes to those who wait for `result`; here it only must not be cached.
        if (!load.isVoid) loads.delete(key);
      },
    );
    return load;
  }

  const peek = (key: string): Value | null | undefined => held.get(key)?.value ?? (absent.get(key) ? null : undefined);

  return {
    async get(key) {
      await listening;
      const known = peek(key);
      if (known !== undefined) return { value: known, outcome: known === null ? 'negative' : 'hit' };
      const { value, outcome } = await (loads.get(key) ?? startLoad(key)).result;
      return { value, outcome };
    },
    peek,
    async invalidate(key) {
      forget(key);
      await shared?.level.drop(key);
      await doorbell.ring(topic, { key });
    },
  };
}

type Shared<Value> = { readonly level: SharedLevel; readonly codec: NonNullable<CacheOptions<Value>['codec']> };

/** The shared level, else the loader, whose answer then goes to the shared level. */
async function fetchThrough<Value>(
  key: string,
  shared: Shared<Value> | null,
  options: CacheOptions<Value>,
  random: () => number,
): Promise<Fetched<Value>> {
  const look = await shared?.level.look(key);
  if (shared && look?.kind === 'found') {
    const entry = decodeShared(look.value, shared.codec);
    const ttlMs = Math.max(1, look.remainingMs);
    if (entry) return { value: entry.value, outcome: entry.value === null ? 'negative' : 'hit', ttlMs };
  }
  const value = await options.load(key);
  const ttlMs = jittered(value === null ? options.negativeTtlMs : options.ttlMs, random);
  if (shared && look?.kind === 'absent') {
    await shared.level.put(
      key,
      look.ticket,
      value === null ? absentMark : valueMark + shared.codec.encode(value),
      ttlMs,
    );
  }
  return { value, outcome: 'miss', ttlMs };
}

const absentMark = '-';
const valueMark = '+';

/** null: written by another version of the code, so it counts as not there. */
function decodeShared<Value>(text: string, codec: Shared<Value>['codec']): { readonly value: Value | null } | null {
  if (text === absentMark) return { value: null };
  if (!text.startsWith(valueMark)) return null;
  try {
    return { value: codec.decode(text.slice(valueMark.length)) };
  } catch {
    // The next version's value during a rolling update; what we load replaces it when it ends.
    return null;
  }
}

function jittered(ttlMs: number, random: () => number): number {
  return Math.max(1, Math.round(ttlMs * (1 - jitterShare * random())));
}
