/**
 * A batch of stored deliveries, and what happens where it fails.
 *
 * It is written together, with turns at once; if that fails, together without them (one turn that throws or takes long
 * costs a second write of the batch and no more); if that fails, each delivery is handled by itself, several times in a
 * row, so that what came after it does not overtake it; then it is taken apart: what of it cannot be written becomes a
 * dead letter, the rest takes effect, and the next one goes on. A delivery that a time-out of its statements cuts off, or
 * that cannot even be taken apart, is left for the next batch with its try counted, and so are those that came after it
 * for the same account; the others are handled. After `maxLeftOver` such tries being cut off is taken for its own fault.
 * Deaths of processes are counted apart from them: neither makes the other's end come sooner.
 *
 * The database being away, and a lease that is lost, are no delivery's doing: both are thrown at once and count for nobody.
 */
import { setTimeout as pause, setImmediate as yieldToOthers } from 'node:timers/promises';
import type { AccountId } from '@switchyard/contract';
import { crashPoint } from '#kernel';
import { StorageUnavailable } from '#storage';
import { isCutOff, isHeldUp, isMeeting, isPassing } from '../passing.ts';
import { accountOfEvent } from './account-of-event.ts';
import { LeaseLost } from './lease-lost.ts';
import { normaliseLimits as limits } from './normalise-limits.ts';
import { countCarefulTry, countLeftOver, type StoredDelivery } from './normalise-store.ts';
import type { NormaliserDeps } from './normaliser.ts';
import { type DeliveryPlan, planDelivery } from './plan.ts';
import type { Writing } from './take-effect.ts';
import { type IsItsOwn, writeApart, writePlans } from './write-plans.ts';

/** In the order of `stored`; of a batch with very many parts only its beginning. */
export async function handleBatch(
  deps: NormaliserDeps,
  writing: Writing,
  stored: readonly StoredDelivery[],
): Promise<void> {
  const wasTried = ({ attempts, leftOver }: StoredDelivery) => attempts + leftOver > 0;
  const inTrouble = new Set(stored.filter(wasTried).map(({ accountId }) => accountId));
  const [troubled, sound] = [true, false].map((is) =>
    stored.filter(({ accountId }) => inTrouble.has(accountId) === is),
  );
  if (sound && sound.length > 0) await handleTogether(deps, writing, sound);
  if (troubled && troubled.length > 0) {
    await handleEach(deps, troubled, (delivery) => handleOne(deps, theLongWay(writing), delivery));
  }
}

/** Those whose last holder died: each try is counted before it is made. */
export function handleCarefully(
  deps: NormaliserDeps,
  writing: Writing,
  stored: readonly StoredDelivery[],
): Promise<void> {
  const longWay = theLongWay(writing);
  return handleEach(deps, stored, async (delivery) => {
    const attempts = await countCarefulTry(deps.storage, delivery);
    if (attempts <= limits.maxDeaths) return handleOne(deps, longWay, delivery);
    await writePlans(longWay, [deadPlan(delivery, 'it ended the process that handled it')]);
  });
}

async function handleTogether(
  deps: NormaliserDeps,
  writing: Writing,
  stored: readonly StoredDelivery[],
): Promise<void> {
  const plans = await planTogether(deps, stored);
  crashPoint('normalise.planned');
  if (plans && (await isWrittenTogether(deps, writing, plans))) return;
  await handleEach(deps, stored, (delivery) => handleOne(deps, theLongWay(writing), delivery));
}

/** null: one of them cannot be read. */
async function planTogether(
  deps: NormaliserDeps,
  stored: readonly StoredDelivery[],
): Promise<readonly DeliveryPlan[] | null> {
  try {
    return await planSome(deps, stored);
  } catch (error) {
    if (isOfNoDelivery(error)) throw error;
    deps.log.warn({ error: String(error), deliveries: stored.length }, 'a batch could not be read');
    return null;
  }
}

async function isWrittenTogether(
  deps: NormaliserDeps,
  writing: Writing,
  plans: readonly DeliveryPlan[],
): Promise<boolean> {
  for (const way of [writing, theLongWay(writing)]) {
    try {
      await overMeetings(() => writePlans(way, plans));
      return true;
    } catch (error) {
      if (isOfNoDelivery(error)) throw error;
      deps.log.warn({ error: String(error), deliveries: plans.length }, 'a batch could not be written');
      // All of them have waited long enough for one that was cut off.
      if (error instanceof StorageUnavailable) return false;
    }
  }
  return false;
}

/** Where something went wrong, each turn is taken by itself, with its tries counted. */
function theLongWay(writing: Writing): Writing {
  return { ...writing, takeAtOnce: null };
}

