/**
 * The doorbell over LISTEN and NOTIFY, on one connection of its own.
 *
 * The connection is `connected` (it listens to every topic that has a listener, rings leave by it) or `away`: then
 * rings wait, attempts to connect follow each other with growing pauses, and the first that succeeds listens anew,
 * calls the gap and sends what waited. `close` ends either state for good.
 *
 * Rings go by this connection rather than a pool's so that they may skip the wait for the disk
 * (`synchronous_commit=off`, here only): a ring that a crash of the database swallows is followed by a gap.
 */
import { Client } from 'pg';
import type { Log } from '#kernel';
import type { Doorbell } from '../../engines.ts';
import { answerTimeoutMs, heartbeatMs, pause, reconnectWaitMs } from '../reconnect.ts';
import { createListeners, gapTopic, type Listeners, printRing } from './listeners.ts';
import { createPendingRings, type PendingRing } from './pending-rings.ts';

export interface PostgresDoorbellOptions {
  readonly connectionString: string;
  readonly log: Log;
  readonly random: () => number;
}

/** Rejects when the first connection fails: a wrong setting stops the start. Later losses are mended in silence. */
export async function createPostgresDoorbell(options: PostgresDoorbellOptions): Promise<Doorbell> {
  const { log } = options;
  const listeners = createListeners(log);
  const closing = new AbortController();
  let line: Line | null = await openLine(options, listeners);
  await line.run(listenTo(listeners.topics));
  const pending = createPendingRings({ topic: gapTopic, payload: '{}' }, async (batch) => {
    return line ? notify(line, batch, log) : false;
  });
  const life = keepConnected();

  async function keepConnected(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      if (line) {
        await line.ended;
        line = null;
        if (!closing.signal.aborted) log.warn({}, 'the doorbell lost its connection');
      }
      await pause(reconnectWaitMs(failures, options.random), closing.signal);
      if (closing.signal.aborted) return;
      line = await tryToOpen();
      failures = line ? 0 : failures + 1;
      if (line) await catchUp(line);
    }
  }

  async function tryToOpen(): Promise<Line | null> {
    try {
      return await openLine(options, listeners);
    } catch (error) {
      log.warn({ err: error }, 'the doorbell could not connect');
      return null;
    }
  }

  async function catchUp(newLine: Line): Promise<void> {
    // Only now: whoever began to listen while the line was being opened is on the list.
    await newLine.run(listenTo(listeners.topics));
    log.info({}, 'the doorbell is connected again');
    listeners.gap();
    await pending.flush();
  }

  return {
    async ring(topic, payload = {}) {
      await pending.add(printRing(topic, payload));
    },
    async listen(topic, heard) {
      listeners.add(topic, heard);
      await line?.run(listenTo([topic]));
      return async () => {
        if (listeners.remove(topic, heard)) await line?.run(`UNLISTEN ${channel(topic)}`);
      };
    },
    onGap: (heard) => listeners.onGap(heard),
    async close() {
      if (closing.signal.aborted) return life;
      await pending.close();
      closing.abort();
      await line?.hangUp();
      await life;
    },
  };
}

/** One connection, until it ends. */
interface Line {
  readonly ended: Promise<void>;
  /** One statement after the other: a connection of `pg` has no queue of its own. Rejects when it failed. */
  ask(statement: string, values?: readonly unknown[]): Promise<void>;
  /** A statement whose failure ends the line: what was missed then is made up for after the next connection. */
  run(statement: string): Promise<void>;
  hangUp(): Promise<void>;
}

async function openLine(options: PostgresDoorbellOptions, listeners: Listeners): Promise<Line> {
  const client = new Client({
    connectionString: options.connectionString,
    application_name: 'switchyard doorbell',
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
  });
  const line = watch(client, options.log);
  client.on('notification', ({ channel: name, payload }) => {
    if (name.startsWith(prefix)) listeners.dispatch(name.slice(prefix.length), payload ?? '');
  });
  try {
    await client.connect();
    await line.ask('SET synchronous_commit = off');
  } catch (error) {
    void line.hangUp();
    throw error;
  }
  return line;
}

function watch(client: Client, log: Log): Line {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const heartbeat = setInterval(() => void run('SELECT 1'), heartbeatMs).unref();

  let goodbye: Promise<void> | undefined;

  function hangUp(): Promise<void> {
    clearInterval(heartbeat);
    end();
    goodbye ??= client.end().catch((error: unknown) => log.debug({ err: error }, 'the doorbell left a dead line'));
    return goodbye;
  }

  let last: Promise<unknown> = Promise.resolve();

  function ask(statement: string, values: readonly unknown[] = []): Promise<void> {
    const asked = last.then(async () => void (await client.query(statement, [...values])));
    last = asked.catch(() => {
      // Told to whoever asked; those behind fail by themselves.
    });
    return asked;
  }

  async function run(statement: string): Promise<void> {
    try {
      await ask(statement);
    } catch (error) {
      log.debug({ err: error }, 'the doorbell drops a line that failed');
      void hangUp();
    }
  }

  client.on('error', (error) => {
    log.debug({ err: error }, 'the connection of the doorbell failed');
    void hangUp();
  });
  client.on('end', () => void hangUp());
  return { ended, ask, run, hangUp };
}

async function notify(line: Line, batch: readonly PendingRing[], log: Log): Promise<boolean> {
  const text =
    'SELECT pg_notify(ring.channel, ring.payload) FROM unnest($1::text[], $2::text[]) AS ring (channel, payload)';
  try {
    await line.ask(text, [batch.map((ring) => prefix + ring.topic), batch.map((ring) => ring.payload)]);
    return true;
  } catch (error) {
    log.debug({ err: error }, 'rings wait for the next connection');
    void line.hangUp();
    return false;
  }
}

const prefix = 'switchyard:';

function listenTo(topics: readonly string[]): string {
  return topics.map((topic) => `LISTEN ${channel(topic)}`).join(';');
}

/** At most 59 bytes, where Postgres cuts names off at 63; a topic holds no quote. */
function channel(topic: string): string {
  return `"${prefix}${topic}"`;
}
