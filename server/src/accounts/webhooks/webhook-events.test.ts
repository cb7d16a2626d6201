import { describe, expect, it } from 'vitest';
import { compareWebhookEvents } from './webhook-events.ts';

const checkedAt = new Date(0);

describe('compareWebhookEvents', () => {
  it.each([
    [
      'what we make use of, where nothing is chosen',
      [],
      ['a', 'b'],
      { wanted: ['a', 'b'], missing: ['b'], unwanted: ['c'] },
    ],
    ['what is chosen', ['c'], ['a', 'b'], { wanted: ['c'], missing: [], unwanted: ['a'] }],
  ])('compares %s', (_name, chosen, byDefault, expected) => {
    expect(compareWebhookEvents(chosen, byDefault, { subscribed: ['a', 'c'], checkedAt })).toMatchObject(expected);
  });

  it('misses nothing while the provider was not asked', () => {
    const told = { subscribed: null, checkedAt: null };
    expect(compareWebhookEvents([], ['a'], told)).toMatchObject({ missing: [], unwanted: [], subscribed: null });
  });

  it('takes the spellings of one event for one', () => {
    const told = { subscribed: ['messages.upsert', 'qrcode-updated'], checkedAt };
    expect(compareWebhookEvents([], ['MESSAGES_UPSERT', 'QRCODE_UPDATED'], told)).toMatchObject({
      missing: [],
      unwanted: [],
    });
  });
});
