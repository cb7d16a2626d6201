/** The only reader of flags and environment. A wrong value stops the start with one line that names it. */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { type AddressRange, parseRange } from '../../server/src/channels/http/address/index.ts';

export interface Config {
  /** Scheme and host of the server, without a trailing slash. */
  readonly serverUrl: string;
  readonly key: { readonly id: string; readonly secret: string };
  readonly host: string;
  readonly port: number;
  /** How the server reaches us; empty: where we listen. */
  readonly ownUrl: string;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly maxSessions: number;
  /** Where files may be fetched from besides the internet. */
  readonly outboundAllowed: readonly AddressRange[];
  /** Another address than WhatsApp's own: a stand-in. */
  readonly whatsappUrl: string | undefined;
  readonly machine: string;
}

export class WrongSetting extends Error {
  override readonly name = 'WrongSetting';
}

export const usage = `Runs WhatsApp web sessions for the accounts of a Switchyard server.

Usage: switchyard-companion [options]      every option may come from the environment instead

  --server <url>         SWITCHYARD_SERVER          the server, for example https://switchyard.example.com
  --key <id.secret>      SWITCHYARD_COMPANION_KEY   made by: switchyard companion-key create (better in the
                                                    environment, where other users do not see it)
  --listen <host:port>   COMPANION_LISTEN           where sends are taken; 127.0.0.1:3010
  --url <url>            COMPANION_URL              how the server reaches us; http://<listen>
  --lease-ms <ms>        COMPANION_LEASE_MS         how long a session stays ours when we fall silent; 30000
  --poll-ms <ms>         COMPANION_POLL_MS          how often to ask which sessions should run; 2000
  --max-sessions <n>     COMPANION_MAX_SESSIONS     50
  --outbound-allowed <ranges> OUTBOUND_ALLOWED      where files of messages may lie besides the internet, as at the
                                                    server: 10.1.0.0/16, 192.168.1.7:8080, [fd00::7]:8080
  --whatsapp-url <url>   COMPANION_WHATSAPP_URL     a stand-in instead of WhatsApp, for tests
  --help`;

const options = {
  server: { type: 'string' },
  key: { type: 'string' },
  listen: { type: 'string' },
  url: { type: 'string' },
  'lease-ms': { type: 'string' },
  'poll-ms': { type: 'string' },
  'max-sessions': { type: 'string' },
  'outbound-allowed': { type: 'string' },
  'whatsapp-url': { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** null: only the usage is wanted. Throws WrongSetting. */
export function parseConfig(args: readonly string[], env: NodeJS.ProcessEnv): Config | null {
  const flags = readFlags(args);
  if (flags.help) return null;
  const text = (flag: Exclude<keyof typeof options, 'help'>, name: string) => flags[flag] || env[name] || undefined;
  const { host, port } = listenAt(text('listen', 'COMPANION_LISTEN') ?? '127.0.0.1:3010');
  return {
    serverUrl: urlOf('--server or SWITCHYARD_SERVER', text('server', 'SWITCHYARD_SERVER'), /^https?:$/),
    key: keyOf(text('key', 'SWITCHYARD_COMPANION_KEY')),
    host,
    port,
    ownUrl: flags.url || env.COMPANION_URL ? urlOf('--url', text('url', 'COMPANION_URL'), /^https?:$/) : '',
    leaseMs: whole('--lease-ms', text('lease-ms', 'COMPANION_LEASE_MS') ?? '30000', 1_000, 300_000),
    pollMs: whole('--poll-ms', text('poll-ms', 'COMPANION_POLL_MS') ?? '2000', 50, 60_000),
    maxSessions: whole('--max-sessions', text('max-sessions', 'COMPANION_MAX_SESSIONS') ?? '50', 1, 10_000),
    outboundAllowed: rangesOf('--outbound-allowed', text('outbound-allowed', 'OUTBOUND_ALLOWED') ?? ''),
    whatsappUrl: text('whatsapp-url', 'COMPANION_WHATSAPP_URL'),
    machine: hostname(),
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (cause) {
    throw new WrongSetting(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function keyOf(text: string | undefined): Config['key'] {
  const [, id, secret] = /^(cpk_[0-9a-f]{32})\.([\w-]{20,})$/.exec(text ?? '') ?? [];
  if (id && secret) return { id, secret };
  throw new WrongSetting('SWITCHYARD_COMPANION_KEY is missing or not of its form (cpk_….secret)');
}

function urlOf(name: string, text: string | undefined, protocol: RegExp): string {
  const url = URL.parse(text ?? '');
  if (url && protocol.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new WrongSetting(`${name} is missing or no URL like https://host`);
}

function rangesOf(name: string, text: string): readonly AddressRange[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const range = parseRange(part);
    if (!range) throw new WrongSetting(`${name}: ${part} is not like 10.1.0.0/16, 192.168.1.7:8080 or [fd00::7]:8080`);
    return range;
  });
}

function listenAt(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new WrongSetting('--listen is not host:port');
  return { host: host ?? '127.0.0.1', port: Number(port) };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new WrongSetting(`${name} must be a whole number from ${least} to ${most}`);
}
