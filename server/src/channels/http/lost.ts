/** Why no complete answer came, told by when it happened: before the request left, or after. */
import type { Failure } from '@switchyard/contract';
import { forbiddenCode } from './address/index.ts';

export type LostAnswer =
  /** No byte of the request left: surely not sent. */
  | { readonly kind: 'unreachable'; readonly failure: Failure }
  /** The request left, at least in part, and no complete answer came: it may have been taken. */
  | { readonly kind: 'uncertain'; readonly failure: Failure };

const before: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  ENOTFOUND: ['dns-failed', 'the name of the provider was not found'],
  EAI_AGAIN: ['dns-failed', 'the name of the provider could not be looked up'],
  ECONNREFUSED: ['connection-refused', 'the provider refused the connection'],
  UND_ERR_CONNECT_TIMEOUT: ['connect-timeout', 'no connection within the time allowed'],
  ETIMEDOUT: ['connect-timeout', 'no connection within the time allowed'],
};

const after: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  UND_ERR_HEADERS_TIMEOUT: ['headers-timeout', 'the answer did not begin within the time allowed'],
  UND_ERR_BODY_TIMEOUT: ['body-timeout', 'the answer stopped half-way'],
  UND_ERR_HEADERS_OVERFLOW: ['answer-too-big', 'the headers of the answer are too big'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['answer-truncated', 'the answer is shorter than it said'],
  UND_ERR_SOCKET: ['connection-lost', 'the connection ended before the answer was complete'],
  ECONNRESET: ['connection-lost', 'the connection was reset before the answer was complete'],
  EPIPE: ['connection-lost', 'the connection ended before the answer was complete'],
};

/** For an error that came before the first byte of the request was written. */
export function unreachableBefore(error: unknown): LostAnswer {
  if (codeOf(error) === 'UND_ERR_INVALID_ARG') return malformed();
  if (codeOf(error) === forbiddenCode) return addressForbidden;
  const [code, detail] = before[codeOf(error)] ?? whyNotConnected(error);
  return { kind: 'unreachable', failure: { code, detail, retry: { kind: 'later' }, isCertain: true } };
}

/** For an error that came once the request was on its way. */
export function uncertainAfter(error: unknown): LostAnswer {
  const [code, detail] = after[codeOf(error)] ?? ['answer-lost', 'no complete answer came'];
  return { kind: 'uncertain', failure: { code, detail, retry: { kind: 'never' }, isCertain: false } };
}

/** Nothing was dialled. Which address it was is not told. */
export const addressForbidden: LostAnswer = {
  kind: 'unreachable',
  failure: {
    code: 'address-forbidden',
    detail: 'the URL leads to an address that this server may not call (its operator can allow it: OUTBOUND_ALLOWED)',
    retry: { kind: 'never' },
    isCertain: true,
  },
};

/** A credential with a line break, say. The words of the error may name it, so they are not passed on. */
function malformed(): LostAnswer {
  const detail = 'the path or a header of the request cannot be sent over HTTP';
  return {
    kind: 'unreachable',
    failure: { code: 'request-malformed', detail, retry: { kind: 'never' }, isCertain: true },
  };
}

function whyNotConnected(error: unknown): readonly [string, string] {
  const code = codeOf(error);
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY|EPROTO/.test(code)) {
    return ['tls-failed', `the secure connection failed (${code})`];
  }
  return ['unreachable', code === '' ? 'no connection to the provider' : `no connection to the provider (${code})`];
}

/** Node gathers the failures of several addresses in an AggregateError, whose own code is the first one's. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
