import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RawRequest, VerifySecrets } from '../channel.ts';
import { webjsChannel } from './index.ts';
import { maxClockDifferenceMs } from './verify.ts';

const nowMs = Date.UTC(2026, 0, 1);
const body = '{"event":"message","session":"shop"}';
const nonce = 'n0nce-0123456789';
const secrets: VerifySecrets = {
  signing: ['shared-key'],
  challenge: [],
  publicUrl: 'https://hooks.example.com',
  hasRouteToken: true,
  requiresSecret: false,
};

/** A request of our own companion; `signed` is what it signed, where that differs from what it sends. */
function ours(
  change: Record<string, string> = {},
  signed: { key?: string; text?: string; at?: number } = {},
): RawRequest {
  const timestamp = String(signed.at ?? nowMs);
  const signature = createHmac('sha256', signed.key ?? 'shared-key')
    .update(`${timestamp}.${nonce}.${signed.text ?? body}`)
    .digest('hex');
  const headers = {
    'x-webhook-request-id': 'r1',
    'x-webhook-timestamp': timestamp,
    'x-webhook-nonce': nonce,
    'x-webhook-hmac': signature,
    'x-webhook-hmac-algorithm': 'sha256',
    ...change,
  };
  return { method: 'POST', target: '/webhooks/webjs/whatsapp/t', headers, body: Buffer.from(body) };
}

function waha(signature: string, algorithm?: string): RawRequest {
  const headers = { 'x-webhook-hmac': signature, ...(algorithm ? { 'x-webhook-hmac-algorithm': algorithm } : {}) };
  return { method: 'POST', target: '/', headers, body: Buffer.from(body) };
}

const verify = (request: RawRequest, change: Partial<VerifySecrets> = {}) =>
  webjsChannel.verify(request, { ...secrets, ...change }, nowMs);

describe('our own form', () => {
  test('is taken, and gives its nonce under the key that signed it', () => {
    const first = verify(ours());
    expect(first).toMatchObject({ kind: 'verified', isAuthenticated: true, nonce: { value: nonce } });
    const second = verify(ours({}, { key: 'new-key' }), { signing: ['shared-key', 'new-key'] });
    expect(second).toMatchObject({ kind: 'verified', nonce: { value: nonce } });
    const keyOf = (one: typeof first) => (one.kind === 'verified' ? one.nonce?.key : undefined);
    expect(keyOf(first)).toMatch(/^webjs:[0-9a-f]{16}$/);
    expect(keyOf(second)).not.toBe(keyOf(first));
  });

  test('is taken five minutes to either side, and no longer', () => {
    for (const away of [maxClockDifferenceMs, -maxClockDifferenceMs]) {
      expect(verify(ours({}, { at: nowMs + away })).kind).toBe('verified');
      const reason = 'the request is too old or too new';
      expect(verify(ours({}, { at: nowMs + away + Math.sign(away) }))).toEqual({ kind: 'refused', reason });
    }
  });

  test.each([
    ['a body that was changed', ours({}, { text: `${body} ` })],
    ['another key', ours({}, { key: 'other' })],
    ['a time that was changed', ours({ 'x-webhook-timestamp': String(nowMs + 1) })],
    ['a nonce that was changed', ours({ 'x-webhook-nonce': 'another-nonce-1' })],
    ['no nonce', ours({ 'x-webhook-nonce': '' })],
    ['two nonces', ours({ 'x-webhook-nonce': `${nonce}, ${nonce}` })],
    ['a time in seconds', ours({}, { at: Math.floor(nowMs / 1_000) })],
    ['capital letters', ours({ 'x-webhook-hmac': 'AB'.repeat(32) })],
    ['no signature', ours({ 'x-webhook-hmac': '' })],
    ['another algorithm', ours({ 'x-webhook-hmac-algorithm': 'md5' })],
    ['the other form’s name', ours({ 'x-webhook-hmac-algorithm': 'sha512' })],
  ])('with %s is refused', (_name, request) => {
    expect(verify(request).kind).toBe('refused');
  });

  test('is refused where no key is held, the route token notwithstanding', () => {
    expect(verify(ours(), { signing: [] }).kind).toBe('refused');
    expect(verify(ours({}, { key: '' }), { signing: [''] }).kind).toBe('refused');
  });
});

describe('WAHA’s form', () => {
  const signature = createHmac('sha512', 'shared-key').update(body).digest('hex');

  test.each(['sha512', 'SHA512', undefined])('is taken, named %s', (algorithm) => {
    expect(verify(waha(signature, algorithm))).toEqual({ kind: 'verified', isAuthenticated: true });
  });

  test('is refused with another key, another body, or in another form', () => {
    const other = createHmac('sha512', 'other').update(body).digest('hex');
    const short = createHmac('sha256', 'shared-key').update(body).digest('hex');
    for (const bad of [other, signature.toUpperCase(), signature.slice(1), short]) {
      expect(verify(waha(bad, 'sha512')).kind).toBe('refused');
    }
    expect(verify(waha(short)).kind).toBe('refused');
    expect(verify({ ...waha(signature), body: Buffer.from(`${body} `) }).kind).toBe('refused');
  });
});
