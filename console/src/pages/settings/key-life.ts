/** How long a new key is to work. */
export const keyLives = ['month', 'quarter', 'year', 'day', 'ever'] as const;
export type KeyLife = (typeof keyLives)[number];

const dayMs = 86_400_000;
const days = { month: 30, quarter: 90, year: 365 } as const;

/** The instant of its end; null: none; `past`: of a chosen day that is over, or of none chosen. A day counts to its end, by this browser's calendar. */
export function expiryOf(life: KeyLife, day: string, now: Date): string | null | 'past' {
  if (life === 'ever') return null;
  if (life !== 'day') return new Date(now.getTime() + days[life] * dayMs).toISOString();
  const end = new Date(`${day}T23:59:59.999`);
  return end > now ? end.toISOString() : 'past';
}
