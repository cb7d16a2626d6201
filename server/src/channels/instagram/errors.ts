/**
 * What the codes of Instagram's and Messenger's send API mean (Meta, "Messenger platform: error codes"). Every row is a
 * certain no (but for a breakdown under HTTP 500: `judgeFailedAnswer`); an error may come inside an HTTP 200.
 */
import type { ErrorRow } from '../graph/index.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

export const instagramErrors: readonly ErrorRow[] = [
  // 10 is a missing permission, unless a subcode says that the 24 hours are over.
  { codes: [10], subcodes: [2018278, 2534022], advice: { failure: 'window-closed', retry: 'never' } },
  { codes: [3, 10], advice: { failure: 'permission-missing', retry: 'never' } },
  { range: [200, 299], advice: { failure: 'permission-missing', retry: 'never' } },
  { codes: [0, 190], advice: { failure: 'token-invalid', retry: 'never' } },
  { codes: [1], advice: { failure: 'provider-error', retry: 'later', waitMs: 5 * secondMs } },
  { codes: [2], advice: { failure: 'provider-unavailable', retry: 'later' } },
  { codes: [4, 17, 32], advice: { failure: 'app-rate-limited', retry: 'later', waitMs: 5 * minuteMs } },
  { codes: [613], advice: { failure: 'rate-limited', retry: 'later', waitMs: minuteMs } },
  // 2534014: the person is not to be found any more.
  { codes: [100], subcodes: [2018001, 2534014], advice: { failure: 'recipient-unreachable', retry: 'never' } },
  { codes: [33, 100], advice: { failure: 'request-invalid', retry: 'never' } },
  { codes: [551], advice: { failure: 'recipient-unreachable', retry: 'never' } },
  { codes: [368], advice: { failure: 'account-blocked', retry: 'never' } },
  { range: [36000, 36999], advice: { failure: 'media-not-usable', retry: 'never' } },
];
