/**
 * What makes an event of Instagram one event, without the account: parts joined by `:`.
 *
 * A message, its deletion, each of its edits and each reaction to it differ although all carry its mid; sent twice, each
 * equals itself. (A `mid` of Instagram holds no colon; an old one of a page holds one, before hex digits that are none of
 * our suffixes.) The key of `seen` is
 * the bare mid of a message of ours, which is the key of that message's echo too: keys are unique within a kind of event
 * (status, message), not across kinds.
 */
export const keys = {
  message: (mid: string) => mid,
  deleted: (mid: string) => `${mid}:deleted`,
  edit: (mid: string, edition: string) => `${mid}:${edition}`,
  reaction: (of: {
    readonly mid: string;
    readonly senderId: string;
    readonly action: string;
    readonly timestamp: string;
  }) => `${of.mid}:${of.senderId}:${of.action}:${of.timestamp}`,
  postback: (of: { readonly mid: string | undefined; readonly timestamp: string; readonly payload: string }) =>
    of.mid ?? `${of.timestamp}:${of.payload}`,
  referral: (senderId: string, timestamp: string) => `${senderId}:${timestamp}`,
  seen: (mid: string) => mid,
  delivered: (mid: string) => `${mid}:delivered`,
  comment: (id: string) => id,
} as const;
