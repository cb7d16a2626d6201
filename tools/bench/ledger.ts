/**
 * `ledger`: what the ledger, the trace, the watch over pressure, the lanes and the turns between workspaces cost: `ingest` and
 * `turn` on two servers, each a copy of the sources with a database of its own, one of them without all of these (`LEDGER=0`,
 * and claims that know no lanes), taken in turn in one run. Each second pair is in the other order. Beside the rates stands
 * the CPU of one webhook and one turn (server and database), which other work on the machine blurs less. What the jobs of the
 * background cost, which seldom fall into a stretch of seconds, is measured apart.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { WorkspaceId } from '@switchyard/contract';
import { openProduct } from '../../server/src/compose/index.ts';
import { parseConfig } from '../../server/src/config.ts';
import { silentLog } from '../../server/src/kernel/index.ts';
import { type EditedCopy, makeEditedCopy } from '../edited-copy.ts';
import { round, takeIn } from './ingest.ts';
import { indexWithoutLanes, lanesOff } from './lanes-off.ts';
import type { MetaTarget } from './meta-body.ts';
import {
  answerOf,
  cpuSeconds,
  databaseCpuSeconds,
  forkTool,
  median,
  type StartedServer,
  startServer,
} from './processes.ts';
import { addAccounts, makeShop, ownerUrlOf, type Shop } from './shop.ts';
import { ask, inFlight, refuseWrong, turnAccounts } from './turn.ts';

export interface LedgerOptions {
  readonly pairs: number;
  readonly seconds: number;
  readonly connections: number;
}

const sides = ['on', 'off'] as const;
type Side = (typeof sides)[number];

/** How often each delivery of a day is counted again: half-hourly for its hour and the two after it, and by the nightly looks. */
const rollsOfDelivery = 7;
const balancesOfDelivery = 9;

interface Stretch {
  readonly perSecond: number;
  /** CPU of one webhook or turn, server and database together, in microseconds. */
  readonly cpuUs: number;
}

type Pairs = readonly Readonly<Record<Side, Stretch>>[];

export async function ledger(options: LedgerOptions) {
  const copies = { on: makeEditedCopy([]), off: makeEditedCopy(lanesOff) };
  try {
    const ingest = await measureIngest(options, copies);
    const { turn, background } = await measureTurn(options, copies);
    return { name: 'ledger', ingest: summary(ingest), turn: summary(turn), background };
  } finally {
    for (const side of sides) copies[side].remove();
  }
}

/** Both are copies, so that they differ in nothing but what is measured. */
type Copies = Readonly<Record<Side, EditedCopy>>;

function summary(pairs: Pairs) {
  const each = (of: (pair: Pairs[number]) => number) => median(pairs.map(of));
  return {
    on: Math.round(each(({ on }) => on.perSecond)),
    off: Math.round(each(({ off }) => off.perSecond)),
    cost: round(1 - each(({ on, off }) => on.perSecond / off.perSecond), 3),
    cpuUs: {
      on: round(
        each(({ on }) => on.cpuUs),
        1,
      ),
      off: round(
        each(({ off }) => off.cpuUs),
        1,
      ),
    },
    cpuCost: round(each(({ on, off }) => on.cpuUs / off.cpuUs) - 1, 3),
    pairs: pairs.map(({ on, off }) => round(1 - on.perSecond / off.perSecond, 3)),
    cpuPairs: pairs.map(({ on, off }) => round(on.cpuUs / off.cpuUs - 1, 3)),
  };
}

interface Running {
  readonly shop: Shop;
  readonly server: StartedServer;
  readonly postmaster: number;
}

interface Beginning {
  readonly side: Side;
  readonly copies: Copies;
  readonly env: Readonly<Record<string, string>>;
  readonly prepare?: (side: Side, shop: Shop) => Promise<void>;
}

async function begin({ side, copies, env, prepare }: Beginning): Promise<Running> {
  const { home } = copies[side];
  // What is compiled of a copy goes with it.
  const settings = { ...env, LEDGER: side === 'on' ? '1' : '0', NODE_COMPILE_CACHE: join(home, 'compiled') };
  const shop = await makeShop(settings);
  await prepare?.(side, shop);
  const server = await startServer(shop.env, home);
  // Now that it holds the database.
  if (side === 'off') await indexWithoutLanes(await ownerUrlOf(shop));
  return { shop, server, postmaster: shop.postmaster() };
}

async function beginBoth(beginning: Omit<Beginning, 'side'>): Promise<Readonly<Record<Side, Running>>> {
  const on = await begin({ side: 'on', ...beginning });
  try {
    return { on, off: await begin({ side: 'off', ...beginning }) };
  } catch (error) {
    await end(on);
    throw error;
  }
}

async function end({ shop, server }: Running): Promise<void> {
  await server.stop();
  shop.remove();
}

