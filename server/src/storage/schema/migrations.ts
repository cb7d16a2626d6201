import type { Migration } from 'kysely/migration';
import * as first from './0001-first.ts';

/** Every migration in order. A name, once released, is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
};

export const newestMigration: string = Object.keys(migrations).sort().at(-1) ?? '';
