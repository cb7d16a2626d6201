/** Each signal of an account's health: what it looks at, how much it weighs, what to do. Pure; a table of small rules. */
import { isPaired } from '@switchyard/contract';
import { type HealthFacts, type HealthSignal, healthLimits, pointsOf, type SignalKind } from './health-facts.ts';

type Found = Omit<HealthSignal, 'kind' | 'points'> & { readonly points?: number };
type Rule = (facts: HealthFacts, now: Date) => Found | null;

/** Null: nothing is known, or it does not apply. */
const rules: Readonly<Record<SignalKind, Rule>> = {
  connection: connectionSignal,
  activity: activitySignal,
  failures: failuresSignal,
  restriction: restrictionSignal,
  quality: qualitySignal,
  quota: quotaSignal,
  errors: errorsSignal,
  reconnects: reconnectsSignal,
  secrets: secretsSignal,
  webhooks: webhooksSignal,
  lag: lagSignal,
  silence: silenceSignal,
};

export function healthSignals(facts: HealthFacts, now: Date): readonly HealthSignal[] {
  return (Object.keys(rules) as SignalKind[]).flatMap((kind) => {
    const found = rules[kind](facts, now);
    return found ? [{ kind, points: 0, ...found }] : [];
  });
}

const limits = {
  failedShare: 0.05,
  leastSends: 20,
  reconnectsNoticed: 3,
  reconnectsLoop: 10,
  lagNoticedMs: 60_000,
  lagBadMs: 600_000,
  silentMs: 24 * 60 * 60 * 1_000,
  oldSecretMs: 365 * 24 * 60 * 60 * 1_000,
  quotaLowShare: 0.1,
} as const;

const dayMs = 24 * 60 * 60 * 1_000;

function good(code: string, detail: string, facts: Found['facts'] = {}): Found {
  return { level: 'good', weight: 0, code, detail, nextStep: null, facts };
}

function connectionSignal(facts: HealthFacts, now: Date): Found {
  const { status, statusReason: reason } = facts;
  if (status === 'connected') return good('connected', 'The account is connected.');
  const { connection: points } = pointsOf(facts, now);
  const told = { facts: { status, reason }, points, weight: 50 };
  if (status === 'error') {
    const nextStep = 'Mend the reason, then connect the account again.';
    return { ...told, level: 'critical', code: 'connection-error', detail: 'The connection has failed.', nextStep };
  }
  if (status === 'disconnected') {
    const detail = 'The account is not connected.';
    return { ...told, level: 'critical', code: 'disconnected', detail, nextStep: 'Connect the account again.' };
  }
  const pairs = isPaired(facts.provider);
  return {
    ...told,
    level: 'warning',
    code: pairs ? 'waits-for-phone' : 'waits-for-webhook',
    detail: pairs ? 'A phone has to be linked.' : 'No authentic webhook has come yet.',
    nextStep: pairs ? 'Scan the QR code with the phone.' : 'Set the webhook at the provider, then write to the number.',
  };
}

function activitySignal(facts: HealthFacts, now: Date): Found {
  const { activity: points } = pointsOf(facts, now);
  const lastAt = facts.lastActivityAt?.toISOString() ?? null;
  if (points === 0) return good('active', 'Something has happened in the last hour.', { lastAt });
  const detail = 'Nothing has happened for more than an hour.';
  const nextStep = 'Write to the number from a phone and see whether it arrives.';
  return { level: 'notice', weight: 20, points, code: 'quiet', detail, nextStep, facts: { lastAt } };
}

function failuresSignal(facts: HealthFacts, now: Date): Found {
  const { failures: points } = pointsOf(facts, now);
  const count = facts.recentFailures;
  if (points === 0) return good('no-failures', 'No message has failed in the last hour.');
  const detail = `${count} messages have failed in the last hour.`;
  const nextStep = 'Look at the codes of the errors, and at the provider’s status page.';
  const level = points >= 30 ? 'critical' : 'warning';
  return { level, weight: points, points, code: 'recent-failures', detail, nextStep, facts: { count } };
}

function restrictionSignal({ told }: HealthFacts, now: Date): Found | null {
  const { restriction } = told;
  if (!restriction || (restriction.endsAt && restriction.endsAt <= now)) return null;
  const detail = `The provider has restricted the account: ${restriction.what}.`;
  const nextStep = 'Read the reason in the provider’s panel, mend it, and ask for a review.';
  const facts = { what: restriction.what, endsAt: restriction.endsAt?.toISOString() ?? null };
  return { level: 'critical', weight: 90, code: 'restricted', detail, nextStep, facts };
}

function qualitySignal({ told }: HealthFacts): Found | null {
  if (told.quality === null) return null;
  if (told.quality === 'good') return good('quality-good', 'The provider rates the number well.');
  const detail = 'The provider has flagged the number for low quality.';
  const nextStep = 'Send less marketing, and only to people who asked for it, until the flag is gone.';
  return { level: 'warning', weight: 45, code: 'quality-flagged', detail, nextStep, facts: {} };
}

function quotaSignal({ told, day }: HealthFacts): Found | null {
  const { dailyLimit: limit } = told;
  if (limit === null) return null;
  const left = Math.max(0, limit - day.begun);
  const facts = { limit, used: day.begun, left };
  if (left > limit * limits.quotaLowShare) return good('quota-left', `${left} of ${limit} are left for today.`, facts);
  const code = left === 0 ? 'quota-used' : 'quota-low';
  const detail = `${left} of ${limit} customers may still be written to first in 24 hours.`;
  const nextStep = 'Hold campaigns back until tomorrow, or ask the provider for a higher limit.';
  const level = left === 0 ? 'critical' : 'warning';
  return { level, weight: left === 0 ? 60 : 30, code, detail, nextStep, facts };
}

