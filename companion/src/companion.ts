/**
 * Runs the sessions that the server wants to run, as far as this machine gets their leases.
 *
 * Every `pollMs` it asks which they are, takes leases that nobody holds, and ends what is wanted no longer. A lease is
 * renewed three times in its length. Where it cannot be renewed, the session is closed by our own clock before another
 * machine may take it by the server's: so there are never two that both write.
 */
import { type Log, wordsOf } from './log.ts';
import { type ActiveAccount, type Lease, LeaseLost, type ServerClient } from './server-client.ts';
import { Session, type SessionLimits } from './session.ts';
import type { OpenWebClient } from './web-client.ts';

export interface CompanionSettings {
  /** Of this process: another start is another holder. */
  readonly holder: string;
  /** Where the server sends to. */
  readonly url: string;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly maxSessions: number;
  readonly session: SessionLimits;
}

export interface CompanionParts {
  readonly server: ServerClient;
  readonly openClient: OpenWebClient;
  readonly settings: CompanionSettings;
  readonly nowMs: () => number;
  /** Never goes back: leases are reckoned by it. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
}

interface Held {
  readonly session: Session;
  readonly account: ActiveAccount;
  generation: number;
  /** By `elapsedMs`: from then on another may hold it. */
  validUntilMs: number;
}

/** How much of a lease is left unused: for the closing, and for clocks that run at different speeds. */
const safetyShare = 0.3;
/** Looks at the leases in one lease's length; every third look renews. */
const looksPerLease = 10;

export class Companion {
  readonly #parts: CompanionParts;
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | null = null;
  #renewing: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #isStopping = false;
  #looks = 0;

  constructor(parts: CompanionParts) {
    this.#parts = parts;
  }

  start(): void {
    const { leaseMs } = this.#parts.settings;
    this.#renewing = setInterval(() => this.#watchLeases(), leaseMs / looksPerLease);
    this.#next(0);
  }

  /** The session of that name, if this machine holds it and may still act for it. */
  find(session: string): Session | null {
    for (const held of this.#held.values()) {
      if (held.account.session === session) return this.#isValid(held) ? held.session : null;
    }
    return null;
  }

  get sessions(): readonly { readonly session: string; readonly state: string }[] {
    return [...this.#held.values()].map(({ account, session }) => ({ session: account.session, state: session.state }));
  }

  /** Asks now, not at the next round. */
  async look(): Promise<void> {
    if (this.#isStopping) return;
    this.#run();
    await this.#round;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
    await Promise.all([...this.#held.values()].map((held) => this.#giveBack(held)));
    if (this.#renewing) clearInterval(this.#renewing);
  }

  #next(inMs: number): void {
    if (this.#isStopping) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), inMs);
  }

  /** One round after another, never two at once. */
  #run(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#round = this.#round.then(() => this.#once()).then(() => this.#next(this.#parts.settings.pollMs));
  }

  async #once(): Promise<void> {
    const { server, log } = this.#parts;
    try {
      const wanted = new Map((await server.listActive()).map((account) => [account.id, account]));
      for (const [id, held] of [...this.#held]) if (!wanted.has(id)) await this.#giveBack(held);
      for (const account of wanted.values()) await this.#runOne(account);
    } catch (error) {
      log.warn({ error: wordsOf(error) }, 'the server could not be asked which sessions should run');
    }
  }

  async #runOne(account: ActiveAccount): Promise<void> {
    const { server, settings, log } = this.#parts;
    const held = this.#held.get(account.id);
    if (held) {
      if (account.generation > held.generation) held.session.startAgain();
      held.generation = account.generation;
      return;
    }
    if (account.isLeased || this.#isStopping || this.#held.size >= settings.maxSessions) return;
    const askedAtMs = this.#parts.elapsedMs();
    const { holder, leaseMs, url } = settings;
    const lease = await server.takeLease(account.id, { holder, leaseMs, url });
    if (!lease) return;
    log.info({ session: account.session, fence: lease.fence }, 'this machine runs the session now');
    this.#hold(account, lease, askedAtMs);
  }

  #hold(account: ActiveAccount, lease: Lease, askedAtMs: number): void {
    const { settings, log } = this.#parts;
    const lost = () => {
      if (this.#held.get(account.id)?.session !== session) return;
      this.#held.delete(account.id);
      log.warn({ session: account.session, fence: lease.fence }, 'another machine runs the session now');
    };
    const session = new Session({ ...this.#parts, account, lease, lost, limits: settings.session });
    const validUntilMs = askedAtMs + settings.leaseMs * (1 - safetyShare);
    this.#held.set(account.id, { session, account, generation: account.generation, validUntilMs });
    session.start();
  }

  #watchLeases(): void {
    this.#looks += 1;
    for (const held of [...this.#held.values()]) {
      if (!this.#isValid(held)) void this.#drop(held);
      else if (this.#looks % 3 === 0) void this.#renew(held);
    }
  }

  /** The server may have given it to another: nothing more is done in its name. */
  async #drop(held: Held): Promise<void> {
    const { id, session } = held.account;
    if (this.#held.get(id) !== held) return;
    this.#held.delete(id);
    this.#parts.log.warn({ session }, 'the lease ran out before it could be renewed');
    await held.session.abandon();
  }

  async #renew(held: Held): Promise<void> {
    const { server, settings, log } = this.#parts;
    const { holder, leaseMs } = settings;
    const askedAtMs = this.#parts.elapsedMs();
    const { id, session } = held.account;
    try {
      const keys = await server.renewLease(id, { holder, fence: held.session.lease.fence, leaseMs });
      held.session.takeKeys(keys, askedAtMs);
      held.validUntilMs = askedAtMs + leaseMs * (1 - safetyShare);
    } catch (error) {
      log.warn({ error: wordsOf(error), session }, 'a lease could not be renewed');
      if (error instanceof LeaseLost) await this.#drop(held);
    }
  }

  #isValid(held: Held): boolean {
    return this.#parts.elapsedMs() < held.validUntilMs;
  }

  async #giveBack(held: Held): Promise<void> {
    const { server, settings, log } = this.#parts;
    this.#held.delete(held.account.id);
    await held.session.stop();
    try {
      await server.giveBackLease(held.account.id, { holder: settings.holder, fence: held.session.lease.fence });
    } catch (error) {
      log.warn({ error: wordsOf(error) }, 'a lease could not be given back; it will run out');
    }
  }
}
