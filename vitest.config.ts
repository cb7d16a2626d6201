import { defineConfig } from 'vitest/config';

/** A page or a process that comes within this time comes: what is to be quicker says so where it is asked. */
const expected = { poll: { timeout: 15_000 } } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rooms',
          expect: expected,
          include: ['{contract,server,simulator,companion}/{src,test}/**/*.test.ts'],
          exclude: ['server/test/whole/**'],
          globalSetup: ['server/test/support/cluster-setup.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        // The program in processes of its own: one file at a time, after the rooms.
        test: {
          name: 'whole',
          expect: expected,
          include: ['server/test/whole/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    maxWorkers: 2,
  },
});
