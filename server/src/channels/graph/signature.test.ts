import { createHmac } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { VerifySecrets } from '../channel.ts';
import { verifyGraphSignature } from './index.ts';

fc.configureGlobal({ seed: 20_260_117, numRuns: 200 });

const secrets = (...signing: string[]): VerifySecrets => ({
  signing,
  challenge: [],
  publicUrl: 'https://switchyard.example',
  hasRouteToken: true,
  requiresSecret: false,
});
const request = (body: string | Uint8Array, signature?: string) => ({
  method: 'POST',
  target: '/webhooks/meta/whatsapp/token',
  headers: (signature === undefined ? {} : { 'x-hub-signature-256': signature }) as Record<string, string>,
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
});
const verified = { kind: 'verified', isAuthenticated: true };
const refused = (reason: string) => ({ kind: 'refused', reason });

// Computed once with `printf '%s' BODY | openssl dgst -sha256 -hmac SECRET`, not with our own code.
const vectors = [
  {
    name: 'plain text',
    secret: 'key',
    body: 'The quick brown fox jumps over the lazy dog',
    hex: 'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
  },
  {
    name: 'an empty body',
    secret: 'key',
    body: '',
    hex: '5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0',
  },
  {
    name: 'escaped unicode and slashes',
    secret: 'app-secret-of-a-test',
    body: '{"text":"\\u00e4\\u00f6\\u00e5 \\ud83d\\udc4d","url":"https:\\/\\/example.org\\/a"}',
    hex: '11088f16853133a42c58727272e78a24d59e24333325082fb5e6a4f0411d9f05',
  },
];

describe('verifyGraphSignature', () => {
  test.each(vectors)('takes a right signature over $name', ({ secret, body, hex }) => {
    expect(verifyGraphSignature(request(body, `sha256=${hex}`), secrets(secret))).toEqual(verified);
  });

  test('refuses the same JSON written anew: what is signed is the bytes', () => {
    const { secret, body, hex } = vectors[2]!;
    const again = JSON.stringify(JSON.parse(body));
    expect(again).not.toBe(body);
    expect(verifyGraphSignature(request(again, `sha256=${hex}`), secrets(secret))).toEqual(
      refused('the signature is wrong'),
    );
  });

  test('tries every secret, so that two are valid while one is rotated', () => {
    const { secret, body, hex } = vectors[0]!;
    const signed = request(body, `sha256=${hex}`);
    expect(verifyGraphSignature(signed, secrets('new', secret))).toEqual(verified);
    expect(verifyGraphSignature(signed, secrets(secret, 'new'))).toEqual(verified);
    expect(verifyGraphSignature(signed, secrets('new', 'newer'))).toEqual(refused('the signature is wrong'));
  });

  test('never signs with an empty secret', () => {
    const hex = createHmac('sha256', '').update('x').digest('hex');
    const reason = 'no app secret to check the signature with';
    expect(verifyGraphSignature(request('x', `sha256=${hex}`), secrets(''))).toEqual(refused(reason));
    expect(verifyGraphSignature(request('x', `sha256=${hex}`), secrets())).toEqual(refused(reason));
  });

  test('refuses a missing signature', () => {
    expect(verifyGraphSignature(request('x'), secrets('key'))).toEqual(refused('the signature is missing'));
  });

  const hex = vectors[0]!.hex;
  test.each([
    '',
    'sha256=',
    `sha256=${hex.toUpperCase()}`,
    `SHA256=${hex}`,
    `sha1=${hex.slice(0, 40)}`,
    `md5=${hex.slice(0, 32)}`,
    hex,
    `sha256=${hex.slice(1)}`,
    `sha256=${hex}0`,
    `sha256=${hex}\n`,
    ` sha256=${hex}`,
    `sha256=${hex}, sha256=${hex}`,
    `sha256=${'é'.repeat(64)}`,
    'sha256=123456',
  ])('refuses the malformed signature %j', (signature) => {
    const { secret, body } = vectors[0]!;
    expect(verifyGraphSignature(request(body, signature), secrets(secret))).toEqual(
      refused('the signature is malformed'),
    );
  });

  property.prop([fc.uint8Array(), fc.string(), fc.string({ minLength: 1 })])(
    'never throws',
    (body, signature, secret) => {
      expect(verifyGraphSignature(request(body, signature), secrets(secret)).kind).toBe('refused');
    },
  );

  property.prop([fc.uint8Array({ minLength: 1 }), fc.string({ minLength: 1 }), fc.nat()])(
    'takes what is signed and refuses it with one bit changed',
    (body, secret, bit) => {
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      expect(verifyGraphSignature(request(body, signature), secrets(secret))).toEqual(verified);
      const changed = Uint8Array.from(body);
      const at = bit % (body.length * 8);
      changed[at >> 3]! ^= 1 << (at & 7);
      expect(verifyGraphSignature(request(changed, signature), secrets(secret)).kind).toBe('refused');
    },
  );
});
