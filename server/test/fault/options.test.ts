/** What a fault run refuses before anything is begun. */
import { expect, test } from 'vitest';
import { runNames, WrongUse } from '../../../tools/fault/asked.ts';
import { parseAsked } from '../../../tools/fault/options.ts';
import { paceOf } from '../../../tools/fault/sizes.ts';
import { help } from '../../../tools/fault/taken.ts';

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
  ['no webhooks', ['soak', '--webhooks', '0']],
  ['Redis and no Redis', ['soak', '--redis', '--no-redis']],
  ['too few to compare', ['noisy-neighbour', '--webhooks', '99']],
  ['more blows than webhooks', ['soak', '--webhooks', '10', '--kills', '11']],
  ['a pace that leaves the blows no time', ['soak', '--webhooks', '1000', '--kills', '10', '--rate', '300']],
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

test.each([
  ['crash-points', '--webhooks 5'],
  ['crash-points', '--kills 5'],
  ['crash-points', '--redis'],
  ['soak', '--hits 2'],
  ['postgres', '--hits 2'],
  ['postgres', '--redis'],
  ['postgres', '--template /tmp/stage'],
  ['redis', '--hits 2'],
  ['redis', '--no-redis'],
  ['providers', '--kills 2'],
  ['hostile', '--kills 2'],
  ['noisy-neighbour', '--kills 2'],
  ['herd', '--webhooks 5'],
  ['herd', '--template /tmp/stage'],
  ['herd', '--parts 2'],
  ['noisy-neighbour', '--parts 2'],
  ['soak', '--planted resend-blindly --webhooks 5'],
])('%s refuses %s, which would do nothing there, and says what it takes', (name, option) => {
  const refusal = () => parseAsked([name, ...option.split(' ')], { SWITCHYARD_FAULTS: '1' });
  expect(refusal).toThrow(WrongUse);
  expect(refusal).toThrow(/^--[a-z-]+ means nothing to [^\n]+$/);
});

test('tells the options of each run, with an example that may be typed so', () => {
  for (const name of runNames) {
    const [, own = '', example = ''] =
      new RegExp(`^  ${name}: .*\n +(.*)\n +npm run fault -- (.*)$`, 'm').exec(help) ?? [];
    expect(own, name).toContain('--rate N');
    expect(parseAsked(example.split(' '), {})).toMatchObject({ what: { name } });
  }
});

test.each([
  ['soak', [], { webhooks: 3_000, kills: 5 }],
  ['soak', ['--webhooks', '100'], { webhooks: 100, kills: 1 }],
  ['soak', ['--webhooks', '1'], { webhooks: 1, kills: 1 }],
  ['soak', ['--webhooks', '20000', '--rate', '250'], { webhooks: 20_000, kills: 13 }],
  ['soak', ['--webhooks', '1000', '--kills', '10'], { webhooks: 1_000, kills: 10 }],
  ['soak', ['--kills', '0', '--seed', '0'], { webhooks: 3_000, kills: 0, seed: 0 }],
  ['postgres', ['--webhooks', '500'], { webhooks: 500, kills: 5 }],
  ['redis', ['--webhooks', '300'], { webhooks: 300, kills: 3 }],
  ['providers', ['--webhooks', '100'], { webhooks: 100, kills: undefined }],
] as const)('sizes %s %j', (name, args, options) => {
  expect(parseAsked([name, ...args], {})).toMatchObject({ options });
});

test.each([
  [{ webhooks: 3_000, kills: 5, rate: undefined }, 60],
  [{ webhooks: 1_000, kills: 10, rate: undefined }, 16.6],
  [{ webhooks: 1, kills: 1, rate: undefined }, 1],
  [{ webhooks: 100, kills: 0, rate: undefined }, 60],
  [{ webhooks: 1_000, kills: 10, rate: 30 }, 30],
])('leaves blows their time: %j go at %d a second', (size, pace) => {
  expect(paceOf(size)).toBe(pace);
});

test.each([
  [[], undefined],
  [['--redis'], true],
  [['--no-redis'], false],
] as const)('with %j a soak has Redis: %s', (args, hasRedis) => {
  expect(parseAsked(['soak', ...args], {})).toMatchObject({ options: { hasRedis } });
});
