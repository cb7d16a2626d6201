/**
 * The companion's door: what the server's channel `webjs` asks. `POST /sessions/{session}/messages {id, to, content,
 * replyTo?}` → `201 {messageId, timestamp}`; `POST …/read`, `…/numbers`, `…/start`, `…/logout`, `GET …`; errors
 * `{error: {code, message}}`. A session that another machine runs is `not_connected` here.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Companion } from './companion.ts';
import { type Log, wordsOf } from './log.ts';
import type { WithFile } from './media-client.ts';
import { type SendRequest, Sends, turnMs } from './sends.ts';
import type { Session } from './session.ts';
import { NotSent, type NotSentCode, type Recipient, type WebClient } from './web-client.ts';

const maxBodyBytes = 1024 * 1024;

type ErrorCode = NotSentCode | 'unauthorized' | 'not_found';

const statuses: Readonly<Record<ErrorCode, number>> = {
  not_on_whatsapp: 422,
  not_connected: 409,
  restricted: 403,
  quota: 429,
  // Not 5xx: a server that does not know the code would take the message for one that may have left.
  file_unavailable: 424,
  invalid: 400,
  unauthorized: 401,
  not_found: 404,
};

interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface DoorParts {
  /** null: not yet. */
  sessions(): Companion | null;
  readonly withFile: WithFile;
  readonly nowMs: () => number;
  readonly log: Log;
}

export function createDoor(parts: DoorParts): Server {
  const sends = new Map<string, Sends>();
  const sendsOf = (session: string) => {
    const known = sends.get(session) ?? new Sends({ ...parts, session, turnMs });
    sends.set(session, known);
    return known;
  };
  return createServer({ requestTimeout: 30_000 }, (request, response) => {
    answerTo(parts, request, sendsOf)
      .catch((error: unknown) => {
        parts.log.error({ error: wordsOf(error) }, 'a request could not be answered');
        return { status: 500, body: { error: { code: 'internal', message: 'The companion failed' } } };
      })
      .then((answer) => write(response, answer))
      .catch((error: unknown) => parts.log.warn({ error: wordsOf(error) }, 'an answer could not be written'));
  });
}

async function answerTo(
  { sessions, log }: DoorParts,
  request: IncomingMessage,
  sendsOf: (session: string) => Sends,
): Promise<Answer> {
  const companion = sessions();
  const [area, name, action = '', ...rest] = segmentsOf(request.url ?? '/');
  if (area === 'health') return { status: 200, body: { status: 'ok', sessions: companion?.sessions ?? [] } };
  if (area !== 'sessions' || !name || rest.length > 0) return refuse('not_found', 'No such path');
  const session = companion?.find(name);
  // Another machine may run it, or will: to the server that is a session that is not connected here.
  if (!session) return refuse('not_connected', 'This machine does not run the session');
  if (!isAllowed(session, request)) return refuse('unauthorized', 'Wrong key');
  const body = request.method === 'POST' ? await readJson(request) : {};
  if (body === null) return refuse('invalid', 'The body is not a JSON object');
  try {
    return await act(`${request.method} ${action}`, {
      look: async () => companion?.look(),
      session,
      name,
      body,
      sends: sendsOf(name),
    });
  } catch (error) {
    if (error instanceof NotSent) return refuse(error.code, error.message);
    // It may have left: the server is told so by a status that claims nothing.
    log.error({ error: wordsOf(error), session: name }, 'nobody knows what became of a request');
    return { status: 500, body: { error: { code: 'internal', message: 'It may have been sent' } } };
  }
}

interface Act {
  readonly look: () => Promise<void>;
  readonly session: Session;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly sends: Sends;
}

async function act(route: string, { session, name, body, sends, look }: Act): Promise<Answer> {
  switch (route) {
    case 'GET ':
      return presentSession(session, name);
    case 'POST start':
      // The server has noted the wish before it called: asked now, it tells it, and a later round does not tell it twice.
      await look();
      return presentSession(session, name);
    case 'POST stop':
    case 'POST logout':
      await session.logOut();
      return presentSession(session, name);
    case 'POST messages':
      return { status: 201, body: await sends.send(connected(session), sendRequestOf(body)) };
    case 'POST read': {
      if (typeof body.messageId !== 'string' || !body.messageId) throw new NotSent('invalid', 'messageId is missing');
      await connected(session).markRead(body.messageId, recipientOf(body));
      return { status: 200, body: { success: true } };
    }
    case 'POST numbers': {
      if (typeof body.phone !== 'string' || !/^\+\d{6,15}$/.test(body.phone))
        throw new NotSent('invalid', 'phone is none');
      return { status: 200, body: { exists: await connected(session).isOnWhatsApp(body.phone) } };
    }
    default:
      return refuse('not_found', 'No such path');
  }
}

function connected(session: Session): WebClient {
  const { client } = session;
  if (!client) throw new NotSent('not_connected', `The session is ${session.state}`);
  return client;
}

/** WAHA's words, which the server's channel reads. */
const statusWords = {
  opening: 'STARTING',
  waiting: 'STARTING',
  showing: 'SCAN_QR_CODE',
  open: 'WORKING',
  ended: 'STOPPED',
  stopped: 'STOPPED',
} as const;

function presentSession(session: Session, name: string): Answer {
  const me = session.phoneNumber ? { me: { id: `${session.phoneNumber.replace('+', '')}@c.us` } } : {};
  return { status: 200, body: { name, status: statusWords[session.state], ...me } };
}

/** What the content holds is the library's to judge; only its shape is looked at here. */
function sendRequestOf(body: Act['body']): SendRequest {
  const { id, to, content, replyTo } = body;
  if (typeof id !== 'string' || id === '' || id.length > 200) throw new NotSent('invalid', 'id is missing');
  if (!isObject(content) || typeof content.type !== 'string') throw new NotSent('invalid', 'content.type is missing');
  const recipient = recipientOf(isObject(to) ? to : {});
  if (!recipient.phone && !recipient.lid && !recipient.chatId) throw new NotSent('invalid', 'to is missing');
  const answered = isObject(replyTo) && typeof replyTo.id === 'string' ? { replyTo: replyTo.id } : {};
  return { id, to: recipient, content: content as unknown as SendRequest['content'], ...answered };
}

function recipientOf(fields: Readonly<Record<string, unknown>>): Recipient {
  const text = (name: 'phone' | 'lid' | 'chatId') => (typeof fields[name] === 'string' ? { [name]: fields[name] } : {});
  return { ...text('phone'), ...text('lid'), ...text('chatId') };
}

function isAllowed(session: Session, request: IncomingMessage): boolean {
  const { apiKey } = session.lease;
  if (apiKey === null) return true;
  const [given, expected] = [request.headers.authorization ?? '', `Bearer ${apiKey}`].map((text) => Buffer.from(text));
  return given!.length === expected!.length && timingSafeEqual(given!, expected!);
}

function segmentsOf(url: string): readonly string[] {
  const path = url.split('?')[0] ?? '';
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    // A path that cannot be decoded names nothing that is here.
    return [];
  }
}

/** null: too large, or no JSON object. */
async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    // Said to the caller as what it is.
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(code: ErrorCode, message: string): Answer {
  return { status: statuses[code], body: { error: { code, message } } };
}

function write(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
