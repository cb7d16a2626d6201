/**
 * The keys of one connection. The library writes without waiting, so the next connection may read only when the writes of
 * the one before are done, and that one may write no more: a late write would bring back keys that were forgotten.
 */
import { type Lease, LeaseLost, type ServerClient } from './server-client.ts';
import type { SessionStore } from './web-client.ts';

export interface ConnectionStoreParts {
  readonly server: Pick<ServerClient, 'readState' | 'writeState'>;
  readonly accountId: string;
  readonly lease: Lease;
  readonly lost: () => void;
}

export class ConnectionStore implements SessionStore {
  readonly #parts: ConnectionStoreParts;
  readonly #writing = new Set<Promise<void>>();
  #isOver = false;

  constructor(parts: ConnectionStoreParts) {
    this.#parts = parts;
  }

  read(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    return this.#parts.server.readState(this.#parts.accountId, names);
  }

  async write(changes: Readonly<Record<string, string | null>>): Promise<void> {
    if (this.#isOver) throw new LeaseLost('this connection is over');
    const { server, accountId, lease, lost } = this.#parts;
    const written = server.writeState(accountId, lease.fence, changes);
    this.#writing.add(written);
    try {
      await written;
    } catch (error) {
      if (error instanceof LeaseLost) lost();
      throw error;
    } finally {
      this.#writing.delete(written);
    }
  }

  /** Resolves when nothing of this connection is being written any more; a write that fails has told its writer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#writing);
  }
}
