/**
 * The life of an instance by Evolution's own calls (providers.md 4.6): create it where the server has none, connect it
 * for a code, ask its state, log it out. The paths are the same in both versions; only the form of `create` differs.
 *
 * `create` needs the server's global key. An account that holds its instance's key only is told so by the server.
 */
import type { AccountEvent } from '@switchyard/contract';
import type {
  NumberAnswer,
  SendingAccount,
  SendingNetwork,
  SessionAnswer,
  SessionControl,
  SessionFailure,
  SessionWish,
} from '../channel.ts';
import { callProvider } from '../http/index.ts';
import { isArray, type JsonValue, objectAt, parseJson, textAt, valueAt } from '../reading/index.ts';
import { failedSession, unreadableSession } from '../session-failure.ts';
import { qrOf } from './account-events.ts';
import { evolutionFields } from './capabilities.ts';
import { connectionOfState } from './connection.ts';
import { judgeRefusal } from './errors.ts';

export const evolutionSessions: SessionControl = {
  async start(account, wish, network) {
    const connected = await connect(account, wish, network);
    const isMissing = connected.kind === 'refused' && connected.failure.code === 'instance-missing';
    return isMissing ? create(account, wish, network) : connected;
  },

  async look(account, network) {
    const answer = await call(account, network, { method: 'GET', path: '/instance/connectionState' });
    return answer.kind === 'json' ? stateOf(answer.json) : answer;
  },

  /** A 400 says that it is not connected, which is what was wanted. */
  async logOut(account, network) {
    const answer = await call(account, network, { method: 'DELETE', path: '/instance/logout' });
    const isOut = answer.kind === 'json' || answer.failure.code === 'not-connected';
    return isOut ? { kind: 'state', connection: 'disconnected' } : answer;
  },

  async checkNumber(account, phone, network): Promise<NumberAnswer> {
    const body = { numbers: [phone.replace(/\D/g, '')] };
    const answer = await call(account, network, { method: 'POST', path: '/chat/whatsappNumbers', body });
    if (answer.kind !== 'json') return answer;
    const [first] = isArray(answer.json) ? answer.json : [];
    const exists = valueAt(first, 'exists');
    return typeof exists === 'boolean' ? { kind: 'checked', isOnWhatsApp: exists } : unreadableSession;
  },
};

/** Of an instance that is open the server tells the state instead of a code. */
async function connect(account: SendingAccount, wish: SessionWish, network: SendingNetwork): Promise<SessionAnswer> {
  const number = wish.phoneNumber ? `?number=${wish.phoneNumber.replace(/\D/g, '')}` : '';
  const answer = await call(account, network, { method: 'GET', path: '/instance/connect', query: number });
  if (answer.kind !== 'json') return answer;
  if (objectAt(answer.json, 'instance')) return stateOf(answer.json);
  return showing(answer.json);
}

async function create(account: SendingAccount, wish: SessionWish, network: SendingNetwork): Promise<SessionAnswer> {
  const answer = await call(account, network, {
    method: 'POST',
    path: '/instance/create',
    body: newInstance(account, wish),
  });
  return answer.kind === 'json' ? showing(answer.json) : answer;
}

/** v1 is flat, v2 has the webhook as an object; both take the name of the integration. */
function newInstance(account: SendingAccount, { webhookUrl, phoneNumber }: SessionWish): object {
  const { instance = '', version } = account.settings;
  const common = {
    instanceName: instance,
    integration: 'WHATSAPP-BAILEYS',
    qrcode: true,
    ...(phoneNumber ? { number: phoneNumber.replace(/\D/g, '') } : {}),
  };
  if (!webhookUrl) return common;
  // An empty list would mean all of them.
  const { webhookEvents } = evolutionFields;
  if (version === 'v1') return { ...common, webhook: webhookUrl, webhook_by_events: false, events: [...webhookEvents] };
  return { ...common, webhook: { url: webhookUrl, byEvents: false, base64: true, events: [...webhookEvents] } };
}

function showing(json: JsonValue): SessionAnswer {
  const qr: NonNullable<AccountEvent['qr']> = qrOf(json);
  return qr.code || qr.image || qr.pairingCode
    ? { kind: 'state', connection: 'connecting', qr }
    : { kind: 'state', connection: 'connecting' };
}

function stateOf(json: JsonValue): SessionAnswer {
  const state = textAt(json, 'instance', 'state') ?? textAt(json, 'instance', 'status');
  return state ? { kind: 'state', connection: connectionOfState(state) } : unreadableSession;
}

interface InstanceCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The instance is its last part, except for `create`. */
  readonly path: string;
  readonly query?: string;
  readonly body?: object;
}

async function call(
  account: SendingAccount,
  network: SendingNetwork,
  { method, path, query = '', body }: InstanceCall,
): Promise<{ readonly kind: 'json'; readonly json: JsonValue } | SessionFailure> {
  const { apiKey } = account.credentials;
  const { instance } = account.settings;
  if (!apiKey || !instance)
    return failedSession('refused', 'account-incomplete', 'the account lacks its API key or its instance');
  const place = path === '/instance/create' ? path : `${path}/${encodeURIComponent(instance)}${query}`;
  const answer = await callProvider(
    {
      method,
      path: place,
      headers: { apikey: apiKey, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    },
    network,
  );
  if (answer.kind !== 'answered') return { kind: 'unreachable', failure: answer.failure };
  const parsed = parseJson(answer.body);
  if (!parsed.ok) return failedSession('unreachable', 'answer-unreadable', `the server answered HTTP ${answer.status}`);
  if (answer.status >= 200 && answer.status < 300) return { kind: 'json', json: parsed.value };
  const judged = judgeRefusal(answer, parsed.value, Date.now());
  if (judged.kind === 'refused') return { kind: 'refused', failure: judged.failure };
  return judged.kind === 'sent' ? unreadableSession : { kind: 'unreachable', failure: judged.failure };
}
