/** The companion as it runs: the round of sessions and the door, and their orderly end. */
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReach } from '../../server/src/channels/http/address/index.ts';
import { Companion } from './companion.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { createWithFile } from './media-client.ts';
import { reconnectLimits } from './reconnect.ts';
import { createDoor } from './send-routes.ts';
import { createServerClient } from './server-client.ts';
import type { SessionLimits } from './session.ts';
import type { OpenWebClient } from './web-client.ts';

export const sessionLimits: SessionLimits = {
  pairingMs: 300_000,
  stopGraceMs: 5_000,
  reconnect: reconnectLimits,
};

export interface RunningCompanion {
  readonly url: string;
  readonly companion: Companion;
  /** Takes no more sends, tells what is still to be told, gives the leases back. */
  stop(): Promise<void>;
}

export interface RunParts {
  readonly openClient: OpenWebClient;
  readonly log: Log;
  readonly limits?: SessionLimits;
}

export async function runCompanion(config: Config, { openClient, log, limits }: RunParts): Promise<RunningCompanion> {
  const server = createServerClient({ ...config, nowMs: Date.now });
  // The door is open before its address is told, and before there is anything behind it.
  const behind: { companion: Companion | null } = { companion: null };
  const withFile = createWithFile(createReach(config.outboundAllowed));
  const door = createDoor({ sessions: () => behind.companion, withFile, nowMs: Date.now, log });
  await listen(door, config);
  const { port } = door.address() as AddressInfo;
  const url = config.ownUrl || `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  const running = new Companion({
    server,
    openClient,
    settings: {
      holder: `${config.machine}/${process.pid}/${randomBytes(6).toString('hex')}`,
      url,
      leaseMs: config.leaseMs,
      pollMs: config.pollMs,
      maxSessions: config.maxSessions,
      session: limits ?? sessionLimits,
    },
    nowMs: Date.now,
    elapsedMs: () => performance.now(),
    random: Math.random,
    newId: () => randomBytes(16).toString('hex'),
    log,
  });
  behind.companion = running;
  running.start();
  log.info({ url, server: config.serverUrl }, 'the companion runs');
  return {
    url,
    companion: running,
    async stop() {
      await running.stop();
      await close(door);
    },
  };
}

function listen(door: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', reject);
    door.listen(port, host, resolve);
  });
}

function close(door: Server): Promise<void> {
  return new Promise((resolve) => {
    door.close(() => resolve());
    door.closeAllConnections();
  });
}
