import type { Migration } from 'kysely/migration';
import * as first from './0001-first.ts';
import * as people from './0002-people.ts';
import * as accounts from './0003-accounts.ts';
import * as tokens from './0004-tokens.ts';
import * as companion from './0005-companion.ts';
import * as ledger from './0006-ledger.ts';
import * as retention from './0008-retention.ts';
import * as watching from './0010-watching.ts';
import * as losses from './0011-losses.ts';
import * as erasedEvents from './0012-erased-events.ts';
import * as parkedLately from './0013-parked-lately.ts';
import * as stoppedEvents from './0014-stopped-events.ts';
import * as refusals from './0015-refusals.ts';
import * as triesApart from './0016-tries-apart.ts';
import * as erasureFailures from './0017-erasure-failures.ts';

/** Every migration in order. A name, once released, is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
  '0002-people': people,
  '0003-accounts': accounts,
  '0004-tokens': tokens,
  '0005-companion': companion,
  '0006-ledger': ledger,
  '0008-retention': retention,
  '0010-watching': watching,
  '0011-losses': losses,
  '0012-erased-events': erasedEvents,
  '0013-parked-lately': parkedLately,
  '0014-stopped-events': stoppedEvents,
  '0015-refusals': refusals,
  '0016-tries-apart': triesApart,
  '0017-erasure-failures': erasureFailures,
};

export const newestMigration: string = Object.keys(migrations).sort().at(-1) ?? '';
