/**
 * What Meta's codes mean for a send (Meta, "Cloud API: error codes"). Build on the code, never on the HTTP status or the
 * title: rate limits come as HTTP 400, and titles change. Every row is a certain no (but for a breakdown
 * under HTTP 500: `judgeFailedAnswer`); what differs is whether to ask again.
 */
import type { ErrorRow } from '../graph/index.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

const never = (failure: string, ...codes: readonly number[]): ErrorRow => ({
  codes,
  advice: { failure, retry: 'never' },
});
const later = (failure: string, waitMs: number | undefined, ...codes: readonly number[]): ErrorRow => ({
  codes,
  advice: waitMs === undefined ? { failure, retry: 'later' } : { failure, retry: 'later', waitMs },
});

export const metaErrors: readonly ErrorRow[] = [
  never('token-invalid', 0, 190),
  never('permission-missing', 3, 10, 131005),
  { range: [200, 299], advice: { failure: 'permission-missing', retry: 'never' } },
  // 1 is "unknown, possibly ours": 131000 the same of WhatsApp. A few tries are worth while.
  later('provider-error', 5 * secondMs, 1, 131000),
  later('provider-unavailable', undefined, 2, 131016, 133004),
  // Shared by all accounts of the app, or of the business account: minutes, up to an hour.
  later('app-rate-limited', 5 * minuteMs, 4, 80007),
  later('rate-limited', minuteMs, 613),
  // 80 messages a second for the number.
  later('throughput-limited', secondMs, 130429),
  // One message in 6 seconds to one person: Meta asks for 4^n seconds, for this pair only. 4^0 would come too early.
  later('pair-limited', 4 * secondMs, 131056),
  later('maintenance', minuteMs, 131057),
  never('request-invalid', 33, 100, 131008, 131009, 131021, 131051, 135000),
  never('account-blocked', 368, 131031),
  never('withheld', 130472),
  // Withheld to keep the person's engagement healthy: sooner than in a day it is withheld again.
  later('withheld', 24 * hourMs, 131049),
  never('country-not-allowed', 130497),
  never('recipient-unreachable', 131026),
  never('recipient-not-allowed', 131030),
  never('display-name-not-approved', 131037),
  never('payment-missing', 131042, 131044),
  never('number-not-registered', 131045, 133010),
  never('window-closed', 131047),
  // Hours or days, and only once people have stopped reporting: a person decides.
  never('spam-limited', 131048),
  never('marketing-stopped', 131050),
  never('media-not-downloadable', 131052),
  never('media-not-usable', 131053),
  never('recipient-needs-phone', 131062),
  never('marketing-disabled', 131063),
  never('portfolio-limited', 131064),
  never('template-parameters-wrong', 132000, 132008, 132012),
  never('template-missing', 132001),
  never('template-too-long', 132005),
  never('template-against-policy', 132007),
  never('template-paused', 132015),
  never('template-disabled', 132016),
  never('flow-blocked', 132068),
  later('flow-throttled', minuteMs, 132069),
  later('registration-limited', 5 * minuteMs, 133015),
  never('registration-failed', 133000, 133005, 133006, 133008, 133009, 133016),
  later('template-syncing', 10 * minuteMs, 134101),
];
