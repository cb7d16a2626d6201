/** One connected number or page, as `PUT /control/numbers` tells it, with the state that the stand-in keeps for it. */
import { createHash } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import { digitsOf } from './customer.ts';
import type { Bucket } from './rates.ts';
import {
  type Fields,
  fieldsOf,
  listOf,
  oneOf,
  optionalFields,
  optionalFlag,
  optionalNumber,
  optionalText,
  textMap,
  textOf,
} from './read.ts';

export const providers = ['meta', 'instagram', 'twilio', 'evolution', 'webjs'] as const;
export type Provider = (typeof providers)[number];

/** Customers whose last message is remembered for the 24-hour window, for each number. */
const WINDOW_LIMIT = 1_000_000;
/** Customers for whom the pair rate is kept, for each number. */
const PAIR_LIMIT = 50_000;

export interface Template {
  readonly name: string;
  readonly language?: string;
  readonly category?: string;
  /** Placeholders of the body; checked when given. */
  readonly parameters?: number;
  /** What the phone page shows. */
  readonly body?: string;
}

export interface ReceiptDelays {
  readonly sent: number;
  readonly delivered: number;
  readonly read: number;
}

/** What a test or the demo seed decides. */
export interface NumberSettings {
  readonly provider: Provider;
  readonly number: string;
  readonly webhookUrl: string | null;
  readonly name: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly ids: Readonly<Record<string, string>>;
  /** Evolution only. */
  readonly version: 'v1' | 'v2';
  readonly autoReceipts: boolean;
  /** Is the 24-hour window enforced? */
  readonly window: boolean;
  /** Meta refuses in the answer or, as often, accepts and reports a failed status. */
  readonly windowRefusal: 'answer' | 'status';
  readonly limits: { readonly perSecond: number | null; readonly pair: boolean };
  readonly receiptDelaysMs: ReceiptDelays;
  /** Webhooks are posted in order for the whole number, for each customer, or all at once. */
  readonly order: 'number' | 'customer' | 'none';
  readonly templates: readonly Template[] | null;
  /** Extra headers of each webhook (Evolution's webhook `headers`). */
  readonly headers: Readonly<Record<string, string>>;
}

export type ConnectionState = 'open' | 'connecting' | 'close' | 'banned';

export interface SimNumber extends NumberSettings {
  readonly key: string;
  readonly digits: string;
  /** Live state. */
  connection: ConnectionState;
  qrCount: number;
  webhook: WebhookSettings;
  readonly lastInboundMs: BoundedMap<string, number>;
  readonly pairs: BoundedMap<string, Bucket>;
  bucket: Bucket | null;
  readonly offline: Set<string>;
}

/** Where and how webhooks go; calls of the provider's own API change it. */
export interface WebhookSettings {
  url: string | null;
  headers: Readonly<Record<string, string>>;
  /** Evolution: wanted events in UPPER_SNAKE; empty means all. */
  events: readonly string[];
  isByEvents: boolean;
  isBase64: boolean;
  isEnabled: boolean;
  /** Meta: what was set nearer to the number than the app's own address, which is the number's `webhookUrl`. */
  overrides: { number: string | null; account: string | null };
  /** Meta and Instagram: is the app told of this account at all? Instagram's fields are the `events`. */
  isSubscribed: boolean;
  /** Twilio: what was set at the sender; undefined: what it was registered with. */
  ownUrl?: string | null;
  sender: Fields;
  /** Twilio: what the number's messaging service says. */
  service: { url: string | null; method: string; isOnNumber: boolean };
}

export function keyOf(provider: Provider, number: string): string {
  return `${provider}:${number}`;
}

