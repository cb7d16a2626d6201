/**
 * The stream of what changed. It carries ids only; what is shown is read anew, at most once in `gatherMs` however
 * much changes. After `reset` (a gap) everything is read anew.
 */
import { type LiveEvent, liveEventSchema } from '@switchyard/contract';
import { ref } from 'vue';
import { queryClient } from './query-client.ts';

export type Connection = 'connecting' | 'live' | 'reconnecting';
export const gatherMs = 250;

const keysOf = {
  delivery: ['deliveries', 'delivery'],
  conversation: ['conversations', 'conversation', 'messages'],
  message: ['messages', 'conversations', 'delivery'],
  account: ['accounts', 'pairing'],
  incident: ['alarms', 'numbers'],
} as const satisfies Record<LiveEvent['topic'], readonly string[]>;

export const connection = ref<Connection>('connecting');

/** While true, the list of deliveries stands still; what came meanwhile is counted. */
export const isPaused = ref(false);
export const changesWhilePaused = ref(0);

let source: EventSource | null = null;
let isReading = false;
const waiting = new Set<string>();

export function openLive(workspace: string): void {
  closeLive();
  connection.value = 'connecting';
  source = new EventSource(`/api/v1/events?workspace=${encodeURIComponent(workspace)}`);
  source.addEventListener('open', () => {
    if (connection.value === 'reconnecting') readAllAgain();
    connection.value = 'live';
  });
  source.addEventListener('error', () => recover(workspace));
  source.addEventListener('change', (event) => gather(event.data));
  source.addEventListener('reset', readAllAgain);
}

export function closeLive(): void {
  source?.close();
  source = null;
}

const reopenMs = 5_000;

/** A browser comes back by itself after a cut, but not after an answer other than 200: then we do. */
function recover(workspace: string): void {
  connection.value = 'reconnecting';
  const lost = source;
  if (lost?.readyState !== EventSource.CLOSED) return;
  setTimeout(() => {
    if (source !== lost) return;
    openLive(workspace);
    connection.value = 'reconnecting';
  }, reopenMs);
}

function gather(text: string): void {
  const event = liveEventSchema.safeParse(JSON.parse(text));
  if (!event.success) return;
  if (event.data.topic === 'delivery' && isPaused.value) changesWhilePaused.value += 1;
  for (const key of keysOf[event.data.topic]) waiting.add(key);
  if (!isReading) void readAgain();
}

/** One reading at a time, so that a busy stream cannot starve the answers. */
async function readAgain(): Promise<void> {
  isReading = true;
  while (waiting.size > 0) {
    await new Promise((resolve) => setTimeout(resolve, gatherMs));
    const keys = [...waiting].filter((key) => !(key === 'deliveries' && isPaused.value));
    waiting.clear();
    await Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
  }
  isReading = false;
}

function readAllAgain(): void {
  void queryClient.invalidateQueries({
    predicate: ({ queryKey }) => !(queryKey[0] === 'deliveries' && isPaused.value),
  });
}

export function resume(): void {
  isPaused.value = false;
  changesWhilePaused.value = 0;
  void queryClient.invalidateQueries({ queryKey: ['deliveries'] });
}
