import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RawRequest, VerifySecrets } from '../channel.ts';
import { maxFormFields } from './form.ts';
import { twilioChannel } from './index.ts';
import { signedUrls } from './signature.ts';

const token = 'a-token-of-thirty-two-characters';
const publicUrl = 'https://hooks.example.com';
const secrets: VerifySecrets = {
  signing: [token],
  challenge: [],
  publicUrl,
  hasRouteToken: true,
  requiresSecret: false,
};
const form = 'To=whatsapp%3A%2B15550001111&From=whatsapp%3A%2B15550002222&Body=Hi+there&MediaUrl0=&MessageSid=SM1';
/** Sorted by name, value behind name, the empty one too. */
const formText = 'BodyHi thereFromwhatsapp:+15550002222MediaUrl0MessageSidSM1Towhatsapp:+15550001111';

function sign(text: string, key = token): string {
  return createHmac('sha1', key).update(text).digest('base64');
}

function request(target: string, body: string, signature: string, type?: string): RawRequest {
  const contentType = type ?? 'application/x-www-form-urlencoded; charset=UTF-8';
  const headers = { 'x-twilio-signature': signature, 'content-type': contentType };
  return { method: 'POST', target, headers, body: Buffer.from(body) };
}

function verify(one: RawRequest, held: Partial<VerifySecrets> = {}): string {
  return twilioChannel.verify(one, { ...secrets, ...held }, 0).kind;
}

describe('a form', () => {
  test('signed over URL and sorted parameters is taken', () => {
    const signature = sign(`${publicUrl}/hook?x=1${formText}`);
    expect(twilioChannel.verify(request('/hook?x=1', form, signature), secrets, 0)).toEqual({
      kind: 'verified',
      isAuthenticated: true,
    });
  });

  test('is refused when anything of it was changed', () => {
    const signature = sign(`${publicUrl}/hook?x=1${formText}`);
    expect(verify(request('/hook?x=2', form, signature))).toBe('refused');
    expect(verify(request('/hook?x=1', form.replace('Hi', 'Ho'), signature))).toBe('refused');
    expect(verify(request('/hook?x=1', `${form}&New=1`, signature))).toBe('refused');
    expect(verify(request('/hook?x=1', '', signature))).toBe('refused');
    expect(verify(request('/hook?x=1', form, signature), { publicUrl: 'https://other.example.com' })).toBe('refused');
  });

  test('of any of the tokens is taken while one is rotated', () => {
    const signature = sign(`${publicUrl}/hook${formText}`, 'the-old-one');
    expect(verify(request('/hook', form, signature))).toBe('refused');
    expect(verify(request('/hook', form, signature), { signing: [token, 'the-old-one'] })).toBe('verified');
  });

  test('with a name twice counts each value once, sorted', () => {
    const signature = sign(`${publicUrl}/hookA1A2Bx`);
    expect(verify(request('/hook', 'A=2&B=x&A=1&A=2', signature))).toBe('verified');
  });

  test('decodes plus, percent and a bare colon alike', () => {
    const signature = sign(`${publicUrl}/hookBodyé ?Fromwhatsapp:+1`);
    expect(verify(request('/hook', '?Body=x', signature))).toBe('refused');
    expect(verify(request('/hook', 'From=whatsapp:%2B1&Body=%C3%A9+%3F', signature))).toBe('verified');
  });

  test('with more parameters than anybody sends is refused', () => {
    const body = 'a&'.repeat(maxFormFields + 1);
    expect(twilioChannel.verify(request('/hook', body, sign('x')), secrets, 0)).toMatchObject({
      reason: 'the form holds too many parameters',
    });
  });
});

describe('the URL', () => {
  test.each([
    ['as it came', 'https://hooks.example.com/hook?q=1'],
    ['with the standard port written out', 'https://hooks.example.com:443/hook?q=1'],
  ])('%s may have been signed', (_name, url) => {
    expect(verify(request('/hook?q=1', form, sign(url + formText)))).toBe('verified');
  });

  test('behind a port of its own may have been signed with and without it', () => {
    const held = { publicUrl: 'http://hooks.example.com:8080' };
    expect(verify(request('/hook', form, sign(`http://hooks.example.com:8080/hook${formText}`)), held)).toBe(
      'verified',
    );
    expect(verify(request('/hook', form, sign(`http://hooks.example.com/hook${formText}`)), held)).toBe('verified');
    expect(verify(request('/hook', form, sign(`http://hooks.example.com:80/hook${formText}`)), held)).toBe('refused');
  });

  test('with a quote may have been signed bare or escaped, however it came', () => {
    const bare = sign(`${publicUrl}/hook?name=O'Hara${formText}`);
    const escaped = sign(`${publicUrl}/hook?name=O%27Hara${formText}`);
    for (const target of ["/hook?name=O'Hara", '/hook?name=O%27Hara']) {
      expect(verify(request(target, form, bare))).toBe('verified');
      expect(verify(request(target, form, escaped))).toBe('verified');
    }
  });

  test('keeps its user and password', () => {
    expect(signedUrls('https://me:pw@example.com/x')).toContain('https://me:pw@example.com:443/x');
  });
});

describe('what is no form', () => {
  const json = '{"MessageSid":"SM1"}';
  const digest = createHash('sha256').update(json).digest('hex');
  const target = `/hook?bodySHA256=${digest}`;

  test('is taken with its SHA-256 in the signed URL', () => {
    const signature = sign(publicUrl + target);
    expect(verify(request(target, json, signature, 'application/json'))).toBe('verified');
    expect(verify(request(target, `${json} `, signature, 'application/json'))).toBe('refused');
  });

  test('is refused without, for then nobody has signed the body', () => {
    expect(verify(request('/hook', json, sign(`${publicUrl}/hook`), 'application/json'))).toBe('refused');
  });

  test('comes by GET with everything in the URL', () => {
    const get = { ...request('/hook?MessageSid=SM1', '', sign(`${publicUrl}/hook?MessageSid=SM1`)), method: 'GET' };
    expect(verify(get)).toBe('verified');
  });
});

test('a signature that is missing, malformed or cannot be checked is refused', () => {
  const good = sign(`${publicUrl}/hook${formText}`);
  expect(verify({ ...request('/hook', form, good), headers: {} })).toBe('refused');
  for (const bad of ['', 'x', good.toLowerCase(), `${good}, ${good}`, `sha1=${good}`, good.replace('=', '')]) {
    expect(verify(request('/hook', form, bad))).toBe('refused');
  }
  expect(verify(request('/hook', form, good), { signing: [] })).toBe('refused');
  expect(verify(request('/hook', form, sign(`${publicUrl}/hook${formText}`, '')), { signing: [''] })).toBe('refused');
});
