/** What an account's health is judged by, and what is found. */
import type { Provider } from '@switchyard/contract';
import type { ConnectionStatus } from '../connection/connection.ts';
import type { ProviderFacts } from './provider-facts.ts';

export const healthLimits = {
  healthyScore: 70,
  quietAfterMs: 60 * 60 * 1_000,
  endWarningMs: 14 * 24 * 60 * 60 * 1_000,
} as const;

export interface HealthFacts {
  readonly provider: Provider;
  readonly isActive: boolean;
  readonly status: ConnectionStatus;
  readonly statusReason: string | null;
  readonly lastActivityAt: Date | null;
  /** Sends that failed in the last hour. */
  readonly recentFailures: number;
  /** Of the last 24 hours. */
  readonly day: {
    readonly sent: number;
    readonly failed: number;
    /** Conversations begun by a template. */
    readonly begun: number;
    readonly reconnects: number;
    readonly errors: readonly { readonly code: string; readonly count: number }[];
  };
  readonly webhooks: {
    readonly status: 'inactive' | 'active' | 'error';
    readonly error: string | null;
    readonly lastAt: Date | null;
    /** From happening to arriving, in the middle of the last hour; null: none came. */
    readonly lagMs: number | null;
    /** Wanted events that the provider does not send. */
    readonly missing: readonly string[];
  };
  readonly secrets: readonly { readonly name: string; readonly setAt: Date | null; readonly endsAt: Date | null }[];
  readonly told: ProviderFacts;
}

export const signalKinds = [
  'connection',
  'activity',
  'failures',
  'restriction',
  'quality',
  'quota',
  'errors',
  'reconnects',
  'secrets',
  'webhooks',
  'lag',
  'silence',
] as const;
export type SignalKind = (typeof signalKinds)[number];
export type SignalLevel = 'good' | 'notice' | 'warning' | 'critical';

export interface HealthSignal {
  readonly kind: SignalKind;
  readonly level: SignalLevel;
  readonly weight: number;
  readonly points: number;
  readonly facts: Readonly<Record<string, string | number | null>>;
  /** A stable word for what was found, which the console has in its own languages: `token-ends`. */
  readonly code: string;
  /** For people who read English: what was found, and what to do about it; null: nothing. */
  readonly detail: string;
  readonly nextStep: string | null;
}

export type ScoreFacts = Pick<HealthFacts, 'status' | 'lastActivityAt' | 'recentFailures'>;

/** An account of which nothing is known yet has not been quiet: nobody has waited for it. */
export function pointsOf(facts: ScoreFacts, now: Date) {
  const quietMs = facts.lastActivityAt === null ? 0 : now.getTime() - facts.lastActivityAt.getTime();
  return {
    connection: facts.status === 'connected' ? 0 : 50,
    activity: quietMs > healthLimits.quietAfterMs ? 20 : 0,
    failures: Math.min(Math.max(0, facts.recentFailures) * 10, 30),
  };
}
