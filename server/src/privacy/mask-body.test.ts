import { expect, test } from 'vitest';
import { maskBody } from './mask-body.ts';

const ana = '34611100001';
const mask = (body: unknown, ...values: string[]) =>
  maskBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), values).toString();

test('of a batch the elements that name somebody go, the others stay as they were', () => {
  const value = (messages: unknown[], contacts: unknown[]) => ({
    entry: [{ id: '1', changes: [{ value: { metadata: { phone_number_id: '9' }, contacts, messages } }] }],
  });
  const [hers, his] = [
    { from: ana, text: { body: 'a' } },
    { from: '34611100002', text: { body: 'b' } },
  ];
  const [hername, hisname] = [
    { wa_id: ana, profile: { name: 'Ana' } },
    { wa_id: '34611100002', profile: { name: 'Ben' } },
  ];
  expect(JSON.parse(mask(value([hers, his], [hername, hisname]), ana))).toEqual(value([his], [hisname]));
});

test('they are found inside of other text, in numbers and in names of members', () => {
  expect(JSON.parse(mask({ data: [{ jid: `${ana}@s.whatsapp.net` }, 1] }, ana))).toEqual({ data: [1] });
  expect(JSON.parse(mask({ data: [Number(ana), 1] }, ana))).toEqual({ data: [1] });
  expect(JSON.parse(mask({ data: [{ [ana]: 1 }, 1] }, ana))).toEqual({ data: [1] });
});

test.each([129, 6_000, 100_000])('of what is nested %i deep nothing stays, wherever they are named', (depth) => {
  const nested = `${'['.repeat(depth)}"${ana}"${']'.repeat(depth)}`;
  expect(mask(nested, ana)).toBe('');
  expect(mask(`{"messages":[{"from":"${ana}"},{"from":"34611100002","deep":${nested}}]}`, ana)).toBe('');
});

test('what is nested as deep as the channels read is masked like any other', () => {
  const nested = JSON.parse(`${'['.repeat(125)}"${ana}"${']'.repeat(125)}`) as unknown;
  expect(JSON.parse(mask({ data: [{ a: nested }, 'b'] }, ana))).toMatchObject({ data: [{}, 'b'] });
});

test('where no list holds them, or they are not found, or it is no JSON, nothing stays', () => {
  expect(mask({ event: 'messages.upsert', data: { key: { remoteJid: `${ana}@s.whatsapp.net` } } }, ana)).toBe('');
  expect(mask({ entry: [{ from: 'somebody else' }] }, ana)).toBe('');
  expect(mask(`From=whatsapp%3A%2B${ana}&Body=hello`, ana)).toBe('');
  expect(mask('{ broken', ana)).toBe('');
  expect(mask({ entry: [{ from: ana }] })).toBe('');
  expect(mask({ entry: [{ from: 'abc' }] }, 'abc')).toBe('');
});
