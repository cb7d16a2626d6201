/** Posts a canary to this process's own listener, as its provider would. */
import type { SignedRequest } from '#accounts';

// Not by its name: see `compose/listener.ts`.
const { request } = process.getBuiltinModule('node:http');

/** As long as a provider would wait. */
const answerTimeoutMs = 10_000;

/** The status of the answer. Rejects when there is none. */
export function postCanary(url: string, { headers, body }: SignedRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const sending = request(url, { method: 'POST', headers, signal, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    });
    sending.once('error', reject);
    sending.end(body);
  });
}