/** One that fails leaves itself and its account's later ones for the next batch. Throws the first failure in the end. */
async function handleEach(
  deps: NormaliserDeps,
  stored: readonly StoredDelivery[],
  handle: (delivery: StoredDelivery) => Promise<void>,
): Promise<void> {
  const failures = new Map<AccountId | null, unknown>();
  for (const delivery of stored) {
    if (failures.has(delivery.accountId)) continue;
    try {
      await handle(delivery);
    } catch (error) {
      if (isOfNoDelivery(error)) throw error;
      const leftOver = await countLeft(deps, delivery, error);
      const facts = { deliveryId: delivery.deliveryId, leftOver, error: String(error) };
      deps.log.error(facts, 'a delivery was left for the next batch');
      failures.set(delivery.accountId, error);
      if (failures.size === limits.maxAccountsLeft) break;
    }
  }
  for (const failure of failures.values()) throw failure;
}

/** Who waits for a row says nothing against itself; nor is that row's count worth another wait, while others are untried. */
async function countLeft({ storage }: NormaliserDeps, delivery: StoredDelivery, error: unknown): Promise<number> {
  try {
    return await countLeftOver(storage, delivery, isHeldUp(error) ? 0 : 1);
  } catch (uncounted) {
    if (isHeldUp(uncounted)) return delivery.leftOver;
    throw uncounted;
  }
}

/** Tries at once and again, so that what came after it does not overtake it; in the end it is handled or dead. */
async function handleOne(deps: NormaliserDeps, writing: Writing, delivery: StoredDelivery): Promise<void> {
  if (delivery.leftOver >= limits.maxLeftOver) {
    const why = `it was left for the next batch ${delivery.leftOver} times`;
    return takeApart(deps, writing, { delivery, why, isItsOwn: (error) => isCutOff(error) || !isPassing(error) });
  }
  for (let tries = 1; tries <= limits.maxAttempts; tries += 1) {
    try {
      const plans = await planSome(deps, [delivery]);
      await overMeetings(() => writePlans(writing, plans));
      return;
    } catch (error) {
      if (error instanceof StorageUnavailable || error instanceof LeaseLost) throw error;
      const facts = { deliveryId: delivery.deliveryId, tries, error: String(error) };
      deps.log.error(facts, 'a delivery could not be handled');
      if (tries < limits.maxAttempts) await pause(limits.retryPauseMs * tries);
      else await takeApart(deps, writing, { delivery, why: String(error), isItsOwn: (broken) => !isPassing(broken) });
    }
  }
}

/** Nobody is to blame, and what is written next would fail too. */
function isOfNoDelivery(error: unknown): boolean {
  if (error instanceof LeaseLost) return true;
  return error instanceof StorageUnavailable && !isCutOff(error) && !isHeldUp(error);
}

async function overMeetings(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isMeeting(error) || tries >= limits.maxMeetings) throw error;
    }
  }
}

async function takeApart(
  deps: NormaliserDeps,
  writing: Writing,
  failing: { readonly delivery: StoredDelivery; readonly why: string; readonly isItsOwn: IsItsOwn },
): Promise<void> {
  const planned = await planOrNothing(deps, failing.delivery);
  await writeApart(writing, planned ?? deadPlan(failing.delivery, failing.why), failing.isItsOwn);
}

/** null: it cannot even be read, and so has no parts. */
async function planOrNothing(deps: NormaliserDeps, delivery: StoredDelivery): Promise<DeliveryPlan | null> {
  try {
    return await plan(deps, delivery);
  } catch (error) {
    if (error instanceof StorageUnavailable) throw error;
    return null;
  }
}

function deadPlan(delivery: StoredDelivery, detail: string): DeliveryPlan {
  return { delivery, events: [], deadLetters: [{ delivery, reason: 'failed', detail, path: '' }] };
}

/** At least one; no more once they have `batchParts`. Lets others go on in between. */
async function planSome(deps: NormaliserDeps, stored: readonly StoredDelivery[]): Promise<readonly DeliveryPlan[]> {
  const plans: DeliveryPlan[] = [];
  let allParts = 0;
  let bytes = 0;
  let parts = 0;
  for (const delivery of stored) {
    const planned = await plan(deps, delivery);
    plans.push(planned);
    bytes += delivery.body.length;
    parts += partsOf(planned);
    allParts += partsOf(planned);
    if (allParts >= limits.batchParts) break;
    if (bytes < limits.bytesBetweenYields && parts < limits.partsBetweenYields) continue;
    bytes = 0;
    parts = 0;
    await yieldToOthers();
  }
  return plans;
}

function partsOf({ events, deadLetters }: DeliveryPlan): number {
  return events.length + deadLetters.length;
}

async function plan(deps: NormaliserDeps, delivery: StoredDelivery): Promise<DeliveryPlan> {
  const found = await planDelivery(delivery, deps.channels[delivery.provider], (from, event) =>
    accountOfEvent(deps.accounts, from, event),
  );
  const foreign = found.deadLetters.filter(({ reason }) => reason === 'foreign-account');
  if (foreign.length > 0) {
    const { deliveryId, accountId } = delivery;
    deps.log.error(
      { deliveryId, accountId, parts: foreign.length, path: foreign[0]?.path },
      'authentic but not its own: a delivery names another account',
    );
  }
  return found;
}
