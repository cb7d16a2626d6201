/** A server, WhatsApp's stand-in, and companions between them, each with a door of its own to the server that can be cut. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AccountId, type InboundEvent, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { vi } from 'vitest';
import { parseRange, webjsChannel } from '#channels';
import { openBaileysClient } from '../../../companion/src/baileys/baileys-client.ts';
import { silentLog } from '../../../companion/src/log.ts';
import { type RunningCompanion, runCompanion, sessionLimits } from '../../../companion/src/run.ts';
import type { SessionLimits } from '../../../companion/src/session.ts';
import { WhatsAppStand } from '../../../companion/test/whatsapp-stand.ts';
import { openWorld, taken, type World } from '../api/world.ts';
import { type CompanionProcess, startCompanionProcess } from './companion-process.ts';

export const webhookKey = 'the key of the webhook';

export interface Delivered {
  readonly isVerified: boolean;
  readonly events: readonly InboundEvent[];
}

export interface Machine extends RunningCompanion {
  /** While true the server cannot be reached from this machine. */
  isCut: boolean;
  /** The machine's own, so that a change counts from then on. */
  readonly limits: { -readonly [Name in keyof SessionLimits]: SessionLimits[Name] };
}

export interface CompanionWorld {
  readonly server: World;
  readonly stand: WhatsAppStand;
  readonly workspaceId: WorkspaceId;
  /** What came to the accounts' webhooks, as the server's channel reads it. */
  readonly delivered: Delivered[];
  addSession(name: string): Promise<AccountId>;
  /** As a person does in the console: from now on webhooks are taken under the new key only. */
  changeKeys(id: AccountId, name: string, keys: { webhookKey: string; apiKey: string }): Promise<void>;
  /** `filesAt`: where files may be fetched from besides the internet, `127.0.0.1:4000`. */
  startMachine(limits?: Partial<SessionLimits>, leaseMs?: number, filesAt?: string): Promise<Machine>;
  /** The program in a process of its own, which can be killed. */
  startProcess(leaseMs: number): Promise<CompanionProcess>;
  statusOf(id: AccountId): Promise<{ readonly status: string; readonly reason: string | null }>;
  /** The code that the console would show. */
  codeOf(id: AccountId): Promise<string | null>;
  close(): Promise<void>;
}

export async function openCompanionWorld(): Promise<CompanionWorld> {
  const server = await openWorld();
  const stand = await WhatsAppStand.start();
  const workspaceId = await server.addWorkspace('Ours');
  const operator = await server.workspaces.operatorWorkspace();
  const key = await server.companions.createKey(operator.id, 'machines');
  const delivered: Delivered[] = [];
  const webhooks: Webhooks = { delivered, keys: new Map() };
  const machines: Machine[] = [];
  const processes: CompanionProcess[] = [];
  const doors: Server[] = [];
  const openClient = await openBaileysClient({ whatsappUrl: stand.url, log: silentLog });
  return {
    server,
    stand,
    workspaceId,
    delivered,
    async addSession(name) {
      const made = await server.accounts.create(workspaceId, {
        provider: 'webjs',
        settings: { session: name },
        secrets: { webhookKey, apiKey: `key of ${name}` },
      });
      return taken(made).account.id;
    },
    async changeKeys(id, name, keys) {
      taken(await server.accounts.update(workspaceId, id, { secrets: keys }));
      webhooks.keys.set(name, keys.webhookKey);
    },
    async startMachine(limits = {}, leaseMs = 60_000, filesAt = '') {
      const machine = { isCut: false, limits: { ...sessionLimits, ...limits } };
      const door = await openDoor(server.port, machine, webhooks);
      doors.push(door);
      const running = await runCompanion(
        {
          serverUrl: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
          key: { id: toPublicId('companionKey', key.id), secret: key.secret },
          host: '127.0.0.1',
          port: 0,
          ownUrl: '',
          leaseMs,
          pollMs: 50,
          maxSessions: 10,
          outboundAllowed: [parseRange(filesAt)].filter((range) => range !== undefined),
          whatsappUrl: stand.url,
          machine: `machine-${machines.length}`,
        },
        { openClient, log: silentLog, limits: machine.limits },
      );
      const started = Object.assign(machine, running);
      machines.push(started);
      return started;
    },
    async startProcess(leaseMs) {
      const door = await openDoor(server.port, { isCut: false }, webhooks);
      doors.push(door);
      const started = await startCompanionProcess({
        serverUrl: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
        key: `${toPublicId('companionKey', key.id)}.${key.secret}`,
        whatsappUrl: stand.url,
        leaseMs,
      });
      processes.push(started);
      return started;
    },
    async statusOf(id) {
      const account = await server.accounts.find(workspaceId, id);
      return { status: account?.connectionStatus ?? 'missing', reason: account?.connectionError ?? null };
    },
    async codeOf(id) {
      return taken(await server.pairing.find(workspaceId, id)).qr?.code ?? null;
    },
    async close() {
      for (const machine of machines) await machine.stop();
      for (const process of processes) await process.kill();
      await stand.close();
      for (const door of doors) {
        door.closeAllConnections();
        await new Promise((resolve) => door.close(resolve));
      }
      await server.close();
    },
  };
}

interface Webhooks {
  readonly delivered: Delivered[];
  /** By session, where it is another than at first. */
  readonly keys: Map<string, string>;
}

/** Passes on to the server; webhooks, which another listener of the product takes, are read here by its channel. */
async function openDoor(port: number, machine: { isCut: boolean }, webhooks: Webhooks): Promise<Server> {
  const door = createServer((incoming, outgoing) => {
    if (machine.isCut) {
      incoming.socket.destroy();
      return;
    }
    if (incoming.url?.startsWith('/webhooks/')) {
      void bodyOf(incoming).then((body) => {
        const { session } = JSON.parse(body.toString('utf8')) as { session: string };
        const read = readWebhook(incoming, body, webhooks.keys.get(session) ?? webhookKey);
        webhooks.delivered.push(read);
        outgoing.writeHead(read.isVerified ? 200 : 401).end('{}');
      });
      return;
    }
    const { method, url: path, headers } = incoming;
    const passed = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return door;
}

function readWebhook(incoming: IncomingMessage, body: Buffer, key: string): Delivered {
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  const target = incoming.url ?? '/';
  const secrets = { signing: [key], challenge: [], publicUrl: '', hasRouteToken: true, requiresSecret: false };
  const verified = webjsChannel.verify({ method: 'POST', target, headers, body }, secrets, Date.now());
  const { events } = webjsChannel.normalise({ headers, target, body, receivedAt: new Date().toISOString() });
  return { isVerified: verified.kind === 'verified' && verified.isAuthenticated, events };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Asks again until it holds: the companion works by its own rounds. */
export function eventually<T>(ask: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(ask, { timeout: 20_000, interval: 25 });
}
