/**
 * What the library tells of messages, passed on as it is: the server's channel reads Baileys' own objects. Only bytes of
 * files are added, which nobody else could decrypt. Each is told the moment it comes, by chat, and says what it waits for.
 */
import type { WAMessage } from '@whiskeysockets/baileys';
import { type Log, wordsOf } from '../log.ts';
import type { News } from '../web-client.ts';
import { fileToFetch, receivedFile } from './received-file.ts';

type Library = typeof import('@whiskeysockets/baileys');
type Socket = ReturnType<Library['makeWASocket']>;
type Tell = (news: News) => void;

export interface NewsSource {
  readonly ev: Pick<Socket['ev'], 'on' | 'flush'>;
}

export function newsOf(library: Library, { ev }: NewsSource, tell: Tell, log: Log): void {
  ev.on('connection.update', ({ connection }) => {
    // While it catches up the library gathers events, after it has said to WhatsApp that we have them. At the end of a
    // connection, ours too, it says that it is closed, and then throws away what it has gathered.
    if (connection === 'close') ev.flush();
  });
  ev.on('messages.upsert', ({ messages, type }) => {
    // While it starts, the library folds a receipt into the message that it is about: it is told as a receipt again.
    const receipts = messages.flatMap(({ key, status }) => (key.fromMe && status ? [{ key, update: { status } }] : []));
    if (receipts.length > 0) tell({ event: 'messages.update', chat: null, payload: plain(receipts) });
    for (const [chat, some] of byChat(messages)) tell({ event: 'messages.upsert', chat, ...told(some, type) });
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

  function told(messages: readonly WAMessage[], type: string): Pick<News, 'payload' | 'whole'> {
    const payload = { messages: plain(messages), type };
    const files = messages.map((message) => fileToFetch(library.normalizeMessageContent(message.message)));
    if (files.every((file) => file === null)) return { payload };
    const bytes = files.map(async (file) => {
      try {
        return file && (await receivedFile(library, file));
      } catch (error) {
        log.warn({ error: wordsOf(error) }, 'a file could not be fetched; the message goes on without it');
        return null;
      }
    });
    return { payload, whole: Promise.all(bytes).then((all) => ({ messages: withFiles(messages, all), type })) };
  }
}

interface Keyed {
  readonly key: { readonly remoteJid?: string | null };
}

function byChat<T extends Keyed>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(items, ({ key }) => key.remoteJid ?? '');
}

/** The library's classes say themselves how they are written as JSON: names for numbers, base64 for bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function withFiles(messages: readonly WAMessage[], files: readonly (Buffer | null)[]): unknown[] {
  return messages.map((message, index) => {
    const shown = plain(message) as { message?: Record<string, unknown> };
    const file = files[index];
    if (file && shown.message) shown.message.base64 = file.toString('base64');
    return shown;
  });
}
