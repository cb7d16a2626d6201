/** What a conversation remembers between turns. Each part is read by its owner, who bears with another shape. */
import { z } from 'zod';

const rateSchema = z.object({
  /** When the current minute began; milliseconds since 1970. */
  startedAt: z.number(),
  answers: z.number(),
  isTold: z.boolean(),
});

export type RateState = z.infer<typeof rateSchema>;

/** `flow` belongs to flows, `rate` to the rate middleware; a team's own middleware may keep a part under its own name. */
export type Session = Readonly<Record<string, unknown>>;

export function parseRateState(value: unknown): RateState | null {
  const parsed = rateSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}
