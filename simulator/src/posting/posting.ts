/** One webhook to post, and what came of it. */
import type { SimNumber } from '../world/number.ts';
import type { GraphBody } from './graph-body.ts';

export interface Posting {
  readonly number: SimNumber;
  readonly url: string;
  readonly operation: 'message' | 'receipt' | 'account' | 'echo';
  /** Message type, status, or event name: for the ledger. */
  readonly what: string;
  readonly customer: string;
  readonly messageId: string;
  readonly correlation?: string;
  readonly contentType: string;
  /** Bytes, or a Graph body that may still be merged with others. */
  readonly body: Buffer | GraphBody;
  /** Where several go in one POST: each of them as it was. */
  readonly parts?: readonly Posting[];
  /** Headers beside the content type; called anew for each try, since some signatures hold the time. */
  headers(body: Buffer, nowMs: number): Readonly<Record<string, string>>;
  /** Hears the answer of the first try. */
  settled?(answer: PostAnswer): void;
}

export interface PostAnswer {
  /** Null where no answer came. */
  readonly status: number | null;
  readonly body: string;
  readonly contentType: string;
  /** Why there was no answer: `ECONNREFUSED`, `UND_ERR_HEADERS_TIMEOUT`. */
  readonly error: string | null;
  readonly milliseconds: number;
}

export function isSuccess(answer: PostAnswer): boolean {
  return answer.status !== null && answer.status >= 200 && answer.status < 300;
}
