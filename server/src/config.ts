/**
 * The only reader of the environment. A wrong value stops the start with one line that names it; names that teams have
 * from before are fallbacks, and `doctor` shows which one counted.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { type AddressRange, parseRange } from '#channels';
import { type CrashPlan, parseCrashPlan } from '#kernel';

export const roles = ['gateway', 'api', 'worker'] as const;
export type Role = (typeof roles)[number];

/** A setting that cannot be used; its message is one line for a person. */
export class WrongSetting extends Error {
  override readonly name = 'WrongSetting';
}

/** The stand-in providers listen on the ports after the server's own. */
export const simulatorPorts = 5;

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);
const port = whole(1, 65_535);
const flag = z.stringbool({ error: 'must be 1 or 0 (true or false, yes or no, on or off)' });
const urlOf = (protocol: RegExp, example: string) => z.url({ protocol, error: `must be a URL like ${example}` });
const postgresUrl = urlOf(/^postgres(ql)?$/, 'postgres://user:password@host:5432/database');
const redisUrlShape = urlOf(/^rediss?$/, 'redis://host:6379');
const httpUrl = urlOf(/^https?$/, 'https://host').transform((text) => text.replace(/\/+$/, ''));
const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
const rolesWanted = 'must be one or more of gateway, api, worker, by commas';
const addressRanges = commaList.transform((texts, context): readonly AddressRange[] =>
  texts.flatMap((text) => {
    const range = parseRange(text);
    if (!range) context.addIssue(`${text} is not like 10.1.0.0/16, 192.168.1.7:8080 or [fd00::7]:8080`);
    return range ?? [];
  }),
);
const webhookPath = z.string().regex(/^\/[\w./-]*$/, 'must be a path like /whatsapp-v2/webhook');

const environmentSchema = z.object({
  PORT: port.default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  SWITCHYARD_DATA: z.string().min(1).default('.switchyard'),
  SWITCHYARD_KEY: z.string().min(1).optional(),
  SWITCHYARD_DEMO: flag.default(true),
  SWITCHYARD_LOG: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'must be debug, info, warn, error or silent' })
    .default('info'),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_APP_URL: postgresUrl.optional(),
  DATABASE_GATEWAY_URL: postgresUrl.optional(),
  DATABASE_WORKER_URL: postgresUrl.optional(),
  DB_HOST: z.string().min(1).optional(),
  DB_PORT: port.default(5432),
  DB_NAME: z.string().min(1).optional(),
  DB_USER: z.string().min(1).optional(),
  DB_PASSWORD: z.string().optional(),
  REDIS_URL: redisUrlShape.optional(),
  REDIS_HOST: z.string().min(1).optional(),
  REDIS_PORT: port.default(6379),
  REDIS_PASSWORD: z.string().optional(),
  REDIS_DB: whole(0, 65_535).default(0),
  ROLES: commaList
    .pipe(z.array(z.enum(roles, { error: rolesWanted })).min(1, { error: rolesWanted }))
    .default([...roles]),
  PUBLIC_URL: httpUrl.optional(),
  TRUST_PROXY: flag.default(false),
  OUTBOUND_ALLOWED: addressRanges.default([]),
  INBOX_LEASE_MS: whole(500, 600_000).default(30_000),
  SEND_TIMEOUT_MS: whole(500, 120_000).default(15_000),
  UNCERTAIN_WAIT_MS: whole(500, 600_000).default(30_000),
  STOP_NOTICE_MS: whole(0, 5_000).optional(),
  MAX_CONNECTED_ACCOUNTS: whole(0, 100_000).default(10),
  SWITCHYARD_FAULTS: flag.default(false),
  SWITCHYARD_CRASH_POINT: z.string().optional(),
  USE_NEW_WHATSAPP_BOT: flag.default(true),
  ENABLE_CAMPAIGNS: flag.default(true),
  ENABLE_REMINDERS: flag.default(true),
  WHATSAPP_V2_WEBHOOK_PATH: webhookPath.default('/whatsapp-v2/webhook'),
  WHATSAPP_VERIFY_TOKEN: z.string().min(1).optional(),
  META_APP_SECRET: commaList.default([]),
  META_VERIFY_TOKEN: commaList.optional(),
  INSTAGRAM_APP_SECRET: commaList.default([]),
  INSTAGRAM_VERIFY_TOKEN: commaList.default([]),
  META_GRAPH_URL: httpUrl.default('https://graph.facebook.com'),
  INSTAGRAM_GRAPH_URL: httpUrl.default('https://graph.instagram.com'),
  TWILIO_API_URL: httpUrl.default('https://api.twilio.com'),
  EVOLUTION_API_URL: httpUrl.optional(),
  WEBJS_COMPANION_URL: httpUrl.optional(),
  SMTP_URL: urlOf(/^smtps?$/, 'smtp://user:password@host:587').optional(),
  MAIL_FROM: z.email({ error: 'must be an e-mail address' }).optional(),
  LEDGER: flag.default(true),
});

type Environment = z.infer<typeof environmentSchema>;

