/** What somebody has set in the environment and may believe to be struck. Pure. */
import { WrongUse } from './asked.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const databases = [
  'DATABASE_URL',
  'DATABASE_APP_URL',
  'DATABASE_GATEWAY_URL',
  'DATABASE_WORKER_URL',
  'DB_HOST',
] as const;
const addresses = [
  ...['REDIS_URL', 'REDIS_HOST', 'META_GRAPH_URL', 'INSTAGRAM_GRAPH_URL', 'TWILIO_API_URL', 'EVOLUTION_API_URL'],
] as const;
const loopback = /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?(?:127(?:\.\d+){3}|localhost|\[::1\])(?=[:/]|$)/i;

/**
 * A run has a database, a Redis and providers of its own, and hands its processes none of these. Whoever has one set may
 * believe that it would be struck: said before anything is begun. Throws WrongUse.
 */
export function refuseForeign(env: Environment): void {
  const database = databases.find((name) => env[name]);
  if (database) throw new WrongUse(`${database} is set: a fault run strikes a database of its own only; unset it`);
  const far = addresses.find((name) => env[name] && !loopback.test(env[name]));
  if (far) throw new WrongUse(`${far} leads away from this machine: a fault run stays on loopback; unset it`);
}
