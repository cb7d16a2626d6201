/** Files at Meta: upload, look up, fetch, delete (providers.md 1.4). The fetched URL needs the token as well. */
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import { FILE_BYTES_LIMIT } from '../world/media.ts';
import type { World } from '../world/world.ts';
import { graphError } from './error-table.ts';
import { readMultipart } from './multipart.ts';

export function uploadMedia(world: World, exchange: Exchange): Reply {
  if (exchange.method !== 'POST') return graphError({ code: '100' }, world.random, 'whatsapp');
  const parts = readMultipart(exchange.body, exchange.headers['content-type'] ?? '');
  const file = parts.find((part) => part.name === 'file');
  const product = parts.find((part) => part.name === 'messaging_product')?.bytes.toString('utf8');
  if (product !== 'whatsapp') {
    return graphError(
      { code: '100', details: 'The parameter messaging_product is required.' },
      world.random,
      'whatsapp',
    );
  }
  if (!file) return graphError({ code: '100', details: 'The parameter file is required.' }, world.random, 'whatsapp');
  if (file.bytes.length > FILE_BYTES_LIMIT) return graphError({ code: '131053' }, world.random, 'whatsapp');
  const type = parts.find((part) => part.name === 'type')?.bytes.toString('utf8');
  return jsonReply(200, { id: world.media.put(file.bytes, type ?? file.contentType, file.fileName).id });
}

/** Null when the id names no file. */
export function mediaObject(world: World, exchange: Exchange, id: string): Reply | null {
  const file = world.media.get(id);
  if (!file) return null;
  if (exchange.method === 'DELETE') {
    world.media.delete(id);
    return jsonReply(200, { success: true });
  }
  return jsonReply(200, {
    url: `${world.urls.graph}/media/${id}`,
    mime_type: file.mimeType,
    sha256: file.sha256.toString('hex'),
    file_size: file.bytes.length,
    id,
    messaging_product: 'whatsapp',
  });
}

/** WhatsApp's files want the token; Instagram's CDN does not. */
export function serveMedia(world: World, exchange: Exchange, id: string, access: 'open' | 'token'): Reply {
  if (access === 'token' && !exchange.headers.authorization) {
    return { status: 401, body: '', contentType: 'text/plain' };
  }
  const file = world.media.get(id);
  if (!file || exchange.method !== 'GET') return { status: 404, body: 'Not found', contentType: 'text/plain' };
  return { status: 200, body: file.bytes, contentType: file.mimeType };
}
