/** What the load generator is told, and what it tells: plain values, since they travel between processes. */

export interface LoadTarget {
  readonly path: string;
  readonly appSecret: string;
  readonly phoneNumberId: string;
  readonly displayNumber: string;
  readonly wabaId: string;
  readonly canary: string;
}

export interface LoadOrder {
  readonly targets: readonly LoadTarget[];
  /** Writes to this one alone; left out: to all of them in turn. */
  readonly onlyTarget?: number;
  /** Ports of the gateways; a failed try goes to the next one, as behind a balancer. */
  readonly ports: readonly number[];
  readonly conversations: number;
  /** Messages to send; null: until told to stop. */
  readonly total: number | null;
  readonly ratePerSecond: number;
  readonly seed: number;
  /** Share of messages whose acknowledged request is posted once more. */
  readonly duplicateShare: number;
  /** Share of messages that a reaction to them comes before. */
  readonly earlyShare: number;
  /** Where each acknowledged webhook is noted, a line of JSON each. */
  readonly logFile: string;
}

/** A webhook that was answered 200. */
export interface Acked {
  readonly id: string;
  /** `other`: it is asked only whether it lies in the inbox, byte for byte. */
  readonly kind: 'message' | 'reaction' | 'other';
  /** Index into the targets. */
  readonly target: number;
  readonly from: string;
  /** The conversation's own counter, from 1. */
  readonly n: number;
  /** SHA-256 of the body, in hex. */
  readonly sha: string;
  readonly firstMs: number;
  readonly ackedMs: number;
  readonly tries: number;
  /** The gateway that answered. */
  readonly port: number;
}

export interface LoadProgress {
  readonly kind: 'progress' | 'done';
  /** Webhooks made; repeats of the same request do not count. */
  readonly sent: number;
  readonly acked: number;
  /** Requests that were not answered 200, by answer. */
  readonly failures: Readonly<Record<string, number>>;
  /** Answers of the kind that makes a provider give up. Any is a broken promise here. */
  readonly refused: number;
  /** Copies posted after the acknowledgement. */
  readonly repeats: number;
  /** When each gateway was last posted to, by its port. */
  readonly lastAskedMs: Readonly<Record<number, number>>;
  readonly p99Ms: number;
}

export type ToGenerator =
  | { readonly kind: 'start'; readonly order: LoadOrder }
  /** No more messages than these are begun until another word comes; null: no such bound. */
  | { readonly kind: 'bound'; readonly messages: number | null }
  | { readonly kind: 'stop' };
