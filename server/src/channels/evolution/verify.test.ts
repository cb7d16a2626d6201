import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RawRequest, VerifySecrets } from '../channel.ts';
import { evolutionChannel } from './index.ts';

const nowMs = Date.UTC(2026, 0, 1);
const held: VerifySecrets = {
  signing: ['instance-key', 'header-secret'],
  challenge: [],
  publicUrl: 'https://hooks.example.com',
  hasRouteToken: false,
  requiresSecret: false,
};

function request(headers: Record<string, string>, body: unknown = { event: 'x', apikey: null }): RawRequest {
  return { method: 'POST', target: '/webhooks/evolution/shop', headers, body: Buffer.from(JSON.stringify(body)) };
}

function verify(one: RawRequest, change: Partial<VerifySecrets> = {}) {
  return evolutionChannel.verify(one, { ...held, ...change }, nowMs);
}

const authenticated = { kind: 'verified', isAuthenticated: true };

function token(claims: object, key = 'header-secret', header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

describe('without a route token', () => {
  test.each([
    ['apikey', 'instance-key'],
    ['authorization', 'Bearer header-secret'],
    ['authorization', 'header-secret'],
    ['x-api-key', 'header-secret'],
    ['x-webhook-secret', 'header-secret'],
    ['x-webhook-token', 'header-secret'],
  ])('the header %s with what we hold is enough', (name, value) => {
    expect(verify(request({ [name]: value }))).toEqual(authenticated);
  });

  test('the apikey of the body is enough, however it is spelt', () => {
    expect(verify(request({}, { apikey: 'instance-key' }))).toEqual(authenticated);
    const escaped = { ...request({}), body: Buffer.from('{"\\u0061pikey":"instance\\u002dkey"}') };
    expect(verify(escaped)).toEqual(authenticated);
  });

  test('the apikey anywhere else in the body is not', () => {
    const said = { data: { apikey: 'instance-key', message: { conversation: '"apikey":"instance-key"' } } };
    expect(verify(request({}, said)).kind).toBe('refused');
  });

  test('a token under the jwt_key is enough until it expires', () => {
    const seconds = nowMs / 1_000;
    const bearer = (text: string) => verify(request({ authorization: `Bearer ${text}` })).kind;
    expect(bearer(token({ exp: seconds + 600, app: 'evolution' }))).toBe('verified');
    expect(bearer(token({ exp: seconds - 30 }))).toBe('verified');
    expect(bearer(token({ exp: seconds - 61 }))).toBe('refused');
    expect(bearer(token({}))).toBe('refused');
    expect(bearer(token({ exp: seconds + 600 }, 'another key'))).toBe('refused');
    expect(bearer(token({ exp: seconds + 600 }, 'header-secret', { alg: 'none' }))).toBe('refused');
    expect(bearer(`${token({ exp: seconds + 600 })}.x`)).toBe('refused');
    expect(bearer('a.b.c')).toBe('refused');
  });

  test('what is wrong or missing is refused where something is held', () => {
    expect(verify(request({})).kind).toBe('refused');
    expect(verify(request({ apikey: 'wrong' }, { apikey: 'wrong too' })).kind).toBe('refused');
    expect(verify(request({ apikey: '' }), { signing: ['', 'x'] }).kind).toBe('refused');
  });

  test('a body is taken and marked where nothing is held', () => {
    const nothing = { signing: [] };
    expect(verify(request({}), nothing)).toEqual({ kind: 'verified', isAuthenticated: false });
    expect(verify(request({ apikey: 'x' }, { apikey: 'y' }), { signing: [''] })).toMatchObject({
      isAuthenticated: false,
    });
    expect(verify(request({}), { ...nothing, requiresSecret: true }).kind).toBe('refused');
  });
});

describe('with the route token', () => {
  test('nothing else is needed', () => {
    expect(verify(request({}), { hasRouteToken: true })).toEqual(authenticated);
    expect(verify(request({}), { hasRouteToken: true, signing: [] })).toEqual(authenticated);
  });

  test('an account that requires a secret still does', () => {
    const strict = { hasRouteToken: true, requiresSecret: true };
    expect(verify(request({}), strict).kind).toBe('refused');
    expect(verify(request({ apikey: 'wrong' }), strict).kind).toBe('refused');
    expect(verify(request({ apikey: 'instance-key' }), strict)).toEqual(authenticated);
  });
});
