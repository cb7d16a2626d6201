/** Nobody answers at REDIS_URL; the message is one line without the password. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}
