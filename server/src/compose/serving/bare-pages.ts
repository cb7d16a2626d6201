/** What a process without the role `api` has for balancers and collectors, as the API has it too: health and metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '#kernel';
import type { Handler } from './listener.ts';

export interface BarePagesDeps {
  readonly version: string;
  /** What cannot work, in words; nothing: ready. */
  readonly unready: () => Promise<readonly string[]>;
  readonly metrics: () => Promise<string>;
  readonly log: Log;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export function barePages(deps: BarePagesDeps): Handler {
  return (request, response) => {
    // A body has no place here: read and thrown away, so that the connection can be kept.
    request.resume();
    void pageOf(request, deps)
      .catch((error: unknown) => {
        deps.log.error({ error: String(error) }, 'a page could not be made');
        return json(500, { status: 500, title: 'Internal Server Error', code: 'internal' });
      })
      .then((page) => send(response, page));
  };
}

async function pageOf({ method, url = '' }: IncomingMessage, deps: BarePagesDeps): Promise<Page> {
  const path = method === 'GET' ? url.split('?')[0] : undefined;
  if (path === '/health/live') return json(200, { status: 'live', version: deps.version });
  if (path === '/health/ready') {
    const unready = await deps.unready();
    const isReady = unready.length === 0;
    return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'unready', unready });
  }
  if (path === '/metrics') return { status: 200, type: 'text/plain; version=0.0.4', text: await deps.metrics() };
  const detail = 'this process serves no API and no console (ROLES)';
  return json(404, { type: 'about:blank', status: 404, title: 'Not Found', detail, code: 'not-found' });
}

function json(status: number, body: object): Page {
  const type = status < 400 || status === 503 ? 'application/json' : 'application/problem+json';
  return { status, type: `${type}; charset=utf-8`, text: JSON.stringify(body) };
}

function send(response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
