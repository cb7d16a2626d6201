/** One hostile request, what must be answered to it and what must come of it. */
import { createHmac } from 'node:crypto';
import { bodyOf, textContent } from '../../load/bodies.ts';
import type { Shop } from '../../stage/shops.ts';
import type { Doors } from './accounts.ts';

/** Why a part of a body that was stored took no effect, as the dead letters say it. */
export type LetterReason = 'unreadable' | 'foreign-account' | 'failed';

export interface HostileRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isChunked?: boolean;
  /** In place of the line that tells the body's length. */
  readonly lengthLines?: readonly string[];
  /** Our side is closed after the body, whatever was said of its length. */
  readonly isCutOff?: boolean;
  /** So often at once. */
  readonly copies?: number;
  /** 0: closed without an answer. */
  readonly answers: readonly number[];
  /** Messages in it that take effect, each once however often it comes. */
  readonly takes?: readonly string[];
  /** One part of it becomes a dead letter of this reason. */
  readonly setsAside?: LetterReason;
  /** As it lies in the inbox, where a secret in it is masked. */
  readonly stored?: Buffer;
}

/** To whom they are sent; `round` makes the ids of each round its own. */
export interface Targets {
  readonly mine: Shop;
  /** Of another workspace. */
  readonly other: Shop;
  readonly doors: Doors;
  readonly port: number;
  readonly round: number;
}

/** Who writes tells what must come of it. */
export const senders = {
  /** Authentic, if odd: takes effect. */
  odd: '4915599000001',
  /** Authentic, and of another's number: stored, and set aside. */
  foreign: '4915599000333',
  /** Refused: nothing of it may be found anywhere. */
  forged: '4915599000666',
} as const;

export const mebibyte = 1024 * 1024;
export const bodyLimit = 3 * mebibyte;

type More = Partial<HostileRequest>;

/** Signed as Meta signs. */
export function post(
  shop: Pick<Shop, 'path' | 'appSecret'>,
  name: string,
  body: Buffer,
  answers: readonly number[],
  more: More = {},
): HostileRequest {
  const headers = { 'content-type': 'application/json', ...graphSignature(shop.appSecret, body), ...more.headers };
  return { name, method: 'POST', path: shop.path, body, answers, ...more, headers };
}

export function graphSignature(
  secret: string,
  body: Buffer,
  algorithm: 'sha256' | 'sha1' = 'sha256',
): Record<string, string> {
  return { 'x-hub-signature-256': `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}` };
}

export function metaMessage(shop: Shop, from: string, id: string, text = 'hola'): Buffer {
  const target = { ...shop, displayNumber: shop.number.slice(1) };
  return bodyOf(target, { id, from, seconds: nowSeconds(), content: textContent(text) });
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
