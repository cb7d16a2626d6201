/** People who log in all at once: a process of its own, told by one message, answering with one. */
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

export interface FloodOrder {
  readonly port: number;
  readonly people: number;
}

export interface FloodReport {
  readonly begunAtMs: number;
  readonly endedAtMs: number;
  /** By status: those whose password was looked at; `never`: those who gave up. */
  readonly answered: Readonly<Record<string, number>>;
  /** How often somebody was told that the line is full. */
  readonly toldToComeBack: number;
}

/** Nobody tries longer. */
const patienceMs = 45_000;

async function flood(order: FloodOrder): Promise<FloodReport> {
  const dispatcher = new Agent({ connections: null });
  const begunAtMs = Date.now();
  const people = await Promise.all(
    Array.from({ length: order.people }, (_, who) => logIn(order.port, who, dispatcher)),
  );
  const endedAtMs = Date.now();
  await dispatcher.close();
  const answered: Record<string, number> = {};
  for (const { status } of people) answered[status] = (answered[status] ?? 0) + 1;
  return { begunAtMs, endedAtMs, answered, toldToComeBack: people.reduce((sum, { returns }) => sum + returns, 0) };
}

/** Comes back after as many seconds as it is told, until somebody has looked at the password. */
async function logIn(port: number, who: number, dispatcher: Agent) {
  const lastMs = performance.now() + patienceMs;
  for (let returns = 0; performance.now() < lastMs; returns += 1) {
    const answer = await request(`http://127.0.0.1:${port}/api/v1/session`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'sec-fetch-site': 'same-origin',
        'x-forwarded-proto': 'https',
        // Places and addresses of their own: what is measured is the hashing, not the limit of guesses.
        'x-forwarded-for': `198.18.${who >> 8}.${who & 255}`,
      },
      body: JSON.stringify({ email: `person-${who}-${returns >> 3}@example.com`, password: 'a guess' }),
      dispatcher,
    });
    await answer.body.dump();
    if (answer.statusCode !== 429) return { status: String(answer.statusCode), returns };
    await pause(Number(answer.headers['retry-after'] ?? 1) * 1_000);
  }
  return { status: 'never', returns: 0 };
}

process.on('message', (order: FloodOrder) => {
  flood(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
