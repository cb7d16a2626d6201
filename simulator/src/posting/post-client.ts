/** The network out: one POST to the configured webhook URL. Redirects are not followed, as no provider follows them. */
import { Agent, request } from 'undici';
import type { PostAnswer } from './posting.ts';

const CONNECTIONS = 64;
const CONNECT_TIMEOUT_MS = 5_000;
/** An answer to a webhook is read up to here; the rest is not needed. */
const ANSWER_LIMIT_BYTES = 65_536;

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
}

export interface PostClient {
  post(posting: PostRequest): Promise<PostAnswer>;
  get(url: string): Promise<PostAnswer>;
  close(): Promise<void>;
}

export function createPostClient(): PostClient {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MS } });
  return {
    post: (posting) =>
      exchange(posting.url, (url) =>
        request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: posting.headers,
          body: posting.body,
          headersTimeout: posting.timeoutMs,
          bodyTimeout: posting.timeoutMs,
        }),
      ),
    get: (target) => exchange(target, (url) => request(url, { dispatcher: agent, method: 'GET' })),
    close: () => agent.destroy(),
  };
}

type Answer = Awaited<ReturnType<typeof request>>;

/** Never throws: what failed is in `error`. */
async function exchange(url: string, send: (url: string) => Promise<Answer>): Promise<PostAnswer> {
  const started = performance.now();
  const since = () => Math.round((performance.now() - started) * 10) / 10;
  try {
    const answer = await send(url);
    const body = await readSome(answer.body);
    const contentType = String(answer.headers['content-type'] ?? '');
    return { status: answer.statusCode, body, contentType, error: null, milliseconds: since() };
  } catch (error) {
    return { status: null, body: '', contentType: '', error: codeOf(error), milliseconds: since() };
  }
}

async function readSome(body: Answer['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= ANSWER_LIMIT_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? error.message;
}
