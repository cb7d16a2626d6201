/**
 * The bytes of a file that somebody sent. The address in a message is the sender's to write: only WhatsApp's own hosts are
 * asked, and what comes is counted, whatever length was claimed. All that waited for us names its files at once, so only so
 * many are fetched at a time.
 *
 * The library's own request takes no signal and cannot be ended, and where its connection breaks in the middle it throws what
 * nobody can catch, which ends the process. So only the keys are of the library's making.
 */
import { createDecipheriv } from 'node:crypto';
import type { proto, WAMessageContent } from '@whiskeysockets/baileys';
import { Slots } from '../slots.ts';

type Library = typeof import('@whiskeysockets/baileys');

/** A webhook's body is three megabytes at most, and base64 makes four of three. */
const maxFileBytes = 1_800_000;

/** Of AES-256-CBC. */
const blockBytes = 16;
/** What a file ends with, as the library writes it: the beginning of its HMAC. */
const macBytes = 10;

export const receivedFileLimits = {
  /** From the asking to the last byte. */
  totalMs: 30_000,
  /** Of all sessions, and of one. */
  maxAtOnce: 8,
  maxOfSession: 4,
} as const;

const kinds = {
  imageMessage: 'image',
  videoMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
} as const;
type Member = keyof typeof kinds;

export interface FileToFetch {
  readonly kind: (typeof kinds)[Member];
  readonly file: proto.Message.IImageMessage;
}

/** null: there is none, or it is said to be too large to pass on. */
export function fileToFetch(content: WAMessageContent | undefined): FileToFetch | null {
  const name = (Object.keys(kinds) as Member[]).find((member) => content?.[member]);
  const file: proto.Message.IImageMessage | null | undefined = name && content?.[name];
  if (!name || !file?.url || Number(file.fileLength ?? 0) > maxFileBytes) return null;
  return { kind: kinds[name], file };
}

/** Where a message says that its file lies. */
export interface FileAddress {
  readonly url?: string | null;
  readonly directPath?: string | null;
}

/**
 * null: it is larger than may be passed on. Throws where it cannot be had, or does not lie with WhatsApp. Waits for its turn as
 * long as it takes: each before it has an end.
 */
export type FetchFile = (owner: string, file: FileToFetch) => Promise<Buffer | null>;

export interface FetchFileEffects {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A clock that is started, and ends what it is for. */
  readonly startClock: (ms: number) => AbortSignal;
}

export function createFetchFile(library: Library, { fetch, startClock }: FetchFileEffects): FetchFile {
  const { totalMs, maxAtOnce, maxOfSession } = receivedFileLimits;
  const slots = new Slots(maxAtOnce, maxOfSession);
  const never = new AbortController().signal;
  return async (owner, { kind, file }) => {
    if (!liesWithWhatsApp(file)) throw new Error('the file is said to lie elsewhere than with WhatsApp');
    const keys = await library.getMediaKeys(file.mediaKey, kind);
    const leave = await slots.take(owner, never);
    try {
      const headers = { origin: library.DEFAULT_ORIGIN };
      const answer = await fetch(addressOf(file), { headers, signal: startClock(totalMs) });
      const sealed = await bytesOf(answer);
      return sealed && opened(sealed, keys);
    } finally {
      leave();
    }
  };
}

async function bytesOf({ ok, status, body }: Response): Promise<Buffer | null> {
  if (ok && body) return readUpTo(body, maxFileBytes + blockBytes + macBytes);
  await body?.cancel();
  throw new Error(`the file’s host answered HTTP ${status}`);
}

interface FileKeys {
  readonly cipherKey: Uint8Array;
  readonly iv: Uint8Array;
}

function opened(sealed: Buffer, { cipherKey, iv }: FileKeys): Buffer | null {
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  // Whole blocks only, as the library has it: what is left over is the HMAC.
  const blocks = sealed.subarray(0, sealed.length - (sealed.length % blockBytes));
  const file = Buffer.concat([decipher.update(blocks), decipher.final()]);
  return file.length > maxFileBytes ? null : file;
}

export function liesWithWhatsApp(address: FileAddress): boolean {
  const text = addressOf(address);
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username } = new URL(text);
  return protocol === 'https:' && hostname.endsWith('.whatsapp.net') && port === '' && username === '';
}

/** As the library has it: the host of `url` with `directPath`; without a path, `url` as it is. */
function addressOf({ url, directPath }: FileAddress): string {
  return directPath ? `https://${hostOf(url)}${directPath}` : (url ?? '');
}

function hostOf(url: string | null | undefined): string {
  return url && URL.canParse(url) ? new URL(url).host : 'mmg.whatsapp.net';
}

/** null: there is more than that. */
export async function readUpTo(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    // Leaving the loop ends the stream.
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
