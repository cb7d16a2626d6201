/** What a fault run refuses before anything is begun. */
import { expect, test } from 'vitest';
import { parseAsked, WrongUse } from '../../../tools/fault/options.ts';

test.each([
  ['somebody’s database', { DATABASE_URL: 'postgres://u:secret@127.0.0.1/shop' }, 'DATABASE_URL is set'],
  ['one that is named otherwise', { DB_HOST: 'localhost' }, 'DB_HOST is set'],
  ['a Redis elsewhere', { REDIS_URL: 'redis://:secret@10.0.0.7:6379' }, 'REDIS_URL leads away'],
  ['a provider’s own address', { META_GRAPH_URL: 'https://graph.facebook.com' }, 'META_GRAPH_URL leads away'],
  ['a name that begins like ours', { TWILIO_API_URL: 'http://localhost.example.com' }, 'TWILIO_API_URL leads away'],
  ['our name before another', { EVOLUTION_API_URL: 'http://127.0.0.1@example.com' }, 'EVOLUTION_API_URL leads away'],
])('refuses to run with %s in the environment', (_what, env, told) => {
  const refusal = () => parseAsked(['soak'], env);
  expect(refusal).toThrow(WrongUse);
  expect(refusal).toThrow(told);
  expect(refusal).not.toThrow(/secret/);
});

test.each([
  ['an option that there is not', ['soak', '--address', '10.0.0.1']],
  ['a number below none', ['soak', '--seed', '-1']],
  ['a word for a number', ['soak', '--webhooks', 'many']],
  ['more than there may be', ['soak', '--rate', '1e9']],
  ['two names', ['soak', 'herd']],
  ['a planted bug that is asked for once', ['soak', '--planted', 'resend-blindly']],
  ['parts that are kept nowhere', ['soak', '--webhooks', '100', '--parts', '2']],
])('says in one line what is wrong with %s', (_what, args) => {
  const refusal = () => parseAsked(args, {});
  expect(refusal).toThrow(WrongUse);
  expect(refusal).toThrow(/^[^\n]+$/);
});

test.each([
  {},
  { REDIS_URL: 'redis://:p@127.0.0.1:6379/1' },
  { META_GRAPH_URL: 'http://[::1]:3002' },
  { DATABASE_URL: '' },
])('runs with %o', (env) => {
  expect(parseAsked(['soak', '--seed', '4'], env)).toMatchObject({ what: { name: 'soak' }, options: { seed: 4 } });
});
