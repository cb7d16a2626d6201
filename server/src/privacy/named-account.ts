/**
 * Whose part of a shared route's delivery may be, by the body alone: pure. Only where a provider names an account counts, and
 * nowhere else: a workspace chooses its own ids, and one that is a word, a counter or a customer's number would else be found
 * in everybody's bodies.
 */
import type { RawDelivery } from './privacy.ts';

export interface NamedAccount {
  readonly kind: 'phone_number_id' | 'waba_id' | 'instagram_id';
  readonly key: string;
}

export interface NamedAccounts {
  /** By which the inbox finds an event's account: a number goes before the business account that holds it. */
  readonly telling: readonly NamedAccount[];
  readonly all: readonly NamedAccount[];
}

export function accountsNamedIn(body: RawDelivery['body']): NamedAccounts {
  const text = body.toString('utf8');
  const parsed = parseOrNull(text);
  const entries = listAt(parsed, 'entry');
  const ids = entries.flatMap((entry) => textAt(entry, 'id'));
  if (textAt(parsed, 'object')[0] === 'instagram') return onlyThese(named('instagram_id', ids));
  const values = entries.flatMap((entry) => listAt(entry, 'changes')).map((change) => memberOf(change, 'value'));
  const found = values.flatMap((value) => textAt(memberOf(value, 'metadata'), 'phone_number_id'));
  const numbers = named('phone_number_id', entries.length === 0 ? looseNumbers(text) : found);
  const businesses = named('waba_id', ids);
  return numbers.length > 0 ? { telling: numbers, all: [...numbers, ...businesses] } : onlyThese(businesses);
}

function onlyThese(accounts: readonly NamedAccount[]): NamedAccounts {
  return { telling: accounts, all: accounts };
}

const looseNumber = /"phone_number_id"\s*:\s*"([^"]{1,64})"/g;

/** Of what is no JSON of theirs. */
function looseNumbers(text: string): readonly string[] {
  return [...text.matchAll(looseNumber)].flatMap(([, key]) => key ?? []);
}

function named(kind: NamedAccount['kind'], keys: readonly string[]): readonly NamedAccount[] {
  return [...new Set(keys)].map((key) => ({ kind, key }));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function listAt(value: unknown, name: string): readonly unknown[] {
  const member = memberOf(value, name);
  return Array.isArray(member) ? member : [];
}

/** None or one. */
function textAt(value: unknown, name: string): readonly string[] {
  const member = memberOf(value, name);
  const text = typeof member === 'number' ? String(member) : member;
  return typeof text === 'string' && text !== '' ? [text] : [];
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: it is searched by its letters.
    return null;
  }
}
