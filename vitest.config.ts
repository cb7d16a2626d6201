import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rooms',
          include: ['{contract,server,simulator}/{src,test}/**/*.test.ts'],
          exclude: ['server/test/whole/**'],
          globalSetup: ['server/test/support/cluster-setup.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'whole',
          include: ['server/test/whole/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          pool: 'forks',
          // Each starts the whole product: one at a time.
          fileParallelism: false,
        },
      },
    ],
    maxWorkers: 2,
  },
});
