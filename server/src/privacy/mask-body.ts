/**
 * A raw body without one person: pure, and knows no provider. In JSON the innermost element of a list that names them
 * goes (in Meta's batches that is one message, one status, one entry of `contacts`), so what others wrote stays. Where no
 * list holds them, where the body is no JSON or is nested too deep to be walked, or where they are not found in it at all,
 * nothing of the body stays.
 */
import type { RawDelivery } from './privacy.ts';

/** Shorter values would be found in places that mean somebody else. */
export const minIdentityLength = 5;

const nothing = Buffer.alloc(0);

/** As deep as the channels read JSON: what is nested deeper was set aside unread, and walking it would overflow the stack. */
const maxDepth = 128;

export function maskBody(body: RawDelivery['body'], identityValues: readonly string[]): Buffer {
  const named = identityValues.filter((value) => value.length >= minIdentityLength);
  if (named.length === 0) return nothing;
  const parsed = parseOrNull(body.toString('utf8'));
  if (parsed === null || typeof parsed !== 'object' || isDeeperThan(maxDepth, parsed)) return nothing;
  const rest = without(parsed, named);
  if (rest.isNamed || !rest.isChanged) return nothing;
  return Buffer.from(JSON.stringify(rest.value));
}

/** Level by level, without recursion. */
function isDeeperThan(most: number, value: unknown): boolean {
  let level: readonly object[] = [value].filter(isNested);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= most) return true;
    level = level.flatMap((one) => Object.values(one).filter(isNested));
  }
  return false;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

interface Rest {
  readonly value: unknown;
  /** Names the person outside of any list below. */
  readonly isNamed: boolean;
  readonly isChanged: boolean;
}

function without(value: unknown, named: readonly string[]): Rest {
  if (Array.isArray(value)) return withoutElements(value, named);
  if (typeof value === 'object' && value !== null) return withoutMembers(value, named);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return { value, isNamed: named.some((one) => text.includes(one)), isChanged: false };
}

function withoutElements(list: readonly unknown[], named: readonly string[]): Rest {
  const rests = list.map((element) => without(element, named));
  const kept = rests.filter((rest) => !rest.isNamed);
  const isChanged = kept.length < list.length || rests.some((rest) => rest.isChanged);
  return { value: kept.map((rest) => rest.value), isNamed: false, isChanged };
}

function withoutMembers(object: object, named: readonly string[]): Rest {
  const members = Object.entries(object).map(([key, value]) => ({ key, rest: without(value, named) }));
  return {
    value: Object.fromEntries(members.map(({ key, rest }) => [key, rest.value])),
    isNamed: members.some(({ key, rest }) => rest.isNamed || named.some((one) => key.includes(one))),
    isChanged: members.some(({ rest }) => rest.isChanged),
  };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a form, or nothing that anybody could read.
    return null;
  }
}
