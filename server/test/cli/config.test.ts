/** One table of settings: what is taken, what falls back on what, and the line that names what is wrong. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '#config';

const defaults = parseConfig({});

describe('settings', () => {
  it('start everything on this machine when nothing is set', () => {
    expect(defaults).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      localUrl: 'http://127.0.0.1:3000',
      isDemo: true,
      databaseUrl: undefined,
      redisUrl: undefined,
      publicUrl: undefined,
      roles: ['gateway', 'api', 'worker'],
      features: { bot: true, campaigns: true, reminders: true },
      v2WebhookPath: '/whatsapp-v2/webhook',
      given: [],
      overruled: [],
    });
    expect(defaults.dataFolder).toMatch(/^\/.*\.switchyard$/);
  });

  it('count an empty variable as absent', () => {
    expect(parseConfig({ PORT: '', DATABASE_URL: '', ROLES: '' })).toEqual(defaults);
  });

  it.each([
    [{ PORT: '8080' }, { port: 8080, localUrl: 'http://127.0.0.1:8080' }],
    [{ HOST: '0.0.0.0' }, { localUrl: 'http://127.0.0.1:3000' }],
    [{ HOST: '::' }, { localUrl: 'http://[::1]:3000' }],
    [{ SWITCHYARD_DEMO: '0' }, { isDemo: false }],
    [{ ROLES: ' gateway , worker ' }, { roles: ['gateway', 'worker'] }],
    [{ PUBLIC_URL: 'https://hooks.example.com/' }, { publicUrl: 'https://hooks.example.com' }],
    [{ META_APP_SECRET: 'one, two' }, { metaAppSecrets: ['one', 'two'] }],
    [{ USE_NEW_WHATSAPP_BOT: 'false' }, { features: { bot: false, campaigns: true, reminders: true } }],
    [{ DATABASE_URL: 'postgres://u:p@db/x' }, { databaseUrl: 'postgres://u:p@db/x' }],
    [{ REDIS_URL: 'rediss://cache:6380' }, { redisUrl: 'rediss://cache:6380' }],
    [{ INBOX_LEASE_MS: '2000' }, { leaseMs: 2000 }],
    [{}, { stopNoticeMs: 0 }],
    [{ DATABASE_URL: 'postgres://u:p@db/x' }, { stopNoticeMs: 3000 }],
    [{ DATABASE_URL: 'postgres://u:p@db/x', STOP_NOTICE_MS: '0' }, { stopNoticeMs: 0 }],
    [{ SWITCHYARD_DEMO: '0' }, { outboundAllowed: [] }],
    [{ OUTBOUND_ALLOWED: '10.1.0.0/16', SWITCHYARD_DEMO: '0' }, { outboundAllowed: [{ text: '10.1.0.0/16' }] }],
    [
      { PORT: '4000' },
      { outboundAllowed: [{ text: '127.0.0.1:4001-4005', ports: [4001, 4005] }, { text: '[::1]:4001-4005' }] },
    ],
  ])('take %j', (env, wanted) => {
    expect(parseConfig(env)).toMatchObject(wanted);
  });

  it('read the older names of a database, and say so', () => {
    const config = parseConfig({ DB_HOST: 'db', DB_NAME: 'shop', DB_USER: 'us er', DB_PASSWORD: 'p/w' });
    expect(config.databaseUrl).toBe('postgres://us%20er:p%2Fw@db:5432/shop');
    expect(config.origins.databaseUrl).toContain('DB_HOST');
    expect(config.overruled).toEqual([]);
  });

  it('read the older names of Redis and of the verify token', () => {
    const config = parseConfig({
      REDIS_HOST: 'cache',
      REDIS_PASSWORD: 'p@w',
      REDIS_DB: '2',
      WHATSAPP_VERIFY_TOKEN: 'v',
    });
    expect(config.redisUrl).toBe('redis://:p%40w@cache:6379/2');
    expect(config.metaVerifyTokens).toEqual(['v']);
    expect(config.origins.metaVerifyTokens).toBe('WHATSAPP_VERIFY_TOKEN');
  });

  it('let the newer name win, and name the older ones that do not count', () => {
    const config = parseConfig({
      DATABASE_URL: 'postgres://new/x',
      DB_HOST: 'old',
      DB_NAME: 'x',
      DB_USER: 'u',
      REDIS_URL: 'redis://new',
      REDIS_HOST: 'old',
      META_VERIFY_TOKEN: 'new',
      WHATSAPP_VERIFY_TOKEN: 'old',
    });
    expect(config).toMatchObject({
      databaseUrl: 'postgres://new/x',
      redisUrl: 'redis://new',
      metaVerifyTokens: ['new'],
      overruled: ['DB_HOST', 'DB_NAME', 'DB_USER', 'REDIS_HOST', 'WHATSAPP_VERIFY_TOKEN'],
    });
  });

  it.each([
    [{ PORT: 'abc' }, 'PORT="abc": must be a whole number from 1 to 65535'],
    [{ PORT: '0' }, 'PORT="0": must be a whole number'],
    [{ PORT: '1e3' }, 'PORT="1e3": must be a whole number'],
    [{ PORT: '65531' }, 'PORT=65531: the stand-in providers need the 5 ports after it'],
    [{ SWITCHYARD_DEMO: 'maybe' }, 'SWITCHYARD_DEMO="maybe": must be 1 or 0'],
    [{ SWITCHYARD_LOG: 'loud' }, 'SWITCHYARD_LOG="loud": must be debug, info, warn, error or silent'],
    [{ ROLES: 'gateway,cook' }, 'ROLES="gateway,cook": must be one or more of gateway, api, worker'],
    [{ ROLES: ',' }, 'ROLES=",": must be one or more of gateway, api, worker'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL="mysql://x": must be a URL like postgres://'],
    [{ REDIS_URL: 'cache:6379' }, 'REDIS_URL="cache:6379": must be a URL like redis://host:6379'],
    [{ PUBLIC_URL: 'hooks.example.com' }, 'PUBLIC_URL="hooks.example.com": must be a URL like https://host'],
    [{ META_GRAPH_URL: 'ftp://x' }, 'META_GRAPH_URL="ftp://x": must be a URL like https://host'],
    [{ OUTBOUND_ALLOWED: '10.0.0.0/8, intranet' }, 'OUTBOUND_ALLOWED="10.0.0.0/8, intranet": intranet is not like'],
    [{ WHATSAPP_V2_WEBHOOK_PATH: 'hook' }, 'WHATSAPP_V2_WEBHOOK_PATH="hook": must be a path'],
    [{ DB_HOST: 'db', DB_NAME: 'x' }, 'DB_USER is missing'],
  ])('refuse %j in one line', (env, line) => {
    expect(() => parseConfig(env)).toThrow(line);
    expect(() => parseConfig(env)).toThrow(/^[^\n]*$/);
  });

  it.each([
    [{ DATABASE_URL: 'postgres//user:hunter2@db' }],
    [{ REDIS_URL: 'http://:hunter2@cache' }],
    [{ DATABASE_URL: 'user:hunter2@db/x' }],
  ])('never show a password: %j', (env) => {
    expect(() => parseConfig(env)).toThrow(/must be a URL/);
    expect(() => parseConfig(env)).not.toThrow(/hunter2/);
  });
});
