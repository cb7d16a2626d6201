import { type ClientRequest, request } from 'node:http';

export interface Heard {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** One event stream, read as a browser's EventSource reads it. */
export interface Listening {
  readonly status: number;
  readonly heard: Heard[];
  readonly isEnded: boolean;
  /** The data of each `change` so far. */
  changes(): unknown[];
}

const streams: ClientRequest[] = [];

/** Resolves with the first event, or with the end where there is none. */
export async function listen(
  port: number,
  headers: Readonly<Record<string, string>>,
  path = '/api/v1/events',
): Promise<Listening> {
  const heard: Heard[] = [];
  const state = { status: 0, isEnded: false };
  await new Promise<void>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      state.status = answer.statusCode ?? 0;
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        const frames = (text + piece).split('\n\n');
        text = frames.pop() ?? '';
        heard.push(...frames.flatMap(readFrame));
        if (heard.length > 0) resolve();
      });
      answer.on('error', () => {
        // A stream that is cut is closed next, which is what tests look at.
      });
      answer.on('close', () => {
        state.isEnded = true;
        resolve();
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
    streams.push(outgoing);
  });
  return {
    heard,
    get status() {
      return state.status;
    },
    get isEnded() {
      return state.isEnded;
    },
    changes: () => heard.filter(({ event }) => event === 'change').map(({ data }) => JSON.parse(data) as unknown),
  };
}

export function stopListening(): void {
  for (const stream of streams.splice(0)) stream.destroy();
}

function readFrame(frame: string): Heard[] {
  const fields = new Map(frame.split('\n').map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]));
  const event = fields.get('event');
  return event ? [{ event, data: fields.get('data') ?? '', id: fields.get('id') ?? '' }] : [];
}
