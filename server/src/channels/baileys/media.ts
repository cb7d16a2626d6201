import type { MediaType } from '@switchyard/contract';
import type { InboundContent } from '../inbound-content.ts';
import { flagAt, type JsonValue, present, textAt, valueAt } from '../reading/index.ts';
import { base64Of } from './bytes.ts';
import { longOf } from './long.ts';
import type { MediaExtras } from './unwrap.ts';

export interface MediaSource extends MediaExtras {
  /** The message's id: by it the server or the companion can be asked for the file. */
  readonly messageId: string;
}

export function mediaContent(type: MediaType, body: JsonValue, source: MediaSource): InboundContent {
  const media = present({
    id: source.messageId,
    url: source.mediaUrl ?? openUrl(body),
    mimeType: textAt(body, 'mimetype') || undefined,
    sha256: base64Of(valueAt(body, 'fileSha256')),
    fileName: textAt(body, 'fileName') || undefined,
    sizeBytes: longOf(valueAt(body, 'fileLength')),
    base64: source.base64,
  });
  const isVoice = type === 'audio' && flagAt(body, 'ptt') ? true : undefined;
  return present({ type, media, caption: textAt(body, 'caption') || undefined, isVoice });
}

/** WhatsApp's own URL leads to an encrypted file (`.enc`), which is of no use to whoever fetches it. */
function openUrl(body: JsonValue): string | undefined {
  const url = textAt(body, 'url') || undefined;
  const isEncrypted = valueAt(body, 'mediaKey') !== undefined || /\.enc(\?|$)/.test(url ?? '');
  return isEncrypted ? undefined : url;
}
