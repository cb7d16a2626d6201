/** What is run under each name, with what each has by itself. */
import type { FaultOptions, RunName } from './asked.ts';
import type { Report } from './report.ts';
import { blowNames, postgresBlows, redisBlows } from './runs/blows.ts';
import { crashPoints } from './runs/crash-points.ts';
import { herd } from './runs/herd.ts';
import { hostile } from './runs/hostile.ts';
import { noisyNeighbour } from './runs/noisy-neighbour.ts';
import { providers } from './runs/providers.ts';
import { soak } from './runs/soak.ts';
import { type SizedRun, sizeOf } from './sizes.ts';

const withRedis = redisBlows.map((how) => `redis ${how}` as const);
const onPostgres = [...postgresBlows, 'disk-full' as const].map((how) => `postgres ${how}` as const);

/** What all runs of blows take alike. */
function blowsOf(name: SizedRun, options: FaultOptions) {
  const { seed, rate } = options;
  return { name, seed, ...sizeOf(name, options), ...(rate ? { ratePerSecond: rate } : {}), ...templateOf(options) };
}

function templateOf({ template }: FaultOptions) {
  return template ? { template } : {};
}

export const runs: Readonly<Record<RunName, (options: FaultOptions) => Promise<Report>>> = {
  'crash-points': (options) => {
    const { hits = 1, seed, rate = 25 } = options;
    return crashPoints({ hits, seed, ratePerSecond: rate, ...templateOf(options) });
  },
  soak: (options) =>
    soak({
      ...blowsOf('soak', options),
      hasRedis: options.hasRedis ?? false,
      blows: options.hasRedis ? [...blowNames, ...withRedis] : blowNames,
    }),
  postgres: (options) =>
    soak({ ...blowsOf('postgres', options), blows: onPostgres, faults: [], gateways: 1, hasSmallDisk: true }),
  redis: (options) => soak({ ...blowsOf('redis', options), blows: withRedis, faults: [], hasRedis: true }),
  providers: (options) => {
    const { webhooks = 2_000, seed, rate = 40 } = options;
    return providers({ webhooks, seed, ratePerSecond: rate, ...templateOf(options) });
  },
  hostile: (options) => {
    const { webhooks = 1_000, seed, rate = 40 } = options;
    return hostile({ webhooks, seed, ratePerSecond: rate, ...templateOf(options) });
  },
  'noisy-neighbour': (options) => {
    const { webhooks, seed, rate = 2 } = options;
    return noisyNeighbour({ seed, quietPerSecond: rate, ...(webhooks ? { webhooks } : {}), ...templateOf(options) });
  },
  herd: ({ seed, rate = 60 }) => herd({ seed, ratePerSecond: rate }),
};
