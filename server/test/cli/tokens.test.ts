/** Tokens and the webhook at the provider, by commands, against the stand-ins. */
import { type Simulator, startSimulator } from '@switchyard/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandLine, openCommandLine } from './world.ts';

let plain: CommandLine;
let line: CommandLine;
let simulator: Simulator;
let account: { readonly id: string; readonly token: string };

const older = 'https://old.example.com/webhooks/evolution/clinic';

beforeAll(async () => {
  [plain, simulator] = await Promise.all([openCommandLine(), startSimulator({ seed: 3 })]);
  line = plain.with({
    OUTBOUND_ALLOWED: new URL(simulator.urls.evolution).host,
    PUBLIC_URL: 'https://hooks.example.com',
  });
  await line.run('workspace', 'create', 'Clinic');
  const made = await line.json<{ account: { id: string }; token: string }>(
    ...['account', 'add', '--workspace', 'clinic', '--provider', 'evolution', '--name', 'Front desk'],
    ...['--phone', '+15550100200', '--setting', 'instance=clinic-one', '--secret', 'apiKey=a-key', '--active'],
    ...['--setting', `baseUrl=${simulator.urls.evolution}`],
  );
  account = { id: made.document.account.id, token: made.document.token };
  const number = { provider: 'evolution', number: '+15550100200', ids: { instance: 'clinic-one' } };
  await fetch(`${simulator.urls.phone}/control/numbers`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...number, secrets: { apiKey: 'a-key' }, webhookUrl: older }),
  });
});
afterAll(async () => {
  await simulator.close();
  await plain.close();
});

interface Listed {
  readonly tokens: readonly Record<string, unknown>[];
}

const urlOf = (token: string) => `https://hooks.example.com/webhooks/evolution/whatsapp/${token}`;

it('lists everything about a token, what is set at the provider too', async () => {
  const { status, document } = await line.json<Listed>('tokens', '--workspace', 'clinic');
  expect(status).toBe(0);
  expect(document.tokens).toEqual([
    expect.objectContaining({
      ...{ name: 'Front desk', workspace: 'Clinic', instance: 'clinic-one', status: 'disconnected', enabled: true },
      ...{ phone: '+15550100200', token: account.token, url: urlOf(account.token), accountId: account.id },
      ...{ lastUsedAt: null, oldUrlLastUsedAt: null, providerUrl: older, providerUrlIs: 'other' },
    }),
  ]);
  const shown = await line.run('tokens');
  for (const words of ['Front desk', 'Clinic', 'clinic-one', '+15550100200', account.token, `${older} (not ours)`])
    expect(shown.stdout).toContain(words);
});

it('asks no provider when told not to, and says why one could not be asked', async () => {
  const { document } = await line.json<Listed>('tokens', '--no-find');
  expect(document.tokens[0]).toMatchObject({ providerUrl: null, providerUrlIs: null, providerFailure: null });
  // Without the operator's leave the base URL leads inside.
  const strict = await plain.json<Listed>('tokens');
  expect(strict.document.tokens[0]).toMatchObject({
    providerUrl: null,
    providerFailure: expect.stringMatching(/may not/),
  });
});

/** Each command opens the product and closes it again, which is slow on a busy machine. */
const manyCommandsMs = 60_000;

describe('the webhook at the provider', () => {
  it(
    'is found, set and put back',
    async () => {
      expect((await line.json('webhook', 'find', account.id)).document).toMatchObject({ url: older, match: 'other' });
      const ours = { url: urlOf(account.token), match: 'current', level: 'instance' };
      expect(await line.json('webhook', 'set', account.token)).toMatchObject({ status: 0, document: ours });
      const undone = await line.run('webhook', 'undo', account.id);
      expect([undone.status, undone.stdout]).toEqual([0, expect.stringContaining(`${older}: not ours`)]);
      const again = await line.json<{ error: { message: string } }>('webhook', 'undo', account.id);
      expect([again.status, again.document.error.message]).toEqual([1, expect.stringContaining('undone')]);
    },
    manyCommandsMs,
  );

  it('is not set for an account that is not there', async () => {
    expect(await line.run('webhook', 'set', 'acc_nobody')).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('a rotation', () => {
  it(
    'is made, retired and undone',
    async () => {
      const rotated = await line.json<{ token: string }>('tokens', 'rotate', account.id);
      expect(rotated.status).toBe(0);
      expect((await line.run('tokens', 'rotate', account.id)).stderr).toContain('two tokens are valid');
      expect((await line.run('tokens', 'retire', rotated.document.token)).status).toBe(1);
      expect((await line.json('tokens', 'retire', account.token)).status).toBe(0);
      expect((await line.json('tokens', 'undo', account.id)).document).toMatchObject({ token: account.token });
      const { tokens } = (await line.json<Listed>('tokens', '--no-find')).document;
      expect(tokens.map(({ token, retiresAt }) => [token, retiresAt === null])).toEqual([
        [account.token, true],
        [rotated.document.token, false],
      ]);
    },
    manyCommandsMs,
  );
});
