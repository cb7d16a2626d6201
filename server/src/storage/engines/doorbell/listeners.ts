/** Who listens to what in this process. One listener that throws is logged and does not silence the others. */
import { assert, type Log } from '#kernel';

export type RingPayload = Readonly<Record<string, string | number | null>>;
export type Heard = (payload: RingPayload) => void;

/** NOTIFY carries 7,999 bytes at most; half of it leaves room and keeps rings what they are, ids only. */
export const maxRingBytes = 4_000;
/** Rings on this topic mean: some were lost. No other use of it. */
export const gapTopic = 'gap';
const topicForm = /^[a-z][a-z0-9_.:-]{0,47}$/;

export interface Listeners {
  add(topic: string, heard: Heard): void;
  /** True when nobody listens to the topic any more. */
  remove(topic: string, heard: Heard): boolean;
  readonly topics: readonly string[];
  onGap(heard: () => void): () => void;
  gap(): void;
  /** `payload` as it came over the wire. */
  dispatch(topic: string, payload: string): void;
}

export function createListeners(log: Log): Listeners {
  const byTopic = new Map<string, Set<Heard>>();
  const gapHeard = new Set<() => void>();

  function call(topic: string, heard: () => void): void {
    try {
      heard();
    } catch (error) {
      log.error({ topic, err: error }, 'a listener of the doorbell failed');
    }
  }

  function gap(): void {
    for (const heard of gapHeard) call(gapTopic, heard);
  }

  return {
    add(topic, heard) {
      checkTopic(topic);
      byTopic.set(topic, (byTopic.get(topic) ?? new Set()).add(heard));
    },
    remove(topic, heard) {
      const those = byTopic.get(topic);
      those?.delete(heard);
      if (those && those.size > 0) return false;
      byTopic.delete(topic);
      return true;
    },
    get topics() {
      return [gapTopic, ...byTopic.keys()];
    },
    onGap(heard) {
      gapHeard.add(heard);
      return () => gapHeard.delete(heard);
    },
    gap,
    dispatch(topic, text) {
      if (topic === gapTopic) return gap();
      const payload = parseRing(text);
      if (!payload) return log.warn({ topic, bytes: text.length }, 'a ring of an unknown form was left out');
      for (const heard of byTopic.get(topic) ?? []) call(topic, () => heard(payload));
    },
  };
}

/** The ring as it goes over the wire; throws where the caller broke the door's rules. */
export function printRing(topic: string, payload: RingPayload): { readonly topic: string; readonly payload: string } {
  checkTopic(topic);
  const text = JSON.stringify(payload);
  assert(Buffer.byteLength(text) <= maxRingBytes, `a ring is at most ${maxRingBytes} bytes (topic ${topic})`);
  return { topic, payload: text };
}

function checkTopic(topic: string): void {
  assert(topicForm.test(topic) && topic !== gapTopic, `a topic is 1 to 48 lower-case letters, digits and _.:-`);
}

function parseRing(text: string): RingPayload | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RingPayload) : null;
  } catch {
    // Others may use the same database; what is not ours is reported by the caller.
    return null;
  }
}
