/**
 * The adapter on `@whiskeysockets/baileys`: the only place that knows the library. It is an optional package, loaded when
 * the companion starts, so that an installation without it still runs the server.
 */
import { type Log, wordsOf } from '../log.ts';
import { NotSent, type OpenWebClient, type Recipient, type WebClient } from '../web-client.ts';
import { authStateOf } from './auth-state.ts';
import { closeReasonOf } from './close-reason.ts';
import { contentFor } from './content-for.ts';
import { libraryLog } from './library-log.ts';
import { newsOf } from './news.ts';
import { quietenLibsignal } from './quiet-console.ts';
import { createFetchFile } from './received-file.ts';

type Library = typeof import('@whiskeysockets/baileys');
type Socket = ReturnType<Library['makeWASocket']>;

export interface BaileysOptions {
  readonly whatsappUrl: string | undefined;
  readonly log: Log;
}

/** Messages kept in memory for a phone that asks for one again, since it could not read it. */
const maxKept = 1_000;

/** Throws where the library is not installed. */
export async function openBaileysClient(options: BaileysOptions): Promise<OpenWebClient> {
  const library = await load();
  quietenLibsignal();
  const { RECENT: recent, FULL: full } = library.proto.HistorySync.HistorySyncType;
  const fetchFile = createFetchFile(library, { fetch, startClock: (ms) => AbortSignal.timeout(ms) });
  return async ({ accountId, store, onEvent }) => {
    const { state, saveCreds } = await authStateOf(library, store);
    const kept = new Map<string, object>();
    const logger = libraryLog(options.log);
    const socket = library.makeWASocket({
      auth: { creds: state.creds, keys: library.makeCacheableSignalKeyStore(state.keys, logger) },
      logger,
      browser: library.Browsers.appropriate('Chrome'),
      // Marking us online would silence the notifications of the person's own phone.
      markOnlineOnConnect: false,
      syncFullHistory: false,
      // Old messages are none of ours, and the library holds new ones back for 20 seconds while it waits for them.
      shouldSyncHistoryMessage: ({ syncType }) => syncType !== recent && syncType !== full,
      getMessage: async (key) => kept.get(key.id ?? ''),
      ...(options.whatsappUrl ? { waWebSocketUrl: options.whatsappUrl } : {}),
    });
    const parts: SocketParts = { library, socket, kept, isOpen: false, isClosed: false };
    socket.ev.on('creds.update', () => {
      saveCreds().catch((error: unknown) => {
        options.log.error({ error: wordsOf(error) }, 'the session’s keys could not be saved; the connection is closed');
        void socket.end(undefined);
      });
    });
    newsOf(library, socket, {
      tell: (news) => onEvent({ kind: 'news', ...news }),
      fetchFile: (file) => fetchFile(accountId, file),
      log: options.log,
    });
    socket.ev.on('connection.update', (update) => {
      if (parts.isClosed) return;
      if (update.qr) onEvent({ kind: 'code', code: update.qr });
      if (update.connection === 'open') {
        parts.isOpen = true;
        onEvent({ kind: 'open', phoneNumber: phoneOf(library, socket), name: socket.user?.name ?? null });
      }
      if (update.connection !== 'close') return;
      parts.isOpen = false;
      parts.isClosed = true;
      const error = update.lastDisconnect?.error;
      onEvent({ kind: 'closed', reason: closeReasonOf(error), detail: error ? wordsOf(error) : 'closed' });
    });
    return clientOf(parts);
  };
}

async function load(): Promise<Library> {
  try {
    return await import('@whiskeysockets/baileys');
  } catch (cause) {
    const hint = 'npm install --include=optional --workspace companion';
    throw new Error(`the library @whiskeysockets/baileys is not installed; run: ${hint}`, { cause });
  }
}

interface SocketParts {
  readonly library: Library;
  readonly socket: Socket;
  readonly kept: Map<string, object>;
  isOpen: boolean;
  isClosed: boolean;
}

function clientOf(parts: SocketParts): WebClient {
  const { library, socket, kept } = parts;
  return {
    async send({ messageId, to, content, file, replyTo }) {
      if (!parts.isOpen) throw new NotSent('not_connected', 'The connection to WhatsApp is not open');
      const jid = jidOf(to);
      const quoted = replyTo && { key: { remoteJid: jid, fromMe: false, id: replyTo }, message: { conversation: '' } };
      const sent = await socket.sendMessage(jid, contentFor(content, jid, file), {
        messageId,
        ...(quoted ? { quoted } : {}),
      });
      if (sent?.message) keep(kept, messageId, sent.message);
      return { messageId: sent?.key.id ?? messageId };
    },
    async markRead(id, chat) {
      if (!parts.isOpen) throw new NotSent('not_connected', 'The connection to WhatsApp is not open');
      await socket.readMessages([{ remoteJid: jidOf(chat), id: id.split('_').at(-1) ?? id, fromMe: false }]);
    },
    async isOnWhatsApp(phone) {
      if (!parts.isOpen) throw new NotSent('not_connected', 'The connection to WhatsApp is not open');
      const [found] = (await socket.onWhatsApp(phone)) ?? [];
      return found?.exists === true;
    },
    async logOut() {
      parts.isClosed = true;
      if (parts.isOpen) await socket.logout();
    },
    async close() {
      parts.isClosed = true;
      parts.isOpen = false;
      await socket.end(undefined);
    },
  };

  function phoneJid(digits: string): string {
    return library.jidEncode(digits, 's.whatsapp.net');
  }

  function jidOf(to: Recipient): string {
    const digits = (to.phone ?? to.chatId?.match(/^(\d+)@(?:c\.us|s\.whatsapp\.net)$/)?.[1])?.replace(/\D/g, '');
    if (digits) return phoneJid(digits);
    const lid = to.lid ?? to.chatId;
    if (lid && /^\d+(@lid)?$/.test(lid)) return lid.includes('@') ? lid : `${lid}@lid`;
    throw new NotSent('invalid', 'The recipient has neither a phone nor a LID');
  }
}

function keep(kept: Map<string, object>, id: string, message: object): void {
  if (kept.size >= maxKept) {
    const [oldest] = kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
  }
  kept.set(id, message);
}

function phoneOf(library: Library, socket: Socket): string | null {
  const user = library.jidDecode(socket.user?.id)?.user;
  return user && /^\d+$/.test(user) ? `+${user}` : null;
}
