/** Every payload through the HTTP door of a real server, to its account's webhook, signed; then looked at in the inbox. */
import { setTimeout as delay } from 'node:timers/promises';
import { accountKey, accountsOf } from './accounts.ts';
import { contentTypeOf, type Entry } from './manifest.ts';
import type { NormalisedEntry } from './normalised.ts';
import { addAccount, type Shop } from './shop.ts';
import { signedHeaders } from './signed.ts';
import type { Verdict } from './verdict.ts';

const settleMs = 60_000;
const askAgainMs = 200;
const pageSize = 100;

/** For bodies that speak of several accounts: each event finds its own. */
const sharedPath = { meta: '/api/whatsapp/webhook', instagram: '/api/instagram/webhook', twilio: '/whatsapp/webhook' };

interface Delivery {
  readonly state: 'stored' | 'normalised' | 'dead';
  readonly sizeBytes: number;
  readonly events: number | null;
  readonly duplicates: number | null;
  readonly deadLetters: number | null;
  readonly error: string | null;
}

interface Posted {
  readonly payload: NormalisedEntry;
  readonly isShared: boolean;
  readonly status: number;
}

export async function checkDelivered(shop: Shop, payloads: readonly NormalisedEntry[]): Promise<readonly Verdict[]> {
  const paths = await addAccounts(shop, payloads);
  const posted: Posted[] = [];
  // One after another: the order in which they are stored tells which is which.
  for (const payload of payloads) {
    const accounts = accountsOf(payload);
    const isShared = accounts.length > 1 && payload.entry.provider in sharedPath;
    const path = isShared
      ? sharedPath[payload.entry.provider as keyof typeof sharedPath]
      : paths.get(accountKey(accounts[0]!))!;
    posted.push({ payload, isShared, status: await post(shop, payload.entry, path) });
  }
  await untilIdle(shop);
  const [own, shared] = [posted.filter(({ isShared }) => !isShared), posted.filter(({ isShared }) => isShared)];
  return [
    ...verdictsOf(own, await deliveriesOf(own, (path) => shop.api('GET', path))),
    ...verdictsOf(shared, await deliveriesOf(shared, (path) => shop.operatorApi(path))),
  ];
}

async function addAccounts(shop: Shop, payloads: readonly NormalisedEntry[]): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const account of payloads.flatMap(accountsOf)) {
    const key = accountKey(account);
    if (!paths.has(key)) paths.set(key, await addAccount(shop, account, ''));
  }
  return paths;
}

async function post(shop: Shop, entry: Entry, path: string): Promise<number> {
  const url = `${shop.url}${path}`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': contentTypeOf(entry),
      ...signedHeaders(entry.provider, { url, body: entry.body, secret: shop.secret }),
    },
    body: new Uint8Array(entry.body),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** Until nothing is stored unread and no conversation has an event to be handled; or until time is up. */
async function untilIdle(shop: Shop): Promise<void> {
  const deadline = Date.now() + settleMs;
  while (Date.now() < deadline) {
    const numbers = await (await fetch(`${shop.url}/metrics`)).text();
    const isIdle = ['switchyard_inbox_stored', 'switchyard_conversations_due'].every((name) =>
      new RegExp(`^${name} 0$`, 'm').test(numbers),
    );
    if (isIdle) return;
    await delay(askAgainMs);
  }
}

/** The deliveries of those that were taken, oldest first. */
async function deliveriesOf(
  posted: readonly Posted[],
  get: (path: string) => Promise<{ data: readonly Delivery[]; nextCursor: string | null }>,
): Promise<readonly Delivery[]> {
  return posted.some(({ status }) => status === 200) ? allDeliveries(get) : [];
}

async function allDeliveries(
  get: (path: string) => Promise<{ data: readonly Delivery[]; nextCursor: string | null }>,
): Promise<readonly Delivery[]> {
  const found: Delivery[] = [];
  let cursor: string | null = null;
  do {
    const next = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { data: readonly Delivery[]; nextCursor: string | null } = await get(
      `/deliveries?limit=${pageSize}${next}`,
    );
    found.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found.reverse();
}

function verdictsOf(posted: readonly Posted[], deliveries: readonly Delivery[]): readonly Verdict[] {
  let next = 0;
  return posted.map(({ payload, status }) => {
    const verdict = { check: 'delivered', provider: payload.entry.provider, file: payload.entry.file } as const;
    if (status !== 200) return { ...verdict, failure: `answered ${status}` };
    const delivery = deliveries[next];
    next += 1;
    const failure = failureOf(payload, delivery);
    if (failure) return { ...verdict, failure };
    // Documents and libraries tell the same message again, byte for byte or nearly so.
    return delivery?.duplicates ? { ...verdict, duplicates: delivery.duplicates } : verdict;
  });
}

function failureOf({ entry, normalised }: NormalisedEntry, delivery: Delivery | undefined): string | undefined {
  if (!delivery) return 'answered 200, and is not in the inbox';
  if (delivery.sizeBytes !== entry.body.length) return `stored ${delivery.sizeBytes} of ${entry.body.length} bytes`;
  if (delivery.state === 'stored') return 'was not read in time';
  // Of its parts, or of an event that failed in its turn.
  if (delivery.error !== null || (delivery.deadLetters ?? 0) > 0) return `dead letter: ${delivery.error}`;
  const found = delivery.events ?? 0;
  if (found !== normalised.events.length) return `${found} of ${normalised.events.length} event(s) were found`;
  return undefined;
}
