import type { Migration } from 'kysely/migration';
import * as first from './0001-first.ts';
import * as retention from './0008-retention.ts';

/** Every migration in order. A name, once released, is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
  '0008-retention': retention,
};

export const newestMigration: string = Object.keys(migrations).sort().at(-1) ?? '';
