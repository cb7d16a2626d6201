import { expect, it } from 'vitest';
import { secretText, sign } from './signature.ts';

/** The example of the Standard Webhooks specification's reference libraries. */
it('signs as the reference does', () => {
  const signed = sign(
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    new Date(1_614_265_330_000),
    '{"test": 2432232314}',
  );
  expect(signed).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

it('shows 32 bytes of a secret so that a library takes them', () => {
  expect(secretText(new Uint8Array(32))).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});