export interface Config {
  readonly port: number;
  readonly host: string;
  /** How a program on this machine reaches the server, without a trailing slash. */
  readonly localUrl: string;
  /** Absolute path. */
  readonly dataFolder: string;
  readonly masterKey: string | undefined;
  readonly isDemo: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** undefined: the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly roleUrls: {
    readonly app: string | undefined;
    readonly gateway: string | undefined;
    readonly worker: string | undefined;
  };
  readonly redisUrl: string | undefined;
  readonly roles: readonly Role[];
  /** Scheme and host as the world knows us, without a trailing slash. */
  readonly publicUrl: string | undefined;
  readonly isProxyTrusted: boolean;
  /** Addresses outside the internet's that URLs of tenants may lead to; with the demo, the stand-ins' own. */
  readonly outboundAllowed: readonly AddressRange[];
  readonly leaseMs: number;
  /** How long a provider's whole answer may take. */
  readonly sendTimeoutMs: number;
  /** How long later messages of a conversation wait for one of which nobody knows whether it went out. */
  readonly uncertainWaitMs: number;
  /** Told to stop, webhooks are taken for so long while `/health/ready` says 503 already: for a balancer to look elsewhere. */
  readonly stopNoticeMs: number;
  /** Of a workspace whose own settings name no other number. */
  readonly maxConnectedAccounts: number;
  /** Where a fault test wants this process to end; null in all earnest. */
  readonly crashPlan: CrashPlan | null;
  readonly features: { readonly bot: boolean; readonly campaigns: boolean; readonly reminders: boolean };
  readonly v2WebhookPath: string;
  readonly metaAppSecrets: readonly string[];
  readonly metaVerifyTokens: readonly string[];
  readonly instagramAppSecrets: readonly string[];
  readonly instagramVerifyTokens: readonly string[];
  readonly providerUrls: {
    readonly meta: string;
    readonly instagram: string;
    readonly twilio: string;
    /** undefined: the account's own base URL is needed. */
    readonly evolution: string | undefined;
    readonly webjs: string | undefined;
  };
  /** null: no mail is sent. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | null;
  /** Off, for a measurement beside it: nothing is counted, balanced, watched, held back, or kept of a turn's way. */
  readonly isLedgerOn: boolean;
  /** Which variable each derived setting came from: `databaseUrl: DB_HOST…`. */
  readonly origins: Readonly<Record<string, string>>;
  /** Our variables that are set; all else is as it is by default. */
  readonly given: readonly string[];
  /** Older names that are set and do not count, since a newer one is set too. */
  readonly overruled: readonly string[];
}

/** Throws WrongSetting. Empty variables count as absent. */
export function parseConfig(env: NodeJS.ProcessEnv): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(present);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? '');
    throw new WrongSetting(`${name}=${shown(name, present[name])}: ${issue?.message ?? 'is wrong'}`);
  }
  return derive(parsed.data, present);
}

function checkSimulatorPorts(env: Environment): void {
  if (!env.SWITCHYARD_DEMO || env.PORT + simulatorPorts <= 65_535) return;
  throw new WrongSetting(
    `PORT=${env.PORT}: the stand-in providers need the ${simulatorPorts} ports after it; take a lower one, or set SWITCHYARD_DEMO=0`,
  );
}

/** An address that means "all of this machine's" is no address to call. */
function localUrlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** The stand-ins of the demo listen where the server does, which is nowhere that a tenant's URL may lead else. */
function standInRanges({ SWITCHYARD_DEMO, HOST, PORT }: Environment): readonly AddressRange[] {
  if (!SWITCHYARD_DEMO) return [];
  const ports = `${PORT + 1}-${PORT + simulatorPorts}`;
  const hosts = ['127.0.0.1', '::1', HOST];
  return [...new Set(hosts)].flatMap((host) => parseRange(`${host.includes(':') ? `[${host}]` : host}:${ports}`) ?? []);
}

/** The value as far as it may be shown: no secret, no password in a URL. */
function shown(name: string, value: string | undefined): string {
  if (/KEY|SECRET|TOKEN|PASSWORD/.test(name)) return '…';
  return JSON.stringify((value ?? '').replace(/^.*@/s, '…@'));
}

/** With a database of its own a process is usually the only one: nobody would take webhooks in its place. */
const besideOthersMs = 3_000;

