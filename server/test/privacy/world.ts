/** A shop whose customers have written, been answered and read; and the room that forgets them. */
import type { ContactId, DeliveryId } from '@switchyard/contract';
import { expect } from 'vitest';
import { evolutionChannel, instagramChannel, metaChannel, twilioChannel, webjsChannel } from '#channels';
import type { VerifiedDelivery } from '#inbox';
import { silentLog, systemClock } from '#kernel';
import { createPrivacy, type Privacy } from '#privacy';
import { firstIdOf, type Storage } from '#storage';
import {
  body,
  type DeliveryFacts,
  delivery,
  type InboxWorld,
  openInboxWorld,
  type Shop,
  sharedDelivery,
  status,
  text,
  value,
} from '../inbox/world.ts';

const channels = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
} as const;

export interface PrivacyWorld {
  readonly inbox: InboxWorld;
  readonly privacy: Privacy;
  privacyOver(storage: Storage): Privacy;
  /** Stores webhooks of these values in one delivery, and waits until all is handled. */
  deliver(shop: Shop, ...values: readonly Record<string, unknown>[]): Promise<string>;
  /** The same as a batch that was received then, and could not be unpacked before now. */
  deliverLate(shop: Shop, receivedAt: Date, ...values: readonly Record<string, unknown>[]): Promise<string>;
  /** Bodies of any kind for the account, all at once. */
  deliverBodies(shop: Shop, bodies: readonly unknown[], facts?: DeliveryFacts): Promise<readonly string[]>;
  /** The same by the app-level route, whose deliveries belong to the operator. */
  deliverShared(shop: Shop, ...values: readonly Record<string, unknown>[]): Promise<string>;
  contactOf(shop: Shop, phone: string): Promise<ContactId>;
  /** From the request to the end of the purge. */
  erase(shop: Shop, who: Talk): Promise<void>;
  /** No row and no raw body names them or holds what they wrote. */
  expectGone(who: Talk): Promise<void>;
  /** Every table and column of the workspace and of raw deliveries that holds this text. */
  whereIs(needle: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

let lateOnes = 0;

export const actor = 'person per_1';

export const never = new AbortController().signal;

export async function openPrivacyWorld(): Promise<PrivacyWorld> {
  const inbox = await openInboxWorld();
  const receiver = inbox.receiver();
  inbox.worker();
  const privacyOver = (storage: Storage) =>
    createPrivacy({
      ...{
        storage,
        channels,
        companions: inbox.companions,
        workspaces: inbox.workspaces,
        noteChange: () => {},
        clock: systemClock,
        log: silentLog,
      },
    });
  const take = async (one: VerifiedDelivery) => {
    await receiver.receive(one);
    await inbox.settled();
    return one.id;
  };
  const privacy = privacyOver(inbox.db.storage);
  const contactOf = async (shop: Shop, phone: string) => {
    const [row] = await inbox.db.ownerQuery<{ id: ContactId }>(
      `SELECT contact_id AS id FROM identities WHERE workspace_id = $1 AND kind = 'phone' AND value = $2`,
      [shop.workspaceId, phone],
    );
    if (!row) throw new Error(`nobody has ${phone}`);
    return row.id;
  };
  return {
    inbox,
    privacy,
    privacyOver,
    deliver: (shop, ...values) => take(delivery(shop, body(shop, ...values))),
    deliverLate: (shop, receivedAt, ...values) => {
      lateOnes += 1;
      const id = `${firstIdOf(receivedAt.getTime()).slice(0, 13)}-7000-8000-${String(lateOnes).padStart(12, '0')}`;
      return take(delivery(shop, body(shop, ...values), { id: id as DeliveryId, receivedAt }));
    },
    async deliverBodies(shop, bodies, facts) {
      const all = bodies.map((one) => delivery(shop, one, facts));
      await Promise.all(all.map((one) => receiver.receive(one)));
      await inbox.settled();
      return all.map(({ id }) => id);
    },
    deliverShared: (shop, ...values) => take(sharedDelivery(inbox, body(shop, ...values))),
    contactOf,
    whereIs: (needle) => whereIs(inbox, needle),
    async erase(shop, { phone }) {
      await privacy.eraseContact(shop.workspaceId, await contactOf(shop, `+${phone}`), actor);
      await privacy.purge(never);
    },
    async expectGone({ phone, name, secret }) {
      for (const trace of [phone, name, secret]) expect([trace, await whereIs(inbox, trace)]).toEqual([trace, []]);
    },
    async close() {
      await receiver.close();
      await inbox.close();
    },
  };
}

/** One statement a table: each of its columns that can hold words. */
async function whereIs({ db }: InboxWorld, needle: string): Promise<readonly string[]> {
  const columns = await db.ownerQuery<{ table: string; column: string; type: string }>(
    `SELECT table_name AS table, column_name AS column, data_type AS type FROM information_schema.columns c
     JOIN pg_class t ON t.oid = ('switchyard.' || quote_ident(c.table_name))::regclass AND t.relkind = 'r'
     WHERE table_schema = 'switchyard' AND data_type IN ('text', 'jsonb', 'bytea', 'ARRAY')`,
  );
  const holds = ({ column, type }: { column: string; type: string }) =>
    `bool_or(position(${type === 'bytea' ? `$1::text::bytea in "${column}"` : `$1 in "${column}"::text`}) > 0) AS "${column}"`;
  const found: string[] = [];
  for (const [table, own] of Map.groupBy(columns, (one) => one.table)) {
    const [row] = await db.ownerQuery(`SELECT ${own.map(holds).join(', ')} FROM ${table}`, [needle]);
    for (const [column, isThere] of Object.entries(row ?? {})) if (isThere) found.push(`${table}.${column}`);
  }
  return found;
}

export interface Talk {
  readonly phone: string;
  readonly name: string;
  readonly secret: string;
}

let somebodies = 0;

/** Told apart from everybody else by each of their words. */
export function somebody(): Talk {
  somebodies += 1;
  return {
    phone: `346111000${10 + somebodies}`,
    name: `Canary Name ${somebodies}`,
    secret: `canary words ${somebodies}`,
  };
}

/** What one customer writes, as Meta sends it: the message and who it is. */
export function writes(shop: Shop, { phone, name, secret }: Talk, id: string): Record<string, unknown> {
  return value(shop, {
    contacts: [{ profile: { name }, wa_id: phone }],
    messages: [text({ id, from: phone, text: secret })],
  });
}

/** Both customers in one value, as a batch of Meta holds them. */
export function bothWrite(shop: Shop, talks: readonly Talk[], ids: readonly string[]): Record<string, unknown> {
  return value(shop, {
    contacts: talks.map(({ phone, name }) => ({ profile: { name }, wa_id: phone })),
    messages: talks.map(({ phone, secret }, index) => text({ id: ids[index]!, from: phone, text: secret })),
  });
}

/** The same, said in a group. */
export function saysInGroup(shop: Shop, { phone, name, secret }: Talk, id: string): Record<string, unknown> {
  return value(shop, {
    contacts: [{ profile: { name }, wa_id: phone }],
    messages: [{ ...text({ id, from: phone, text: secret }), group_id: 'a-group' }],
  });
}

/** The same without its id: a part that nobody can read. */
export function writesUnreadably(shop: Shop, talk: Talk): Record<string, unknown> {
  const { id: _lost, ...rest } = text({ from: talk.phone, text: talk.secret });
  return value(shop, { contacts: [{ profile: { name: talk.name }, wa_id: talk.phone }], messages: [rest] });
}

export function reads(shop: Shop, phone: string, id: string): Record<string, unknown> {
  return value(shop, { statuses: [{ ...status(id, 'read'), recipient_id: phone }] });
}
