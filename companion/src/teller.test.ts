import { expect, test, vi } from 'vitest';
import { silentLog } from './log.ts';
import { ServerRefused } from './server-client.ts';
import { Teller, tellerLimits } from './teller.ts';

/** A server that takes what `fits` (what is signed with the key of now), and refuses the rest with `status`. */
function stage(status: number) {
  const at = {
    ...{ key: 'old', elapsedMs: 100, until: Promise.resolve() },
    fits: (_body: string) => at.key === 'new',
  };
  const [taken, refused]: [string[], string[]] = [[], []];
  const lease = () => ({ fence: 1, leaseMs: 1_000, webhookUrl: '/', webhookKey: at.key, apiKey: null });
  const teller = new Teller({
    server: {
      broadcast: () => Promise.resolve(),
      postWebhook: async (_keys, body) => {
        await at.until;
        const fits = at.fits(body);
        (fits ? taken : refused).push(body);
        if (!fits) throw new ServerRefused(status, `HTTP ${status}`);
      },
    },
    lease,
    elapsedMs: () => at.elapsedMs,
    random: () => 1,
    log: silentLog,
    lost: () => undefined,
  });
  return { at, taken, refused, teller };
}

test.each([401, 404])('news that is refused with %i is kept until the lease brings new keys', async (status) => {
  const { at, taken, refused, teller } = stage(status);
  teller.post('one');
  teller.post('two');
  await vi.waitFor(() => expect(refused).toContain('one'));
  // A renewal that was asked for before the refusal may have come with the keys of then.
  teller.noteRenewal(50);
  await vi.waitFor(() => expect(refused.length).toBeGreaterThan(1));
  expect([new Set(refused), teller.waiting]).toEqual([new Set(['one']), 2]);
  at.key = 'new';
  teller.noteRenewal(150);
  await vi.waitFor(() => expect(taken).toEqual(['one', 'two']));
  await teller.close(0);
});

test('news that is refused under the keys of a later renewal too is let go, and the next has its own chance', async () => {
  const { at, taken, refused, teller } = stage(401);
  teller.post('one');
  teller.post('two');
  await vi.waitFor(() => expect(refused).toContain('one'));
  teller.noteRenewal(150);
  at.elapsedMs = 200;
  await vi.waitFor(() => expect(refused).toContain('two'));
  at.key = 'new';
  teller.noteRenewal(250);
  await vi.waitFor(() => expect(taken).toEqual(['two']));
  await teller.close(0);
});

test('news that is refused for what it is, is let go', async () => {
  const { refused, teller } = stage(400);
  teller.post('one');
  await vi.waitFor(() => expect([refused, teller.waiting]).toEqual([['one'], 0]));
  await teller.close(0);
});

test('news that is too large for the server is told without its files, and let go where it has none', async () => {
  const { at, taken, refused, teller } = stage(413);
  const message = { imageMessage: { caption: 'base64' } };
  const lighter = JSON.stringify({ id: 'evt', payload: { messages: [{ message }] } });
  const body = JSON.stringify({ id: 'evt', payload: { messages: [{ message: { ...message, base64: 'AAAA' } }] } });
  at.fits = (told) => told === lighter || told === '"next"';
  teller.post(body);
  teller.post('{"text":"too long"}');
  teller.post('"next"');
  await vi.waitFor(() => expect(taken).toEqual([lighter, '"next"']));
  expect(refused).toEqual([body, '{"text":"too long"}']);
  await teller.close(0);
});

test('where there is no room the oldest is let go, and no other with it, though it was under way', async () => {
  const { at, taken, teller } = stage(400);
  const answer = Promise.withResolvers<void>();
  Object.assign(at, { key: 'new', until: answer.promise });
  const bodies = Array.from({ length: tellerLimits.maxNews + 1 }, (_, n) => String(n));
  for (const body of bodies) teller.post(body);
  answer.resolve();
  await vi.waitFor(() => expect(teller.waiting).toBe(0));
  expect(taken).toEqual(bodies);
  await teller.close(0);
});
