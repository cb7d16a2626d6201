/**
 * What the library tells of messages, passed on as it is: the server's channel reads Baileys' own objects. Only bytes of
 * files are added, which nobody else could decrypt. Each is told the moment it comes, by chat, and says what it waits for.
 * A message is told by itself: the files of several would together be more than the server takes of one body.
 */
import type { WAMessage } from '@whiskeysockets/baileys';
import { type Log, wordsOf } from '../log.ts';
import type { News } from '../web-client.ts';
import { type FileToFetch, fileToFetch } from './received-file.ts';

type Library = typeof import('@whiskeysockets/baileys');
type Socket = ReturnType<Library['makeWASocket']>;

export interface NewsSource {
  readonly ev: Pick<Socket['ev'], 'on' | 'flush'>;
}

export interface NewsEffects {
  readonly tell: (news: News) => void;
  /** null: it is larger than may be passed on. */
  readonly fetchFile: (file: FileToFetch) => Promise<Buffer | null>;
  readonly log: Log;
}

export function newsOf(library: Library, { ev }: NewsSource, { tell, fetchFile, log }: NewsEffects): void {
  ev.on('connection.update', ({ connection }) => {
    // While it catches up the library gathers events, after it has said to WhatsApp that we have them. At the end of a
    // connection, ours too, it says that it is closed, and then throws away what it has gathered.
    if (connection === 'close') ev.flush();
  });
  ev.on('messages.upsert', ({ messages, type }) => {
    // While it starts, the library folds a receipt into the message that it is about: it is told as a receipt again.
    const receipts = messages.flatMap(({ key, status }) => (key.fromMe && status ? [{ key, update: { status } }] : []));
    if (receipts.length > 0) tell({ event: 'messages.update', chat: null, payload: plain(receipts) });
    for (const message of messages) tell({ event: 'messages.upsert', chat: chatOf(message), ...told(message, type) });
  });
  ev.on('messages.update', (updates) => {
    // What became of our own waits for nobody's file.
    const [ours, theirs] = [updates.filter(({ key }) => key.fromMe), updates.filter(({ key }) => !key.fromMe)];
    if (ours.length > 0) tell({ event: 'messages.update', chat: null, payload: plain(ours) });
    inTheirChats('messages.update', theirs);
  });
  ev.on('message-receipt.update', (receipts) =>
    tell({ event: 'message-receipt.update', chat: null, payload: plain(receipts) }),
  );
  ev.on('messages.reaction', (reactions) => inTheirChats('messages.reaction', reactions));
  ev.on('messages.delete', (deleted) => {
    if (!('keys' in deleted)) return;
    inTheirChats(
      'messages.delete',
      deleted.keys.map((key) => ({ key })),
    );
  });

  function inTheirChats(event: string, items: readonly Keyed[]): void {
    for (const [chat, some] of byChat(items)) tell({ event, chat, payload: plain(some) });
  }

  function told(message: WAMessage, type: string): Pick<News, 'payload' | 'whole'> {
    const payload = { messages: [plain(message)], type };
    const file = fileToFetch(library.normalizeMessageContent(message.message));
    if (!file) return { payload };
    const whole = fetchFile(file).then((bytes) => ({ messages: [withFile(message, bytes)], type }));
    return {
      payload,
      whole: whole.catch((error: unknown) => {
        log.warn({ error: wordsOf(error) }, 'a file could not be fetched; the message goes on without it');
        return payload;
      }),
    };
  }
}

interface Keyed {
  readonly key: { readonly remoteJid?: string | null };
}

function byChat<T extends Keyed>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(items, chatOf);
}

function chatOf({ key }: Keyed): string {
  return key.remoteJid ?? '';
}

/** The library's classes say themselves how they are written as JSON: names for numbers, base64 for bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function withFile(message: WAMessage, file: Buffer | null): unknown {
  const shown = plain(message) as { message?: Record<string, unknown> };
  if (file && shown.message) shown.message.base64 = file.toString('base64');
  return shown;
}
