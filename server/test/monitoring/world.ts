import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { anywhere } from '#channels';
import { type CanaryDoor, createCanaryDoor, createGateway } from '#gateway';
import { silentLog, systemClock } from '#kernel';
import { createCallOut, createMonitoring, type Monitoring, type MonitoringDeps } from '#monitoring';
import { createSealer, keyText, parseKeyring } from '#storage';
import { createMailer } from '#workspaces';
import { channels, type InboxWorld, openInboxWorld } from '../inbox/world.ts';
import { type LocalPost, openPost } from '../support/local-post.ts';

export interface MonitoringWorld extends InboxWorld {
  readonly hook: LocalHook;
  readonly post: LocalPost;
  /** As a process has it; `clock` for one that lives at another time. */
  monitoring(facts?: MonitoringFacts): Monitoring;
  /** A listener for webhooks, and the door by which canaries come to it. */
  gateway(): Promise<{ readonly canaryDoor: CanaryDoor; close(): Promise<void> }>;
}

const publicUrl = 'https://hooks.example.com';
const gatewaySettings = {
  ...{ publicUrl, isProxyTrusted: false, v2WebhookPath: '/whatsapp-v2/webhook' },
  ...{ metaAppSecrets: [], metaVerifyTokens: [], instagramAppSecrets: [], instagramVerifyTokens: [] },
} as const;

export interface MonitoringFacts
  extends Partial<Pick<MonitoringDeps, 'clock' | 'callOut' | 'appSecrets' | 'canaryDoor' | 'storage' | 'oweLooks'>> {
  readonly isMailOff?: boolean;
}

export async function openMonitoringWorld(): Promise<MonitoringWorld> {
  const world = await openInboxWorld();
  const [hook, post] = [await openHook(), await openPost()];
  const sealer = createSealer(parseKeyring(keyText(randomBytes(32))));
  const receiver = world.receiver();
  return {
    ...world,
    ...{ hook, post },
    async gateway() {
      const canaryDoor = createCanaryDoor();
      const gateway = createGateway({
        ...{ accounts: world.accounts, channels, receiver, sealer, counters: world.engines.counters },
        ...{ settings: gatewaySettings, clock: systemClock, log: silentLog, canaries: canaryDoor },
        operatorWorkspace: () => Promise.reject(new Error('no shared route is called here')),
        isRefusing: () => false,
        authenticateKey: async () => null,
      });
      const server = createHttpServer((request, response) => gateway.handle(request, response));
      const port = await listen(server);
      canaryDoor.listensAt(`http://127.0.0.1:${port}`);
      return { canaryDoor, close: () => close(server) };
    },
    monitoring({
      storage = world.db.storage,
      clock = systemClock,
      callOut = createCallOut(anywhere),
      isMailOff = false,
      appSecrets,
      canaryDoor,
      oweLooks,
    } = {}) {
      const deps: MonitoringDeps = {
        ...{ storage, accounts: world.accounts, channels, sealer, clock },
        ...{ log: silentLog, noteChange: () => {}, publicUrl, callOut },
        appSecrets: appSecrets ?? { meta: [], instagram: [] },
        ...(canaryDoor ? { canaryDoor } : {}),
        ...(oweLooks ? { oweLooks } : {}),
        store: (delivery) => receiver.receive(delivery),
        mailer: isMailOff ? null : createMailer({ smtpUrl: post.url, from: 'alarms@example.com' }),
      };
      return createMonitoring(deps);
    },
    async close() {
      await Promise.all([hook.close(), post.close()]);
      await world.close();
    },
  };
}

export interface Called {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks on this machine. */
export interface LocalHook {
  readonly url: string;
  readonly calls: Called[];
  /** What it answers from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

async function openHook(): Promise<LocalHook> {
  const calls: Called[] = [];
  let status = 200;
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/hook`,
    calls,
    answer(next) {
      status = next;
    },
    close: () => close(server),
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