function derive(env: Environment, present: Readonly<Record<string, string | undefined>>): Config {
  checkSimulatorPorts(env);
  const database = databaseUrl(env);
  const redis = redisUrl(env);
  const given = Object.keys(environmentSchema.shape).filter((name) => present[name] !== undefined);
  return {
    port: env.PORT,
    host: env.HOST,
    localUrl: localUrlOf(env.HOST, env.PORT),
    dataFolder: resolve(env.SWITCHYARD_DATA),
    masterKey: env.SWITCHYARD_KEY,
    isDemo: env.SWITCHYARD_DEMO,
    logLevel: env.SWITCHYARD_LOG,
    databaseUrl: database.url,
    roleUrls: { app: env.DATABASE_APP_URL, gateway: env.DATABASE_GATEWAY_URL, worker: env.DATABASE_WORKER_URL },
    redisUrl: redis.url,
    roles: env.ROLES,
    publicUrl: env.PUBLIC_URL,
    isProxyTrusted: env.TRUST_PROXY,
    outboundAllowed: [...env.OUTBOUND_ALLOWED, ...standInRanges(env)],
    leaseMs: env.INBOX_LEASE_MS,
    sendTimeoutMs: env.SEND_TIMEOUT_MS,
    uncertainWaitMs: env.UNCERTAIN_WAIT_MS,
    stopNoticeMs: env.STOP_NOTICE_MS ?? (database.url === undefined ? 0 : besideOthersMs),
    maxConnectedAccounts: env.MAX_CONNECTED_ACCOUNTS,
    crashPlan: crashPlan(env),
    features: { bot: env.USE_NEW_WHATSAPP_BOT, campaigns: env.ENABLE_CAMPAIGNS, reminders: env.ENABLE_REMINDERS },
    v2WebhookPath: env.WHATSAPP_V2_WEBHOOK_PATH,
    metaAppSecrets: env.META_APP_SECRET,
    metaVerifyTokens: env.META_VERIFY_TOKEN ?? (env.WHATSAPP_VERIFY_TOKEN ? [env.WHATSAPP_VERIFY_TOKEN] : []),
    instagramAppSecrets: env.INSTAGRAM_APP_SECRET,
    instagramVerifyTokens: env.INSTAGRAM_VERIFY_TOKEN,
    providerUrls: {
      meta: env.META_GRAPH_URL,
      instagram: env.INSTAGRAM_GRAPH_URL,
      twilio: env.TWILIO_API_URL,
      evolution: env.EVOLUTION_API_URL,
      webjs: env.WEBJS_COMPANION_URL,
    },
    mail: mailSettings(env),
    isLedgerOn: env.LEDGER,
    given,
    overruled: given.filter((name) => overrulers.some(([older, newer]) => older.test(name) && present[newer])),
    origins: {
      publicUrl: env.PUBLIC_URL ? 'PUBLIC_URL' : 'HOST and PORT',
      databaseUrl: database.origin,
      redisUrl: redis.origin,
      metaVerifyTokens: env.META_VERIFY_TOKEN
        ? 'META_VERIFY_TOKEN'
        : env.WHATSAPP_VERIFY_TOKEN
          ? 'WHATSAPP_VERIFY_TOKEN'
          : 'none',
      masterKey: present.SWITCHYARD_KEY ? 'SWITCHYARD_KEY' : 'data folder',
    },
  };
}

const overrulers: readonly (readonly [older: RegExp, newer: string])[] = [
  [/^DB_/, 'DATABASE_URL'],
  [/^REDIS_(?:HOST|PORT|PASSWORD|DB)$/, 'REDIS_URL'],
  [/^WHATSAPP_VERIFY_TOKEN$/, 'META_VERIFY_TOKEN'],
];

function mailSettings(env: Environment): Config['mail'] {
  if (!env.SMTP_URL) return null;
  if (!env.MAIL_FROM) throw new WrongSetting('MAIL_FROM is missing: SMTP_URL is set, so mails need a sender');
  return { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM };
}

/** A variable that ends the process must not be set by accident: it wants a second one beside it. */
function crashPlan(env: Environment): CrashPlan | null {
  const text = env.SWITCHYARD_CRASH_POINT;
  if (text === undefined) return null;
  if (!env.SWITCHYARD_FAULTS)
    throw new WrongSetting('SWITCHYARD_CRASH_POINT ends this process on purpose: only with SWITCHYARD_FAULTS=1');
  const plan = parseCrashPlan(text);
  if (!plan) throw new WrongSetting(`SWITCHYARD_CRASH_POINT=${JSON.stringify(text)}: not name[:pass][:kill|stop]`);
  return plan;
}

function databaseUrl(env: Environment): { readonly url: string | undefined; readonly origin: string } {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, origin: 'DATABASE_URL' };
  if (!env.DB_HOST) return { url: undefined, origin: 'embedded' };
  const missing = (['DB_NAME', 'DB_USER'] as const).find((name) => !env[name]);
  if (missing) throw new WrongSetting(`${missing} is missing: DB_HOST is set, so DB_NAME and DB_USER are needed too`);
  const credentials = [env.DB_USER ?? '', env.DB_PASSWORD ?? ''].map(encodeURIComponent).join(':');
  const url = `postgres://${credentials}@${env.DB_HOST}:${env.DB_PORT}/${encodeURIComponent(env.DB_NAME ?? '')}`;
  return { url, origin: 'DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD' };
}

function redisUrl(env: Environment): { readonly url: string | undefined; readonly origin: string } {
  if (env.REDIS_URL) return { url: env.REDIS_URL, origin: 'REDIS_URL' };
  if (!env.REDIS_HOST) return { url: undefined, origin: 'none' };
  const credentials = env.REDIS_PASSWORD ? `:${encodeURIComponent(env.REDIS_PASSWORD)}@` : '';
  const url = `redis://${credentials}${env.REDIS_HOST}:${env.REDIS_PORT}/${env.REDIS_DB}`;
  return { url, origin: 'REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_DB' };
}
