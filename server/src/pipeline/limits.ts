/** The pipeline's limits, by name. */
export interface PipelineLimits {
  /** A message older than this when its turn comes goes to history without an answer: a backlog is not a conversation. */
  readonly staleAfterMs: number;
  /** Turns in which the bot answers one contact, a minute. */
  readonly answersPerMinute: number;
  /** How long the bot keeps silent after a person typed on the phone itself. */
  readonly deviceTakeoverMs: number;
  /** How long the bot keeps silent after the fallback handed over to a person. */
  readonly fallbackHandoverMs: number;
}

export const defaultLimits: PipelineLimits = {
  staleAfterMs: 15 * 60_000,
  answersPerMinute: 12,
  deviceTakeoverMs: 60 * 60_000,
  fallbackHandoverMs: 12 * 60 * 60_000,
};
