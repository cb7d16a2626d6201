/** A provider that asks for more is not believed: its clock or its proxy is wrong. */
export const maxRetryAfterMs = 60 * 60 * 1_000;

/**
 * The wait that a `Retry-After` header asks for (RFC 9110: seconds or an HTTP date), between 0 and `maxRetryAfterMs`.
 * Undefined where there is none or it makes no sense.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return capped(Number(text) * 1_000);
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : capped(at - nowMs);
}

function capped(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), maxRetryAfterMs);
}
