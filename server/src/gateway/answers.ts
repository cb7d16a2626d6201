import type { ServerResponse } from 'node:http';
import { gatewayLimits } from './limits.ts';

/** One HTTP answer, made once where it is always the same. Header names and values alternate. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

const twiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/** What the gateway says. 401 to 415 only for what is surely so; what could not be checked is a 503. */
export const answers = {
  /** Without headers of its own: Node adds the length of nothing. */
  stored: { status: 200, headers: [], body: '' },
  storedForTwilio: textAnswer(200, 'text/xml; charset=utf-8', twiml),
  notAChallenge: problem(400, 'not_a_challenge', 'This is not a webhook verification request.'),
  wrongSignature: problem(401, 'wrong_signature', 'The signature or secret of this request does not fit.'),
  wrongKey: problem(401, 'wrong_key', 'This needs a valid API key.', ['WWW-Authenticate', 'Bearer']),
  wrongVerifyToken: problem(403, 'wrong_verify_token', 'The verify token does not fit.'),
  keyMayNot: problem(403, 'scope_missing', 'This API key may not do this.'),
  /** The same for an unknown token, instance, provider or channel: names cannot be probed. */
  unknown: problem(404, 'unknown_webhook', 'There is no such webhook.'),
  wrongMethod: problem(405, 'wrong_method', 'This webhook takes POST, and GET to verify it.', [
    'Allow',
    'GET, HEAD, POST',
  ]),
  tooLarge: problem(413, 'body_too_large', `A body has at most ${gatewayLimits.maxBodyBytes} bytes.`, [
    'Connection',
    'close',
  ]),
  encoded: problem(415, 'body_encoded', 'Send the body without Content-Encoding.'),
  unavailable: problem(503, 'unavailable', 'The delivery could not be checked or stored. Try again.', [
    'Retry-After',
    String(gatewayLimits.retryAfterSeconds),
  ]),
} as const satisfies Record<string, Answer>;

export function textAnswer(status: number, type: string, body: string, more: readonly string[] = []): Answer {
  const length = String(Buffer.byteLength(body));
  return { status, headers: ['Content-Type', type, 'Content-Length', length, ...more], body };
}

/** RFC 9457. */
function problem(status: number, code: string, detail: string, more: readonly string[] = []): Answer {
  const body = JSON.stringify({ type: 'about:blank', title: code.replaceAll('_', ' '), status, code, detail });
  return textAnswer(status, 'application/problem+json', body, [...more, 'Cache-Control', 'no-store']);
}

/** Does nothing when the client is gone or has its answer already. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  if (res.headersSent || res.destroyed) return;
  if (answer.headers.length === 0) {
    // The usual answer: Node looks at no header's name.
    res.statusCode = answer.status;
    res.end(answer.body);
    return;
  }
  res.writeHead(answer.status, answer.headers as string[]);
  res.end(answer.body);
}
