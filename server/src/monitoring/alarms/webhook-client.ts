/** The network under alarm webhooks. */
import { callProvider, defaultSendTimeouts, isForbiddenLiteral, parseOutgoingUrl, type Reach } from '#channels';
import type { CallOut } from './tellers.ts';

/** Calls only where `reach` allows: it is tenants who choose the addresses. */
export function createCallOut(reach: Reach): CallOut {
  return {
    /** A name is judged when it is dialled, by the addresses it leads to then. */
    async check(text) {
      const url = parseOutgoingUrl(text);
      if (!url) return 'It is no http or https address.';
      return isForbiddenLiteral(url, reach) ? 'This address may not be called from here.' : null;
    },
    async post(text, headers, body, timeoutMs) {
      const { origin, pathname, search } = new URL(text);
      const timeouts = { ...defaultSendTimeouts, totalMs: timeoutMs };
      const answer = await callProvider(
        {
          method: 'POST',
          path: `${pathname}${search}`,
          headers: { 'content-type': 'application/json', 'user-agent': 'switchyard', ...headers },
          body,
        },
        { baseUrl: origin, reach, timeouts, signal: AbortSignal.timeout(timeoutMs) },
      );
      if (answer.kind !== 'answered') throw new Error(answer.failure.detail);
      return answer.status;
    },
  };
}
