import { describe, expect, it } from 'vitest';
import { readTraceQuery } from './query.ts';

const uuid = '019a0000-0000-7000-8000-000000000001';
const hex = uuid.replaceAll('-', '');

describe('what is looked for', () => {
  it.each([
    ['nothing', '   ', []],
    ['a delivery', `dlv_${hex}`, [{ by: 'trace', of: 'delivery', id: uuid }]],
    ['a message, with its uuid', `msg_${uuid}`, [{ by: 'trace', of: 'message', id: uuid }]],
    ['an attempt', `att_${hex}`, [{ by: 'trace', of: 'attempt', id: uuid }]],
    ['a bare uuid', uuid, [{ by: 'trace', of: null, id: uuid }]],
    [
      'a phone number as people write it',
      '+34 600 111-222',
      [
        { by: 'phone', phone: '+34600111222', digits: '34600111222' },
        { by: 'provider-id', id: '+34 600 111-222' },
      ],
    ],
    ['an id of Meta', 'wamid.HBgL', [{ by: 'provider-id', id: 'wamid.HBgL' }]],
    ['an id of ours of another kind', `acc_${hex}`, [{ by: 'provider-id', id: `acc_${hex}` }]],
    ['digits too few for a number', '12345', [{ by: 'provider-id', id: '12345' }]],
    ['more than any id is long', 'x'.repeat(301), []],
  ])('%s', (_name, text, expected) => {
    expect(readTraceQuery(text)).toEqual(expected);
  });
});
