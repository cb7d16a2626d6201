import { pino } from 'pino';

/** Structured log lines on stderr. No secret goes in: `redactedKeys` names what is cut out wherever it stands. */
export interface Log {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
  child(facts: object): Log;
}

const redactedKeys = [
  'apikey',
  'apiKey',
  'authorization',
  'token',
  'secret',
  'password',
  'accessToken',
  'authToken',
  'appSecret',
  'cookie',
  'verifyToken',
  'webhookSecret',
  'webhookKey',
];

/** The last part of a webhook's path is its token. Wherever it stands, in an error's words too, it is cut out. */
const webhookToken = /(\/webhooks\/[a-z]+\/[a-z]+\/)[^\s"'?#/\\<>)]+/g;

/** For the line as it is about to be written. */
export function withoutTokens(line: string): string {
  return line.includes('/webhooks/') ? line.replace(webhookToken, '$1[redacted]') : line;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export function createLog(level: LogLevel): Log {
  return pino(
    {
      level,
      base: null,
      redact: { paths: redactedKeys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutTokens },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** For tests and for commands that must not chatter. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
