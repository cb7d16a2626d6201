import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findBodySecrets, readBodySecrets } from './body-secrets.ts';

function found(text: string): readonly string[] {
  const body = Buffer.from(text);
  return findBodySecrets(body).map(({ start, end }) => body.subarray(start, end).toString());
}

describe('the secret of an envelope', () => {
  test.each([
    ['{"event":"x","apikey":"KEY"}', ['KEY']],
    ['{ "apikey" : "KEY" , "data":{}}', ['KEY']],
    ['\uFEFF \n{"apikey":"KEY"}', ['KEY']],
    ['{"api_key":"GLOBAL","event":"error"}', ['GLOBAL']],
    ['{"apiKey":"KEY"}', ['KEY']],
    ['{"apikey":"ONE","apikey":"TWO"}', ['ONE', 'TWO']],
    ['{"\\u0061pikey":"KEY"}', ['KEY']],
    ['{"apikey":"K\\"E\\\\Y"}', ['K\\"E\\\\Y']],
    ['{"data":{"é":["ü",{"x":"}"}]},"apikey":"KEY"}', ['KEY']],
    ['[{"apikey":"ONE"},{"apikey":"TWO"}]', ['ONE', 'TWO']],
  ])('%s is found', (text, secrets) => {
    expect(found(text)).toEqual(secrets);
  });

  test.each([
    '{"apikey":null}',
    '{"apikey":""}',
    '{"apikey":7}',
    '{"apikey":{"apikey":"inner"}}',
    '{"apikey":["inner"]}',
    '{"data":{"apikey":"inner"}}',
    '{"data":{"message":{"conversation":"\\"apikey\\":\\"said\\""}}}',
    '{"text":"apikey","other":"value"}',
    '[["apikey","value"]]',
    '"apikey"',
    '{"apikey"',
    '{"apikey":',
    '',
  ])('%s holds none', (text) => {
    expect(found(text)).toEqual([]);
  });

  test('is found in what is cut off, up to its end', () => {
    expect(found('{"apikey":"KE')).toEqual(['KE']);
  });
});

test('masking the ranges takes the secret out and leaves everything else, whatever people say', () => {
  const secret = 'S3CRET-KEY';
  fc.assert(
    fc.property(fc.json(), fc.string(), fc.nat(2), (data, said, place) => {
      const members = [`"data":${data}`, `"said":${JSON.stringify(`${said}"apikey":"x"`)}`];
      members.splice(place, 0, `"apikey":"${secret}"`);
      const body = Buffer.from(`{${members.join(',')}}`);
      const spans = findBodySecrets(body);
      expect(spans).toHaveLength(1);
      for (const { start, end } of spans) body.fill(42, start, end);
      const masked = JSON.parse(body.toString());
      expect(masked.apikey).toBe('*'.repeat(secret.length));
      expect(masked.data).toEqual(JSON.parse(data));
    }),
    { seed: 7 },
  );
});

test('the value is compared as JSON means it', () => {
  expect(readBodySecrets(Buffer.from('{"apikey":"a\\u0062c\\/"}'))).toEqual(['abc/']);
  expect(readBodySecrets(Buffer.from('{"apikey":"a\\x"}'))).toEqual(['a\\x']);
});