async function measureIngest(options: LedgerOptions, copies: Copies): Promise<Pairs> {
  const running = await beginBoth({ copies, env: { ROLES: 'gateway' } });
  try {
    const stretch = async (side: Side, seconds = options.seconds): Promise<Stretch> => {
      const { ours, gatewayUs, databaseUs } = await takeIn(running[side], { ...options, seconds });
      return { perSecond: ours.rps, cpuUs: gatewayUs + databaseUs };
    };
    return await inPairs('ingest', options.pairs, stretch);
  } finally {
    await Promise.all(sides.map((side) => end(running[side])));
  }
}

async function measureTurn(options: LedgerOptions, copies: Copies) {
  const customers = forkTool('./turn-loader.ts');
  const { door } = await answerOf<{ door: number }>(customers);
  // The copies have no console to serve.
  const env = { META_GRAPH_URL: `http://127.0.0.1:${door}`, ROLES: 'gateway,worker' };
  const targets: Partial<Record<Side, readonly MetaTarget[]>> = {};
  const prepare = async (side: Side, shop: Shop) => {
    targets[side] = await addAccounts(shop, turnAccounts);
  };
  const running = await beginBoth({ copies, env, prepare });
  try {
    const stretch = (side: Side, seconds = options.seconds) =>
      turnOnce(customers, running[side], { targets: targets[side] ?? [], seconds });
    const turn = await inPairs('turn', options.pairs, stretch);
    return { turn, background: await measureBackground(running.on) };
  } finally {
    customers.kill();
    await Promise.all(sides.map((side) => end(running[side])));
  }
}

async function turnOnce(
  customers: ChildProcess,
  { shop, server, postmaster }: Running,
  { targets, seconds }: { readonly targets: readonly MetaTarget[]; readonly seconds: number },
): Promise<Stretch> {
  const used = () => cpuSeconds(server.pid) + databaseCpuSeconds(postmaster);
  const before = used();
  // No warming up apart: the CPU is that of all turns, and all are counted.
  const report = await ask(customers, { port: shop.port, targets, inFlight, seconds, warmSeconds: 0 });
  refuseWrong([report]);
  return { perSecond: report.perSecond, cpuUs: ((used() - before) / Math.max(1, report.turns)) * 1e6 };
}

/** The first stretch of each side warms up and does not count. */
async function inPairs(
  name: string,
  pairs: number,
  stretch: (side: Side, seconds?: number) => Promise<Stretch>,
): Promise<Pairs> {
  for (const side of sides) await stretch(side, 2);
  const taken: Readonly<Record<Side, Stretch>>[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? sides : sides.toReversed();
    const made: Partial<Record<Side, Stretch>> = {};
    for (const side of order) made[side] = await stretch(side);
    const { on, off } = made as Record<Side, Stretch>;
    taken.push({ on, off });
    const said = ({ perSecond, cpuUs }: Stretch) => `${perSecond.toFixed(0)}/s ${cpuUs.toFixed(0)} µs`;
    console.error(`${name} pair ${pair + 1}: on ${said(on)}, off ${said(off)}`);
  }
  return taken;
}

/** CPU of one count and of one balance of all that has come, ours and the database's. */
async function measureBackground({ shop, postmaster }: Running) {
  const product = await openProduct(parseConfig(shop.env), silentLog);
  try {
    const workspace = await product.workspaces.find(shop.workspaceId);
    if (!workspace) throw new Error('the shop has no workspace');
    const { ledger: books } = product.monitoring;
    const span = { from: new Date(Date.now() - 9 * 24 * 3_600_000), to: new Date() };
    const empty = await product.workspaces.operatorWorkspace();
    const { totals } = await books.balance({ workspaceId: workspace.id, span });
    /** What it costs in a workspace in which nothing came, in ms, and for each delivery beside that, in µs. */
    const costOf = async (work: (id: WorkspaceId) => Promise<unknown>) => {
      const fixed = await cpuMsOf(postmaster, () => work(empty.id));
      const whole = await cpuMsOf(postmaster, () => work(workspace.id));
      const us = Math.max(0, ((whole - fixed) * 1_000) / Math.max(1, totals.received));
      return { workspaceMs: round(fixed, 1), deliveryUs: round(us, 2) };
    };
    const roll = await costOf((id) => books.roll(id));
    const balance = await costOf((id) => books.balance({ workspaceId: id, span }));
    const cpuUsOfDelivery = roll.deliveryUs * rollsOfDelivery + balance.deliveryUs * balancesOfDelivery;
    return { deliveries: totals.received, roll, balance, cpuUsOfDelivery: round(cpuUsOfDelivery, 1) };
  } finally {
    await product.close();
  }
}

/** Of the kernel's clock, whose steps are of 10 ms: so many times, and divided. */
const times = 10;

async function cpuMsOf(postmaster: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const before = [process.cpuUsage(), databaseCpuSeconds(postmaster)] as const;
  for (let time = 0; time < times; time += 1) await work();
  const own = process.cpuUsage(before[0]);
  return ((own.user + own.system) / 1_000 + (databaseCpuSeconds(postmaster) - before[1]) * 1_000) / times;
}
