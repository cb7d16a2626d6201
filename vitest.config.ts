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
    ],
    maxWorkers: 2,
  },
});
