/** The form of an account that is there: what it begins with, and what of it has changed. */
import { dayInZone, type HealthyAccountView, startOfDay } from '@switchyard/contract';
import type { AccountChange } from '../../api/accounts.ts';

export interface EditState {
  name: string;
  businessName: string;
  phoneNumber: string;
  isActive: boolean;
  settings: Record<string, string>;
  /** New values only: held ones are never shown. */
  secrets: Record<string, string>;
  /** Days of the workspace as `2026-12-24`, by the secret's name; empty: not known to end. */
  secretEnds: Record<string, string>;
}

export function stateOf(account: HealthyAccountView, timeZone: string): EditState {
  return {
    name: account.name,
    businessName: account.businessName ?? '',
    phoneNumber: account.phoneNumber ?? '',
    isActive: account.isActive,
    settings: { ...account.settings },
    secrets: {},
    secretEnds: Object.fromEntries(
      account.secretDates.map(({ name, endsAt }) => [name, endsAt === null ? '' : dayInZone(endsAt, timeZone)]),
    ),
  };
}

/** Only what is another now: two people who edit one account do not undo each other's other fields. */
export function changeOf(before: EditState, now: EditState, timeZone: string): AccountChange {
  const settings = changedEntries(before.settings, now.settings);
  const secrets = changedEntries({}, now.secrets);
  const ends = changedEntries(before.secretEnds, now.secretEnds).map(
    ([name, day]) => [name, day === '' ? null : startOfDay(day, timeZone)] as const,
  );
  return {
    ...changedText('name', before, now),
    ...changedText('businessName', before, now),
    ...changedText('phoneNumber', before, now),
    ...(now.isActive === before.isActive ? {} : { isActive: now.isActive }),
    ...(settings.length === 0 ? {} : { settings: Object.fromEntries(settings) }),
    ...(secrets.length === 0 ? {} : { secrets: Object.fromEntries(secrets) }),
    ...(ends.length === 0 ? {} : { secretEnds: Object.fromEntries(ends) }),
  };
}

function changedText(name: 'name' | 'businessName' | 'phoneNumber', before: EditState, now: EditState) {
  const text = now[name].trim();
  return text === before[name] ? {} : { [name]: text };
}

function changedEntries(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>) {
  return Object.entries(now)
    .map(([name, value]) => [name, (value ?? '').trim()] as const)
    .filter(([name, value]) => value !== (before[name] ?? ''));
}
