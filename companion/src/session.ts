/**
 * One account's session on this machine, while we hold its lease.
 *
 * It is `opening` a connection; then it is `open`, or it is `showing` codes until a phone has scanned one (the library
 * closes and opens once more) or the pairing's time is over. A connection that closes leaves it `waiting` to open again,
 * or `ended` where only a person can help: the phone has unlinked us, the number is barred, another machine took over,
 * nobody scanned. A person's wish for a new code begins it anew from `waiting`, `showing` and `ended`. `stopped` is final.
 */
import { ConnectionStore } from './connection-store.ts';
import { type Log, wordsOf } from './log.ts';
import { NewsOrder } from './news-order.ts';
import {
  afterClose,
  type CloseHistory,
  type CloseReason,
  noCloses,
  noteClose,
  type ReconnectLimits,
} from './reconnect.ts';
import { type ActiveAccount, type Lease, type LeaseKeys, LeaseLost, type ServerClient } from './server-client.ts';
import { Teller } from './teller.ts';
import type { News, OpenWebClient, WebClient, WebEvent } from './web-client.ts';

export type SessionState = 'opening' | 'showing' | 'open' | 'waiting' | 'ended' | 'stopped';

export interface SessionLimits {
  /** How long a phone may take to scan: the codes change meanwhile. */
  readonly pairingMs: number;
  readonly stopGraceMs: number;
  readonly reconnect: ReconnectLimits;
}

/** Of the grace at the end, before it: how long files are waited for that are being fetched. */
const filesShare = 0.5;

export interface SessionParts {
  readonly account: ActiveAccount;
  readonly lease: Lease;
  readonly server: ServerClient;
  readonly openClient: OpenWebClient;
  readonly nowMs: () => number;
  /** Never goes back. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly limits: SessionLimits;
  readonly log: Log;
  /** The lease is another's: called once, and nothing is written any more. */
  readonly lost: () => void;
}

