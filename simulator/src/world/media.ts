/** Files: what businesses uploaded and what customers send. Bounded in number and in bytes; oldest forgotten first. */
import { createHash } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import type { MediaKind, MediaSpec } from './content.ts';
import type { Random } from './random.ts';

const FILE_LIMIT = 200;
export const FILE_BYTES_LIMIT = 16 * 1024 * 1024;

export interface StoredFile {
  readonly id: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
  readonly sha256: Buffer;
  readonly fileName: string | null;
}

/** A picture of one red pixel: what a customer sends when the test gives no bytes. */
const SAMPLE_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const samples: Readonly<Record<MediaKind | 'story_mention' | 'share', { mimeType: string; base64: string }>> = {
  image: { mimeType: 'image/png', base64: SAMPLE_PNG },
  sticker: { mimeType: 'image/webp', base64: 'UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==' },
  video: { mimeType: 'video/mp4', base64: 'AAAAGGZ0eXBtcDQyAAAAAG1wNDJpc29t' },
  audio: { mimeType: 'audio/ogg; codecs=opus', base64: 'T2dnUwACAAAAAAAAAAAAAAAAAAAAAA==' },
  document: { mimeType: 'application/pdf', base64: Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64') },
  story_mention: { mimeType: 'image/png', base64: SAMPLE_PNG },
  share: { mimeType: 'image/png', base64: SAMPLE_PNG },
};

export class MediaStore {
  readonly #files = new BoundedMap<string, StoredFile>(FILE_LIMIT);
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  put(bytes: Buffer, mimeType: string, fileName: string | null): StoredFile {
    const id = String(1_000_000_000_000 + Math.floor(this.#random.next() * 8_999_999_999_999));
    const file = { id, bytes, mimeType, fileName, sha256: createHash('sha256').update(bytes).digest() };
    this.#files.set(id, file);
    return file;
  }

  /** Keeps what a customer sends: the given bytes, or a sample of the kind. */
  putFor(kind: MediaKind | 'story_mention' | 'share', spec: MediaSpec): StoredFile {
    const sample = samples[kind];
    const bytes = Buffer.from(spec.base64 ?? sample.base64, 'base64');
    return this.put(bytes, spec.mimeType ?? sample.mimeType, spec.fileName ?? null);
  }

  get(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }

  delete(id: string): boolean {
    return this.#files.delete(id);
  }

  clear(): void {
    this.#files.clear();
  }
}
