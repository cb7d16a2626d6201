/**
 * The bytes of a file that somebody sent. The address in a message is the sender's to write, and the library fetches from
 * whatever stands there: only WhatsApp's own hosts are asked, and what comes is counted, whatever length was claimed.
 */
import type { proto, WAMessageContent } from '@whiskeysockets/baileys';

type Library = typeof import('@whiskeysockets/baileys');

/** A webhook's body is three megabytes at most, and base64 makes four of three. */
const maxFileBytes = 1_800_000;
const totalMs = 30_000;

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

/** null: it is larger than it was said to be. Throws where it cannot be had, or does not lie with WhatsApp. */
export async function receivedFile(library: Library, { kind, file }: FileToFetch): Promise<Buffer | null> {
  if (!liesWithWhatsApp(file)) throw new Error('the file is said to lie elsewhere than with WhatsApp');
  return deadline(async () => {
    const stream = await library.downloadContentFromMessage(file, kind);
    return readUpTo(stream, maxFileBytes);
  });
}

/** The library joins the host of `url` with `directPath`; without a path it takes `url` as it is. */
export function liesWithWhatsApp({ url, directPath }: FileAddress): boolean {
  const text = directPath ? `https://${hostOf(url)}${directPath}` : (url ?? '');
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username } = new URL(text);
  return protocol === 'https:' && hostname.endsWith('.whatsapp.net') && port === '' && username === '';
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

/** The library's requests take no signal: one that hangs is left to itself, and the message goes on without its file. */
async function deadline(work: () => Promise<Buffer | null>): Promise<Buffer | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the file did not come within ${totalMs} ms`)), totalMs);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