export class Session {
  readonly #parts: SessionParts;
  readonly #teller: Teller;
  readonly #order = new NewsOrder((event, payload) => this.#teller.post(this.#envelope(event, payload)));
  #lease: Lease;
  #state: SessionState = 'opening';
  #client: WebClient | null = null;
  #store: ConnectionStore | null = null;
  /** Tells the events of this connection from those of one that is gone. */
  #connection = 0;
  #history: CloseHistory = noCloses;
  #openedAtMs = 0;
  #pairingUntilMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #phoneNumber: string | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#lease = parts.lease;
    this.#teller = new Teller({ ...parts, lease: () => this.#lease, lost: () => this.#lose() });
  }

  get state(): SessionState {
    return this.#state;
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** What a renewal told that was asked for at `askedAtMs` (`elapsedMs`); null: nothing. */
  takeKeys(keys: LeaseKeys | null, askedAtMs: number): void {
    if (keys) this.#lease = { ...this.#lease, ...keys };
    this.#teller.noteRenewal(askedAtMs);
  }

  get phoneNumber(): string | null {
    return this.#phoneNumber;
  }

  /** null unless messages can be sent. */
  get client(): WebClient | null {
    return this.#state === 'open' ? this.#client : null;
  }

  start(): void {
    void this.#open('connecting');
  }

  /** A person wants a code now. Of an open session nothing is wanted. */
  startAgain(): void {
    if (this.#state === 'open' || this.#state === 'opening' || this.#state === 'stopped') return;
    this.#history = noCloses;
    this.#pairingUntilMs = 0;
    void this.#open('a new code was asked for');
  }

  /** The phone is linked no longer, and nothing of the session is kept. */
  async logOut(): Promise<void> {
    const client = this.client;
    this.#connection += 1;
    this.#clearTimer();
    if (client) await client.logOut();
    await this.#closeClient();
    await this.#parts.server.clearState(this.#parts.account.id, this.#parts.lease.fence);
    this.#end('disconnected', 'logged out');
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#connection += 1;
    this.#clearTimer();
    await this.#closeClient();
    const { stopGraceMs } = this.#parts.limits;
    await this.#order.settle(stopGraceMs * filesShare);
    await this.#teller.close(stopGraceMs);
  }

  /** At once, and without another word: the session may be another machine's by now. */
  async abandon(): Promise<void> {
    this.#state = 'stopped';
    this.#connection += 1;
    this.#clearTimer();
    this.#teller.abandon();
    await this.#closeClient();
  }

  async #open(reason: string): Promise<void> {
    this.#clearTimer();
    this.#state = 'opening';
    this.#connection += 1;
    const connection = this.#connection;
    await this.#closeClient();
    if (connection !== this.#connection) return;
    this.#tellStatus('connecting', reason);
    try {
      const client = await this.#parts.openClient({
        accountId: this.#parts.account.id,
        store: this.#newStore(),
        onEvent: (event) => {
          // Of whichever connection: nobody tells it again, and while we hold the lease it is ours to pass on.
          if (event.kind === 'news') this.#order.take(event);
          else if (connection === this.#connection) this.#take(event);
        },
      });
      if (connection === this.#connection) this.#client = client;
      else await client.close();
    } catch (error) {
      if (connection !== this.#connection || error instanceof LeaseLost) return;
      this.#take({ kind: 'closed', reason: 'lost', detail: wordsOf(error) });
    }
  }

  #take(event: Exclude<WebEvent, News>): void {
    switch (event.kind) {
      case 'code':
        this.#showCode(event.code);
        return;
      case 'open':
        this.#state = 'open';
        this.#openedAtMs = this.#parts.nowMs();
        this.#pairingUntilMs = 0;
        this.#clearTimer();
        this.#phoneNumber = event.phoneNumber;
        this.#tellStatus('connected', null);
        return;
      case 'closed':
        this.#close(event.reason, event.detail);
        return;
      default: {
        event satisfies never;
      }
    }
  }

  #showCode(code: string): void {
    const { nowMs, limits, account } = this.#parts;
    this.#state = 'showing';
    if (this.#pairingUntilMs === 0) this.#pairingUntilMs = nowMs() + limits.pairingMs;
    const leftMs = this.#pairingUntilMs - nowMs();
    if (leftMs <= 0) {
      this.#giveUpPairing();
      return;
    }
    this.#clearTimer();
    this.#timer = setTimeout(() => this.#giveUpPairing(), leftMs).unref();
    const expiresIn = Math.max(1, Math.ceil(leftMs / 1_000));
    const { id: account_id, workspaceId: workspace_id } = account;
    this.#teller.tell({
      event: 'qr-code-generated',
      data: { qr_code: code, expires_in: expiresIn, workspace_id, account_id },
    });
  }

  #giveUpPairing(): void {
    this.#connection += 1;
    void this.#closeClient();
    this.#end('disconnected', 'nobody scanned the code');
  }

  #close(reason: CloseReason, detail: string): void {
    const { nowMs, random, limits, log, account } = this.#parts;
    const openMs = this.#state === 'open' ? nowMs() - this.#openedAtMs : 0;
    this.#connection += 1;
    const isClosed = this.#closeClient();
    this.#history = noteClose(this.#history, { reason, nowMs: nowMs(), openMs }, limits.reconnect);
    const next = afterClose(reason, this.#history, random, limits.reconnect);
    log.info({ session: account.session, reason, detail, next: next.kind }, 'the connection to WhatsApp closed');
    switch (next.kind) {
      case 'at-once':
        void this.#open(reason === 'restart' ? 'linked' : 'the codes were used up');
        return;
      case 'later':
        this.#state = 'waiting';
        this.#tellStatus(next.isLoop ? 'error' : 'connecting', next.isLoop ? loopWords(this.#history, detail) : detail);
        this.#clearTimer();
        this.#timer = setTimeout(() => void this.#open(detail), next.waitMs).unref();
        return;
      case 'end':
        this.#end(reason === 'unlinked' ? 'disconnected' : 'error', endWords[reason] ?? detail);
        if (next.forgets) void isClosed.then(() => this.#forget());
        return;
      default: {
        next satisfies never;
      }
    }
  }

  async #forget(): Promise<void> {
    const { server, account, lease, log } = this.#parts;
    try {
      await server.clearState(account.id, lease.fence);
    } catch (error) {
      if (error instanceof LeaseLost) return this.#lose();
      // The next start finds the old state, is told again that it was unlinked, and forgets it then.
      log.warn({ error: wordsOf(error) }, 'the state of an unlinked session could not be forgotten yet');
    }
  }

  #end(status: 'disconnected' | 'error', reason: string): void {
    if (this.#state === 'stopped') return;
    this.#state = 'ended';
    this.#clearTimer();
    this.#pairingUntilMs = 0;
    this.#tellStatus(status, reason);
  }

  #lose(): void {
    if (this.#state === 'stopped') return;
    void this.abandon();
    this.#parts.lost();
  }

  #tellStatus(status: string, reason: string | null): void {
    const { account, lease } = this.#parts;
    const metadata = { fence: lease.fence, ...(reason === null ? {} : { reason }) };
    const data = { account_id: account.id, status, workspace_id: account.workspaceId, metadata };
    const number = status === 'connected' && this.#phoneNumber ? { phone_number: this.#phoneNumber } : {};
    this.#teller.tell({ event: 'account-status-changed', data: { ...data, ...number } });
  }

  #envelope(event: string, payload: unknown): string {
    const { account, nowMs, newId } = this.#parts;
    const me = this.#phoneNumber ? { me: { id: `${this.#phoneNumber.replace('+', '')}@c.us` } } : {};
    const { session } = account;
    const id = `evt_${newId()}`;
    return JSON.stringify({ id, timestamp: nowMs(), event, session, engine: 'BAILEYS', ...me, payload });
  }

  #newStore(): ConnectionStore {
    const { server, account, lease } = this.#parts;
    this.#store = new ConnectionStore({ server, accountId: account.id, lease, lost: () => this.#lose() });
    return this.#store;
  }

  async #closeClient(): Promise<void> {
    const [client, store] = [this.#client, this.#store];
    this.#client = null;
    try {
      await client?.close();
    } catch (error) {
      this.#parts.log.warn({ error: wordsOf(error) }, 'a connection would not close');
    }
    await store?.end();
  }

  #clearTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

const endWords: Readonly<Partial<Record<CloseReason, string>>> = {
  unlinked: 'the phone has unlinked this session',
  barred: 'WhatsApp has barred this number',
  replaced: 'another program took over this session',
};

function loopWords(history: CloseHistory, detail: string): string {
  return `reconnect loop: closed ${history.closedAtMs.length} times within ten minutes, the last time: ${detail}`;
}
