/**
 * The companion's sessions: `GET|POST /sessions/{session}[/start|/logout]` → `{name, status, me?}` with WAHA's words for
 * the status; codes follow as events. `POST /sessions/{session}/numbers {phone}` → `{exists}`.
 */
import type {
  NumberAnswer,
  SendingAccount,
  SendingNetwork,
  SessionAnswer,
  SessionControl,
  SessionFailure,
} from '../channel.ts';
import { callProvider } from '../http/index.ts';
import { flagAt, type JsonValue, parseJson, textAt, valueAt } from '../reading/index.ts';
import { failedSession, unreadableSession } from '../session-failure.ts';
import { connectionOfSessionStatus } from './account-events.ts';
import { companionErrorOf } from './companion-errors.ts';

export const companionSessions: SessionControl = {
  start: (account, _wish, network) => stateAfter(account, network, { method: 'POST', path: '/start' }),
  look: (account, network) => stateAfter(account, network, { method: 'GET', path: '' }),
  logOut: (account, network) => stateAfter(account, network, { method: 'POST', path: '/logout' }),
  checkNumber: async (account, phone, network): Promise<NumberAnswer> => {
    const answer = await call(account, network, { method: 'POST', path: '/numbers', body: { phone } });
    if (answer.kind !== 'json') return answer;
    const exists = valueAt(answer.json, 'exists');
    return typeof exists === 'boolean'
      ? { kind: 'checked', isOnWhatsApp: flagAt(answer.json, 'exists') }
      : unreadableSession;
  },
};

interface SessionCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

async function stateAfter(
  account: SendingAccount,
  network: SendingNetwork,
  wanted: SessionCall,
): Promise<SessionAnswer> {
  const answer = await call(account, network, wanted);
  if (answer.kind !== 'json') return answer;
  const status = textAt(answer.json, 'status');
  return status ? { kind: 'state', connection: connectionOfSessionStatus(status) } : unreadableSession;
}

async function call(
  account: SendingAccount,
  network: SendingNetwork,
  { method, path, body }: SessionCall,
): Promise<{ readonly kind: 'json'; readonly json: JsonValue } | SessionFailure> {
  const { session } = account.settings;
  if (!session) return failedSession('refused', 'account-incomplete', 'the account lacks its session');
  const { apiKey } = account.credentials;
  const answer = await callProvider(
    {
      method,
      path: `/sessions/${encodeURIComponent(session)}${path}`,
      headers: {
        accept: 'application/json',
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    },
    network,
  );
  if (answer.kind !== 'answered') return { kind: 'unreachable', failure: answer.failure };
  const parsed = parseJson(answer.body);
  const json = parsed.ok ? parsed.value : null;
  if (answer.status >= 200 && answer.status < 300) return { kind: 'json', json };
  const known = companionErrorOf(json);
  if (known) return failedSession(known.kind, known.code, known.detail);
  const kind = answer.status >= 500 ? 'unreachable' : 'refused';
  return failedSession(kind, 'request-refused', `the companion answered HTTP ${answer.status}`);
}
