/** Argon2id hashes in PHC string form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, salt and hash as bare base64. */

export interface Argon2idCost {
  /** In KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface Argon2idHash extends Argon2idCost {
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** The most a stored hash may cost us: an imported one must not be able to take the server's memory. */
export const costLimit: Argon2idCost = { memory: 262_144, passes: 16, parallelism: 8 };

/** null: no argon2id of version 19, or one that costs more than `costLimit`. */
export function parsePhc(text: string): Argon2idHash | null {
  const match = form.exec(text);
  if (!match) return null;
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  if (passes < 1 || parallelism < 1 || memory < 8 * parallelism) return null;
  if (memory > costLimit.memory || passes > costLimit.passes || parallelism > costLimit.parallelism) return null;
  return {
    memory,
    passes,
    parallelism,
    salt: Buffer.from(match[4]!, 'base64'),
    tag: Buffer.from(match[5]!, 'base64'),
  };
}

export function printPhc(hash: Argon2idHash): string {
  const cost = `m=${hash.memory},t=${hash.passes},p=${hash.parallelism}`;
  return `$argon2id$v=19$${cost}$${bareBase64(hash.salt)}$${bareBase64(hash.tag)}`;
}

function bareBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
