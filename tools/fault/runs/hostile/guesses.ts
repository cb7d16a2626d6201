/**
 * Some thousand guesses at tokens, numbers, names and words. Every miss is answered like every other, near or far, and
 * where what is guessed is no secret (a number), a hit without the secret is answered like a miss. Times are reported only.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type Choices, seeded } from '../../seeded.ts';
import { graphSignature, metaMessage, post, senders, type Targets } from './request.ts';
import type { Tell } from './teller.ts';

interface Guess {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

interface Guessed {
  readonly what: string;
  readonly misses: number;
  readonly miss: (choices: Choices, at: number) => Guess;
  /** `alike`: answered like a miss; else by its own status. */
  readonly hit?: { readonly guess: () => Guess; readonly answer: 'alike' | number };
  readonly answer: number;
}

export interface GuessOutcome {
  readonly failures: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

const connections = 16;
/** Of every so many guesses one is a hit, spread among the misses so that both see the same load. */
const hitEvery = 10;

const probeEveryMs = 100;
/** Of the probes: each as many as the bot answers in a minute, and more. */
const probers = 20;

/** The same with a sound webhook every now and then, which must have its answer. */
export async function guessBesideSound(targets: Targets, seed: number, tell: Tell): Promise<GuessOutcome> {
  const over = new AbortController();
  const probed = probe(targets, tell, over.signal);
  try {
    const { failures, details } = await guess(targets, seed);
    over.abort();
    return { failures, details: { ...details, ...(await probed) } };
  } finally {
    over.abort();
  }
}

async function probe({ mine }: Targets, tell: Tell, over: AbortSignal) {
  let slowestMs = 0;
  let sound = 0;
  for (; !over.aborted; sound += 1) {
    const id = `wamid.hostile.probe.${sound}`;
    const from = `${BigInt(senders.odd) + 1n + BigInt(sound % probers)}`;
    const startedMs = performance.now();
    await tell(post(mine, 'a sound one among guesses', metaMessage(mine, from, id), [200], { takes: [id] }));
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - startedMs));
    await wait(probeEveryMs);
  }
  return { sound, slowestSoundMs: slowestMs };
}

export async function guess(targets: Targets, seed: number): Promise<GuessOutcome> {
  const agent = new Agent({ connections, pipelining: 1 });
  const choices = seeded(seed);
  const failures: string[] = [];
  const details: Record<string, unknown> = {};
  const ask = (one: Guess) => askWith(agent, targets.port, one);
  try {
    for (const guessed of guesses(targets)) {
      const found = await makeAll(guessed, choices, ask);
      failures.push(...judge(guessed, found));
      details[guessed.what] = figuresOf(found);
    }
  } finally {
    await agent.destroy();
  }
  return { failures, details };
}

function guesses({ mine, doors }: Targets): Guessed[] {
  const json = { 'content-type': 'application/json' };
  const unsigned = (path: string): Guess => ({ path, headers: json, body: Buffer.from('{}') });
  const naming = (phoneNumberId: string): Guess => {
    const body = metaMessage({ ...mine, phoneNumberId, wabaId: '0' }, senders.forged, 'wamid.hostile.guess');
    return { path: '/api/whatsapp/webhook', headers: { ...json, ...graphSignature('a guess', body) }, body };
  };
  const sentTo = (number: string): Guess => ({
    path: '/whatsapp/webhook',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': `${'A'.repeat(27)}=` },
    body: Buffer.from(`MessageSid=SM1&From=whatsapp:%2B${senders.forged}&To=whatsapp:%2B${number}&Body=x`),
  });
  const verifying = (word: string): Guess => ({
    method: 'GET',
    path: `/api/whatsapp/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${word}`,
    headers: {},
  });
  return [
    {
      ...{ what: 'tokens', misses: 2_000, answer: 404 },
      miss: (choices, at) =>
        unsigned(mine.path.replace(mine.token, at % 2 ? nearly(mine.token, choices) : `wh_${word(choices, 43)}`)),
      hit: { guess: () => unsigned(mine.path), answer: 401 },
    },
    {
      ...{ what: 'numbers', misses: 1_000, answer: 401 },
      miss: (choices) => naming(digits(choices, 15)),
      hit: { guess: () => naming(mine.phoneNumberId), answer: 'alike' },
    },
    {
      ...{ what: "Twilio's senders", misses: 300, answer: 404 },
      miss: (choices) => sentTo(digits(choices, 11)),
      hit: { guess: () => sentTo(doors.twilio.mine.name.replace(/\D/g, '')), answer: 401 },
    },
    {
      ...{ what: "Evolution's instances", misses: 300, answer: 404 },
      miss: (choices) => unsigned(`/webhooks/evolution/${word(choices, 12)}`),
      hit: { guess: () => unsigned(`/webhooks/evolution/${doors.evolution.mine.name}`), answer: 401 },
    },
    { what: 'verify tokens', misses: 300, answer: 403, miss: (choices) => verifying(word(choices, 24)) },
  ];
}

interface Answer {
  /** Status, headers and body, but for the date. */
  readonly text: string;
  readonly status: number;
  readonly ms: number;
}

interface Found {
  readonly misses: Answer[];
  readonly hits: Answer[];
}

async function makeAll(
  { misses, miss, hit }: Guessed,
  choices: Choices,
  ask: (one: Guess) => Promise<Answer>,
): Promise<Found> {
  const found: Found = { misses: [], hits: [] };
  let next = 0;
  const work = async () => {
    for (let at = next++; at < misses; at = next++) {
      found.misses.push(await ask(miss(choices, at)));
      if (hit && at % hitEvery === 0) found.hits.push(await ask(hit.guess()));
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return found;
}

function judge({ what, answer, hit }: Guessed, { misses, hits }: Found): string[] {
  const words = new Set(misses.map(({ text }) => text));
  const odd = misses.find(({ status }) => status !== answer);
  const failures: string[] = [];
  if (odd) failures.push(`a guess at ${what}: answered ${odd.status}, not ${answer}`);
  if (words.size !== 1) failures.push(`guesses at ${what} were answered in ${words.size} ways`);
  if (!hit) return failures;
  const isRight = ({ status, text }: Answer) => (hit.answer === 'alike' ? words.has(text) : status === hit.answer);
  if (!hits.every(isRight)) failures.push(`${what} that are there are told by the answer: ${hits[0]?.status}`);
  return failures;
}

async function askWith(agent: Agent, port: number, { method = 'POST', path, headers, body }: Guess) {
  const startedMs = performance.now();
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    ...{ method, headers, dispatcher: agent },
    ...(body ? { body } : {}),
  });
  const text = await answer.body.text();
  const shown = Object.entries(answer.headers).filter(([name]) => name !== 'date');
  return {
    text: JSON.stringify([answer.statusCode, shown, text]),
    status: answer.statusCode,
    ms: performance.now() - startedMs,
  };
}

function figuresOf({ misses, hits }: Found): object {
  return { misses: misses.length, missMs: middle(misses), ...(hits.length > 0 ? { hitMs: middle(hits) } : {}) };
}

function middle(answers: readonly Answer[]): number {
  const sorted = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function word(choices: Choices, length: number): string {
  return Array.from({ length }, () => letters[choices.below(letters.length)]).join('');
}

function digits(choices: Choices, length: number): string {
  return `9${Array.from({ length: length - 1 }, () => choices.below(10)).join('')}`;
}

/** One letter of it another one. */
function nearly(token: string, choices: Choices): string {
  const at = choices.below(token.length);
  return `${token.slice(0, at)}${token[at] === 'x' ? 'y' : 'x'}${token.slice(at + 1)}`;
}
