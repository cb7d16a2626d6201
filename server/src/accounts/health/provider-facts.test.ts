import { describe, expect, it } from 'vitest';
import { nameOfFact, readProviderFacts } from './provider-facts.ts';

const kept = (name: string, facts: object) => ({ [nameOfFact(name, facts as never)]: { at: null, name, facts } });

describe('what a provider told', () => {
  it.each([
    ['nothing', {}, { quality: null, restriction: null, dailyLimit: null }],
    [
      'a flag',
      kept('phone_number_quality_update', { event: 'FLAGGED', current_limit: 'TIER_1K' }),
      { quality: 'flagged', dailyLimit: 1_000 },
    ],
    [
      'that the flag is gone',
      kept('phone_number_quality_update', { event: 'UNFLAGGED', current_limit: 'TIER_250' }),
      { quality: 'good', dailyLimit: 250 },
    ],
    [
      'a limit',
      kept('business_capability_update', { max_daily_conversations_per_business: 2_000 }),
      { dailyLimit: 2_000 },
    ],
    [
      'no limit',
      kept('phone_number_quality_update', { event: 'THROUGHPUT_UPGRADE', current_limit: 'TIER_UNLIMITED' }),
      { dailyLimit: null, quality: null },
    ],
    [
      'a ban',
      kept('account_update', { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'DISABLE' } }),
      { restriction: { what: 'DISABLE', endsAt: null } },
    ],
    [
      'that the ban is over',
      kept('account_update', { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'REINSTATE' } }),
      { restriction: null },
    ],
    [
      'a restriction with its end',
      kept('account_update', {
        event: 'ACCOUNT_RESTRICTION',
        restriction_info: [{ restriction_type: 'R', expiration: 1_750_000_000 }],
      }),
      { restriction: { what: 'R', endsAt: new Date(1_750_000_000_000) } },
    ],
    ['nonsense', { account_restriction: 'x', quality_rating: { facts: [1] } }, { quality: null, restriction: null }],
  ])('is read of %s', (_name, metadata, told) => {
    expect(readProviderFacts(metadata)).toMatchObject(told);
  });

  it('is not forgotten for lesser news of the same name', () => {
    const metadata = {
      ...kept('account_update', { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'ALCOHOL' } }),
      ...kept('account_update', { event: 'PARTNER_ADDED' }),
    };
    expect(readProviderFacts(metadata).restriction).toEqual({ what: 'ALCOHOL', endsAt: null });
  });
});
