/**
 * How fast messages may leave, as data: a new limit is a row here.
 *
 * `account`: so many messages a window for one account and class of lanes, counted across processes; the number is the
 * channel's own (`messagesPerSecond`, or the account's setting of that name) times `share`. Bulk has a share below one
 * and a count of its own, so that a campaign never stands in the way of a reply. Where it comes to less than one message a
 * window, the window is as long as one message takes.
 * `pair`: so many messages a window from one account to one customer, counted by the conversation's own ordinals.
 */
import type { Provider } from '@switchyard/contract';
import type { Lane } from '../outbox.ts';

export type LaneClass = 'live' | 'bulk';

export type Limit =
  | {
      readonly name: string;
      readonly scope: 'account';
      readonly lanes: LaneClass;
      readonly share: number;
      readonly windowMs: number;
    }
  | {
      readonly name: string;
      readonly scope: 'pair';
      readonly provider: Provider;
      readonly messages: number;
      readonly windowMs: number;
    };

export const limits = [
  { name: 'account-live', scope: 'account', lanes: 'live', share: 1, windowMs: 1_000 },
  { name: 'account-bulk', scope: 'account', lanes: 'bulk', share: 0.75, windowMs: 1_000 },
  // Cloud API, "pair rate limit": one message in 6 s to one user; a burst of 45 is lent and has to be waited out.
  { name: 'meta-pair', scope: 'pair', provider: 'meta', messages: 45, windowMs: 45 * 6_000 },
] as const satisfies readonly Limit[];

/** In the order in which lanes are served. */
export const lanes = ['reply', 'receipt', 'reminder', 'backlog', 'campaign'] as const satisfies readonly Lane[];

const bulkLanes: readonly Lane[] = ['backlog', 'campaign'];

export function laneClass(lane: Lane): LaneClass {
  return bulkLanes.includes(lane) ? 'bulk' : 'live';
}
