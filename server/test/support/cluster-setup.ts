import type { TestProject } from 'vitest/node';
import { startTestCluster, type TestClusterFacts } from './test-cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: TestClusterFacts;
  }
}

/** One embedded PostgreSQL for the whole run, with a migrated template that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster();
  project.provide('cluster', cluster.facts);
  return cluster.close;
}
