/** What is run under each name, with what each has by itself. */
import type { FaultOptions, RunName } from './options.ts';
import type { Report } from './report.ts';
import { blowNames, postgresBlows, redisBlows } from './runs/blows.ts';
import { crashPoints } from './runs/crash-points.ts';
import { herd } from './runs/herd.ts';
import { hostile } from './runs/hostile.ts';
import { noisyNeighbour } from './runs/noisy-neighbour.ts';
import { providers } from './runs/providers.ts';
import { soak } from './runs/soak.ts';

const withRedis = redisBlows.map((how) => `redis ${how}` as const);
const onPostgres = [...postgresBlows, 'disk-full' as const].map((how) => `postgres ${how}` as const);

export const runs: Readonly<Record<RunName, (options: FaultOptions) => Promise<Report>>> = {
  'crash-points': ({ hits = 1, seed, rate = 25, template }) =>
    crashPoints({ hits, seed, ratePerSecond: rate, ...(template ? { template } : {}) }),
  soak: ({ webhooks = 3_000, kills = 5, seed, rate = 60, hasRedis, template }) =>
    soak({
      ...{ webhooks, kills, seed, ratePerSecond: rate, hasRedis },
      ...(template ? { template } : {}),
      blows: hasRedis ? [...blowNames, ...withRedis] : blowNames,
    }),
  postgres: ({ webhooks = 3_000, kills = 8, seed, rate = 60 }) =>
    soak({
      ...{ name: 'postgres', webhooks, kills, seed, ratePerSecond: rate, blows: onPostgres },
      ...{ faults: [], gateways: 1, hasSmallDisk: true },
    }),
  redis: ({ webhooks = 3_000, kills = 6, seed, rate = 60, template }) =>
    soak({
      ...{ name: 'redis', webhooks, kills, seed, ratePerSecond: rate, blows: withRedis },
      ...{ faults: [], hasRedis: true, ...(template ? { template } : {}) },
    }),
  providers: ({ webhooks = 2_000, seed, rate = 40 }) => providers({ webhooks, seed, ratePerSecond: rate }),
  hostile: ({ webhooks = 1_000, seed, rate = 40 }) => hostile({ webhooks, seed, ratePerSecond: rate }),
  'noisy-neighbour': ({ seed, rate = 2 }) => noisyNeighbour({ seed, quietPerSecond: rate }),
  herd: ({ seed, rate = 60 }) => herd({ seed, ratePerSecond: rate }),
};
