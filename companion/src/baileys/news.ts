/**
 * What the library tells of messages, passed on as it is: the server's channel reads Baileys' own objects. Only bytes of
 * files are added, which nobody else could decrypt.
 */
import type { WAMessage } from '@whiskeysockets/baileys';
import { type Log, wordsOf } from '../log.ts';
import { receivedFile } from './received-file.ts';

type Library = typeof import('@whiskeysockets/baileys');
type Socket = ReturnType<Library['makeWASocket']>;

export function newsOf(
  library: Library,
  socket: Socket,
  tell: (event: string, payload: unknown) => void,
  log: Log,
): void {
  socket.ev.on('messages.upsert', ({ messages, type }) => {
    // While it starts, the library folds a receipt into the message that it is about: it is told as a receipt again.
    const receipts = messages.flatMap(({ key, status }) => (key.fromMe && status ? [{ key, update: { status } }] : []));
    if (receipts.length > 0) tell('messages.update', plain(receipts));
    withFiles(library, messages, log)
      .then((whole) => tell('messages.upsert', { messages: whole, type }))
      .catch((error: unknown) => log.error({ error: wordsOf(error) }, 'messages could not be passed on'));
  });
  socket.ev.on('messages.update', (updates) => tell('messages.update', plain(updates)));
  socket.ev.on('message-receipt.update', (receipts) => tell('message-receipt.update', plain(receipts)));
  socket.ev.on('messages.reaction', (reactions) => tell('messages.reaction', plain(reactions)));
  socket.ev.on('messages.delete', (deleted) => {
    if ('keys' in deleted) tell('messages.delete', plain(deleted.keys.map((key) => ({ key }))));
  });
}

/** The library's classes say themselves how they are written as JSON: names for numbers, base64 for bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

async function withFiles(library: Library, messages: readonly WAMessage[], log: Log): Promise<unknown[]> {
  const whole: unknown[] = [];
  for (const message of messages) {
    const shown = plain(message) as { message?: Record<string, unknown> };
    const base64 = await fileOf(library, message, log);
    if (base64 !== null && shown.message) shown.message.base64 = base64;
    whole.push(shown);
  }
  return whole;
}

async function fileOf(library: Library, message: WAMessage, log: Log): Promise<string | null> {
  try {
    const file = await receivedFile(library, library.normalizeMessageContent(message.message));
    return file?.toString('base64') ?? null;
  } catch (error) {
    log.warn({ error: wordsOf(error) }, 'a file could not be fetched; the message goes on without it');
    return null;
  }
}