function errorsSignal({ day }: HealthFacts): Found | null {
  const total = day.sent + day.failed;
  if (day.failed === 0 || total < limits.leastSends || day.failed / total < limits.failedShare) return null;
  const percent = Math.round((100 * day.failed) / total);
  const codes = day.errors.map(({ code, count }) => `${code} ×${count}`).join(', ');
  const detail = `${percent} % of a day’s messages have failed: ${codes}.`;
  const nextStep = 'Begin with the code that comes most often.';
  return { level: 'warning', weight: 35, code: 'error-mix', detail, nextStep, facts: { percent, codes } };
}

function reconnectsSignal({ day, provider }: HealthFacts): Found | null {
  const count = day.reconnects;
  if (count < limits.reconnectsNoticed) return null;
  const isLoop = count >= limits.reconnectsLoop;
  const detail = `The account has connected ${count} times in a day.`;
  const nextStep = isPaired(provider)
    ? 'See that the phone is on and online, and that no other program uses the same session.'
    : 'See whether somebody keeps disconnecting it.';
  const level = isLoop ? 'critical' : 'notice';
  const code = isLoop ? 'reconnect-loop' : 'reconnects';
  return { level, weight: isLoop ? 40 : 15, code, detail, nextStep, facts: { count } };
}

function secretsSignal({ secrets }: HealthFacts, now: Date): Found | null {
  const ends = secrets.flatMap(({ name, endsAt }) =>
    endsAt ? [{ name, leftMs: endsAt.getTime() - now.getTime(), endsAt }] : [],
  );
  const [next] = ends.toSorted((a, b) => a.leftMs - b.leftMs);
  if (next && next.leftMs <= healthLimits.endWarningMs) {
    const { name } = next;
    const facts = { name, endsAt: next.endsAt.toISOString(), days: Math.max(0, Math.floor(next.leftMs / dayMs)) };
    const nextStep = `Make a new ${name} at the provider and set it here.`;
    const hasEnded = next.leftMs <= 0;
    return hasEnded
      ? { level: 'critical', weight: 80, code: 'secret-ended', detail: `The ${name} has ended.`, nextStep, facts }
      : {
          level: 'warning',
          weight: 40,
          code: 'secret-ends',
          detail: `The ${name} ends in ${facts.days} days.`,
          nextStep,
          facts,
        };
  }
  const old = secrets.find(({ setAt }) => setAt && now.getTime() - setAt.getTime() > limits.oldSecretMs);
  if (!old?.setAt)
    return next ? good('secrets-hold', 'No secret ends soon.', { endsAt: next.endsAt.toISOString() }) : null;
  const days = Math.floor((now.getTime() - old.setAt.getTime()) / dayMs);
  const detail = `The ${old.name} was set ${days} days ago.`;
  const nextStep = 'Set a new one when it suits you: secrets that stay for years get around.';
  return { level: 'notice', weight: 5, code: 'secret-old', detail, nextStep, facts: { name: old.name, days } };
}

function webhooksSignal({ webhooks }: HealthFacts): Found {
  const { status, error, missing } = webhooks;
  if (status === 'error') {
    const nextStep = 'Set the webhook at the provider anew, and compare the secret that signs it.';
    const detail = `Webhooks do not come in: ${error ?? 'the reason is not known'}.`;
    return { level: 'critical', weight: 60, code: 'webhook-error', detail, nextStep, facts: { error } };
  }
  if (status === 'inactive') {
    const nextStep = 'Set the webhook URL at the provider, then write to the number.';
    return {
      level: 'warning',
      weight: 40,
      code: 'webhook-inactive',
      detail: 'No authentic webhook has ever come.',
      nextStep,
      facts: {},
    };
  }
  if (missing.length === 0) return good('webhooks-come', 'Authentic webhooks come in.');
  const names = missing.join(', ');
  const nextStep = 'Subscribe to them at the provider, or take them off the wanted events.';
  return {
    level: 'warning',
    weight: 25,
    code: 'events-missing',
    detail: `The provider does not send: ${names}.`,
    nextStep,
    facts: { names },
  };
}

function lagSignal({ webhooks }: HealthFacts): Found | null {
  const { lagMs } = webhooks;
  if (lagMs === null) return null;
  const seconds = Math.round(lagMs / 1_000);
  if (lagMs < limits.lagNoticedMs) return good('on-time', 'Webhooks arrive on time.', { seconds });
  const isBad = lagMs >= limits.lagBadMs;
  const detail = `Webhooks arrive ${seconds} seconds after the event.`;
  const nextStep = 'Look at the provider’s status page; if it is quick there, see whether this server was unreachable.';
  return {
    level: isBad ? 'warning' : 'notice',
    weight: isBad ? 30 : 10,
    code: 'webhook-lag',
    detail,
    nextStep,
    facts: { seconds },
  };
}

/** Webhooks used to come, and have stopped, while we go on sending: the worst silence, since nobody complains. */
function silenceSignal({ webhooks, day, isActive }: HealthFacts, now: Date): Found | null {
  if (!isActive || webhooks.lastAt === null) return null;
  const silentMs = now.getTime() - webhooks.lastAt.getTime();
  if (silentMs < limits.silentMs) return null;
  const hours = Math.floor(silentMs / 3_600_000);
  const isSending = day.sent > 0;
  const detail = isSending
    ? `Messages go out, but no webhook has come for ${hours} hours: not even receipts.`
    : `No webhook has come for ${hours} hours.`;
  const nextStep = 'See whether the webhook is still set at the provider, and write to the number.';
  const code = isSending ? 'no-receipts' : 'silent';
  return {
    level: isSending ? 'critical' : 'notice',
    weight: isSending ? 55 : 15,
    code,
    detail,
    nextStep,
    facts: { hours },
  };
}
