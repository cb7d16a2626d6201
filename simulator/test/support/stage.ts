/** One simulator and one receiver for a test file, with the calls that nearly every test makes. */
import { type Simulator, startSimulator } from '../../src/index.ts';
import { createReceiver, type Receiver } from './receiver.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers of five providers are read field by field, and a wrong one fails the assertion.
  readonly json: any;
  readonly headers: Headers;
}

export interface Stage {
  readonly simulator: Simulator;
  readonly receiver: Receiver;
  control(method: string, path: string, body?: unknown): Promise<Answer>;
  call(url: string, init?: RequestInit): Promise<Answer>;
  register(settings: Record<string, unknown>): Promise<Answer>;
  inbound(body: Record<string, unknown>): Promise<Answer>;
  faults(...rules: Record<string, unknown>[]): Promise<Answer>;
  // biome-ignore lint/suspicious/noExplicitAny: see Answer.
  ledger(query?: string): Promise<any[]>;
  close(): Promise<void>;
}

export async function setStage(): Promise<Stage> {
  const receiver = await createReceiver();
  const simulator = await startSimulator({ seed: 7, settings: { retryTimeScale: 0, qrCycleMs: 5 } });
  const control = (method: string, path: string, body?: unknown) =>
    call(`${simulator.urls.phone}/control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    simulator,
    receiver,
    control,
    call,
    register: (settings) => control('PUT', 'numbers', { webhookUrl: receiver.url, ...quick, ...settings }),
    inbound: (body) => control('POST', 'inbound', body),
    faults: (...rules) => control('PUT', 'faults', { seed: 3, rules }),
    ledger: async (query = '') => (await control('GET', `ledger?${query}`)).json.entries,
    close: async () => {
      await simulator.close();
      await receiver.close();
    },
  };
}

const quick = { receiptDelaysMs: { sent: 0, delivered: 5, read: 10 } };

async function call(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, text, json: parse(text), headers: response.headers };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Some answers are meant not to be JSON; a test that reads a field of them fails by itself.
    return undefined;
  }
}
