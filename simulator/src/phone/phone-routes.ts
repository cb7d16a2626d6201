/** The phone page: its files, its events and what it loads first. */
import { readFile } from 'node:fs/promises';
import { type ControlParts, controlRoute, presentNumber } from '../control/control-routes.ts';
import { type Exchange, jsonReply, type Reply, segmentsOf } from '../http/exchange.ts';
import type { PhoneEvents } from './events.ts';

const files: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'phone.css': 'text/css; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'api.js': 'text/javascript; charset=utf-8',
  'bubble.js': 'text/javascript; charset=utf-8',
  'customers.js': 'text/javascript; charset=utf-8',
  'ledger.js': 'text/javascript; charset=utf-8',
  'mischief.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline; pictures may come from anywhere, since shops' pictures do. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https: data:; media-src 'self' http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

export function createPhoneHandler(parts: ControlParts, events: PhoneEvents) {
  return async (exchange: Exchange): Promise<Reply | null> => {
    if (!isOurHost(exchange)) return jsonReply(403, { error: { code: 'wrong_host', message: 'Unknown host' } });
    const [area, name, id] = segmentsOf(exchange.path);
    if (area === 'control') {
      const reply = await controlRoute(parts, exchange);
      if (name === 'numbers' && exchange.method !== 'GET') events.send('numbers', {});
      return reply;
    }
    if (area === 'phone' && name === 'events') {
      events.open(exchange.response);
      return null;
    }
    if (area === 'phone' && name === 'state') return jsonReply(200, stateOf(parts), { 'cache-control': 'no-store' });
    if (area === 'phone' && name === 'media' && id) return mediaReply(parts, id);
    return pageFile(area ?? 'index.html');
  };
}

/** A foreign domain that resolves to this machine (DNS rebinding) is not answered; addresses and local names are. */
function isOurHost(exchange: Exchange): boolean {
  const host = (exchange.headers.host ?? '').replace(/:\d+$/, '');
  return !host.includes('.') || host.endsWith('.localhost') || /^[0-9.]+$/.test(host);
}

/** What the page loads first and after each interruption: every number with its threads. */
function stateOf({ world }: ControlParts): Record<string, unknown> {
  const numbers = world.registry.list().map((number) => ({
    ...presentNumber(number),
    key: number.key,
    offline: [...number.offline],
    threads: world.threads.list(number.key),
  }));
  return { numbers, now: world.clock.now() };
}

/** Files that businesses uploaded, so that the page can show them. Never run as a page of ours. */
function mediaReply({ world }: ControlParts, id: string): Reply {
  const file = world.media.get(id);
  if (!file) return jsonReply(404, { error: { code: 'not_found', message: 'No such file' } });
  const headers = { 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox" };
  const isShown = /^(image|audio|video)\//.test(file.mimeType) && !file.mimeType.includes('svg');
  return { status: 200, body: file.bytes, contentType: isShown ? file.mimeType : 'application/octet-stream', headers };
}

async function pageFile(name: string): Promise<Reply> {
  const contentType = files[name];
  if (!contentType) return { status: 404, body: 'Not found', contentType: 'text/plain', headers: PAGE_HEADERS };
  const body = await readFile(new URL(`./page/${name}`, import.meta.url));
  return { status: 200, body, contentType, headers: PAGE_HEADERS };
}
