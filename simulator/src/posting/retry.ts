/**
 * When a provider posts a webhook again. Times are the provider's own (in real milliseconds) and are shortened by
 * the simulator's `retryTimeScale`; the number of tries is bounded.
 */
import type { Random } from '../world/random.ts';
import { isSuccess, type PostAnswer, type Posting } from './posting.ts';

/** Meta: at once, then less and less often, for days (providers.md 1.6); here nine tries after the first. */
const META_DELAYS_MS = [1_000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 86_400_000, 172_800_000];
const EVOLUTION_TRIES = 10;
const EVOLUTION_FINAL = new Set([400, 401, 403, 404, 422]);
const EVOLUTION_FIRST_MS = 5_000;
const EVOLUTION_CAP_MS = 300_000;
const COMPANION_TRIES = 15;
const COMPANION_DELAY_MS = 2_000;

/** How long the next try waits, or null when there is none. `attempt` is the one that just ended, from 1. */
export function retryDelayMs(posting: Posting, attempt: number, answer: PostAnswer, random: Random): number | null {
  switch (posting.number.provider) {
    case 'meta':
    case 'instagram':
      return answer.status === 200 ? null : (META_DELAYS_MS[attempt - 1] ?? null);
    case 'twilio':
      return twilioDelayMs(posting.url, attempt, answer);
    case 'evolution':
      return posting.number.version === 'v1' ? null : evolutionDelayMs(attempt, answer, random);
    case 'webjs':
      return isSuccess(answer) || attempt >= COMPANION_TRIES ? null : COMPANION_DELAY_MS;
    default: {
      const never: never = posting.number.provider;
      return never;
    }
  }
}

/** Milliseconds to wait for an answer: Twilio 15 s in all, Evolution 30 s; Meta publishes none. */
export function answerTimeoutMs(posting: Posting): number {
  switch (posting.number.provider) {
    case 'twilio':
      return 15_000;
    case 'evolution':
      return 30_000;
    default:
      return 20_000;
  }
}

/** One more try, and only when the connection failed; `#rc=5&rp=all` in the configured URL changes both. */
function twilioDelayMs(url: string, attempt: number, answer: PostAnswer): number | null {
  if (isSuccess(answer)) return null;
  const overrides = new URLSearchParams(url.split('#')[1] ?? '');
  const tries = Math.min(5, Number(overrides.get('rc') ?? 1));
  if (attempt > tries) return null;
  return isTwilioRetried(answer, (overrides.get('rp') ?? 'ct').split(',')) ? 0 : null;
}

function isTwilioRetried(answer: PostAnswer, policies: readonly string[]): boolean {
  if (policies.includes('all')) return true;
  if (answer.status === null) {
    const isReadTimeout = answer.error === 'UND_ERR_HEADERS_TIMEOUT' || answer.error === 'UND_ERR_BODY_TIMEOUT';
    return policies.includes(isReadTimeout ? 'rt' : 'ct');
  }
  return policies.includes(answer.status >= 500 ? '5xx' : '4xx');
}

function evolutionDelayMs(attempt: number, answer: PostAnswer, random: Random): number | null {
  if (isSuccess(answer) || attempt >= EVOLUTION_TRIES) return null;
  if (answer.status !== null && EVOLUTION_FINAL.has(answer.status)) return null;
  const delay = Math.min(EVOLUTION_CAP_MS, EVOLUTION_FIRST_MS * 2 ** (attempt - 1));
  return delay * (0.8 + 0.4 * random.next());
}