export function parseNumberSettings(input: unknown): NumberSettings {
  const fields = fieldsOf(input, 'body');
  const provider = oneOf(fields.provider, providers, 'provider');
  const number = textOf(fields, 'number');
  const secrets = textMap(fields.secrets, 'secrets');
  const limits = optionalFields(fields.limits, 'limits');
  const delays = optionalFields(fields.receiptDelaysMs, 'receiptDelaysMs');
  return {
    provider,
    number,
    webhookUrl: webhookUrlOf(fields),
    name: optionalText(fields, 'name') ?? number,
    secrets,
    ids: { ...defaultIds(provider, number), ...accountSidOf(secrets), ...textMap(fields.ids, 'ids') },
    version: fields.version === undefined ? 'v2' : oneOf(fields.version, ['v1', 'v2'], 'version'),
    autoReceipts: optionalFlag(fields, 'autoReceipts') ?? true,
    window: optionalFlag(fields, 'window') ?? true,
    windowRefusal: oneOf(fields.windowRefusal ?? 'answer', ['answer', 'status'], 'windowRefusal'),
    limits: {
      perSecond: limits.perSecond === null ? null : (optionalNumber(limits, 'perSecond') ?? defaultPerSecond[provider]),
      pair: optionalFlag(limits, 'pair') ?? provider === 'meta',
    },
    receiptDelaysMs: {
      sent: optionalNumber(delays, 'sent') ?? 30,
      delivered: optionalNumber(delays, 'delivered') ?? 120,
      read: optionalNumber(delays, 'read') ?? 600,
    },
    order: oneOf(fields.order ?? 'number', ['number', 'customer', 'none'], 'order'),
    templates: fields.templates === undefined ? null : listOf(fields.templates, 'templates').map(parseTemplate),
    headers: textMap(fields.headers, 'headers'),
  };
}

/** Messages a second before the provider refuses (providers.md 1.10, 2.5, 3.6); the unofficial ones have no limit. */
const defaultPerSecond = {
  meta: 80,
  instagram: 300,
  twilio: 80,
  evolution: null,
  webjs: null,
} as const satisfies Record<Provider, number | null>;

export function createNumber(settings: NumberSettings): SimNumber {
  return {
    ...settings,
    key: keyOf(settings.provider, settings.number),
    digits: digitsOf(settings.number),
    connection: 'open',
    qrCount: 0,
    webhook: {
      url: settings.webhookUrl,
      headers: settings.headers,
      events: [],
      isByEvents: false,
      isBase64: false,
      isEnabled: true,
      overrides: { number: null, account: null },
      isSubscribed: true,
      sender: {},
      service: { url: null, method: 'POST', isOnNumber: true },
    },
    lastInboundMs: new BoundedMap(WINDOW_LIMIT),
    pairs: new BoundedMap(PAIR_LIMIT),
    bucket: null,
    offline: new Set(),
  };
}

/** Twilio's account sid may be told with the secrets, since it is half of its credentials. */
function accountSidOf(secrets: Readonly<Record<string, string>>): Record<string, string> {
  return secrets.accountSid === undefined ? {} : { accountSid: secrets.accountSid };
}

function webhookUrlOf(fields: Fields): string | null {
  const url = optionalText(fields, 'webhookUrl');
  return url ?? null;
}

function parseTemplate(input: unknown): Template {
  const fields = fieldsOf(input, 'templates[]');
  const language = optionalText(fields, 'language');
  const category = optionalText(fields, 'category');
  const parameters = optionalNumber(fields, 'parameters');
  const body = optionalText(fields, 'body');
  return {
    name: textOf(fields, 'name'),
    ...(language ? { language } : {}),
    ...(category ? { category } : {}),
    ...(parameters === undefined ? {} : { parameters }),
    ...(body ? { body } : {}),
  };
}

/** Ids nobody gave: made from the number, so that registering twice gives the same. */
function defaultIds(provider: Provider, number: string): Record<string, string> {
  const digits = digitsOf(number) || '0';
  switch (provider) {
    case 'meta':
      return { phoneNumberId: `1${digits}`, wabaId: `2${digits}` };
    case 'instagram':
      return { instagramId: number };
    case 'twilio':
      return { accountSid: `AC${createHash('md5').update(number).digest('hex')}` };
    case 'evolution':
      return { instance: `sim-${digits}` };
    case 'webjs':
      return { session: `sim-${digits}` };
    default: {
      const never: never = provider;
      return never;
    }
  }
}
