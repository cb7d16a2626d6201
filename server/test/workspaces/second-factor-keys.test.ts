/** The master key is rotated under second factors: they go on working, sealed by the new one. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog, systemClock } from '#kernel';
import {
  createPasswords,
  createPostgresEngines,
  createSealer,
  type Engines,
  keyText,
  parseKeyring,
  resealAll,
  type Sealer,
} from '#storage';
import { createPeople, createWorkspaces, type Person } from '#workspaces';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let engines: Engines;

beforeAll(async () => {
  db = await testDatabase();
  engines = await createPostgresEngines({ connectionString: db.urls.app, log: silentLog });
});
afterAll(async () => {
  await engines.close();
  await db.close();
});

function roomBy(sealer: Sealer) {
  const deps = { storage: db.storage, passwords: createPasswords(), counters: engines.counters, clock: systemClock };
  return {
    workspaces: createWorkspaces(deps),
    people: createPeople({ ...deps, sealer, mailer: null, log: silentLog }),
  };
}

it('seals every secret anew, once, and each opens by the new key alone', async () => {
  const [older, newer] = [keyText(randomBytes(32)), keyText(randomBytes(32))];
  const before = roomBy(createSealer(parseKeyring(older)));
  const people: Person[] = [];
  for (const name of ['ana', 'ben', 'cai']) {
    const made = await before.workspaces.addPerson({ email: `${name}@example.com`, name, password: 'long enough' });
    if (!made.ok) throw new Error(made.refusal.code);
    people.push(made.value);
    expect((await before.people.offerSecondFactor(made.value)).ok).toBe(true);
  }
  const both = createSealer(parseKeyring(`${newer},${older}`));
  const reseal = () => resealAll({ storage: db.storage, sealer: both, progress: () => {} });
  expect(await reseal()).toMatchObject({ second_factors: 3 });
  expect(await reseal()).toMatchObject({ second_factors: 0 });
  const after = roomBy(createSealer(parseKeyring(newer)));
  // A secret that does not open throws; one that does is asked for its code, and this is none.
  for (const { id } of people)
    expect(await after.people.confirmSecondFactor(id, '------')).toMatchObject({ refusal: { code: 'wrong-code' } });
});
