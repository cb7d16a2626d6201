/** Writes what a freshly migrated schema holds, after a migration was added: `node server/test/support/write-catalogue.ts` */
import { writeFile } from 'node:fs/promises';
import { expectedCatalogueFile, readCatalogue } from '../../src/storage/schema/catalogue-store.ts';
import { startTestCluster, urlOfDatabase } from './test-cluster.ts';

const { facts, close } = await startTestCluster();
try {
  const catalogue = await readCatalogue({ ownerUrl: urlOfDatabase(facts.superuserUrl, facts.template) });
  await writeFile(expectedCatalogueFile, `${JSON.stringify(catalogue, null, 1)}\n`);
} finally {
  await close();
}
