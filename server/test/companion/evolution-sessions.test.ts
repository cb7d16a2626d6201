/** The life of an Evolution instance by our calls, answered by the stand-in as the real servers would, v1 and v2. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SendingAccount, SessionAnswer } from '#channels';
import { anywhere, defaultSendTimeouts, evolutionChannel } from '#channels';
import { type Stage, setStage } from '../../../simulator/test/support/stage.ts';

let stage: Stage;
const sessions = evolutionChannel.sessions!;
const globalKey = 'simulator-global-key';

beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
});

describe.each(['v1', 'v2'] as const)('an instance of %s', (version) => {
  const account = (apiKey = globalKey): SendingAccount => ({
    credentials: { apiKey },
    settings: { instance: `desk-${version}`, version },
  });
  const network = () => ({
    baseUrl: `${stage.simulator.urls.evolution}/${version}`,
    timeouts: defaultSendTimeouts,
    reach: anywhere,
    signal: new AbortController().signal,
  });
  const wish = { webhookUrl: 'http://127.0.0.1:9/webhooks/evolution/whatsapp/token', phoneNumber: '+5511900000009' };
  const start = (apiKey?: string) => sessions.start(account(apiKey), wish, network());
  const look = () => sessions.look(account(), network());
  const scan = () => stage.control('POST', 'scan', { provider: 'evolution', number: '+5511900000009' });

  it('is made where there is none, shows a code, and another when asked again', async () => {
    const made = await start();
    const again = await start();
    for (const answer of [made, again]) {
      expect(answer).toMatchObject({
        kind: 'state',
        connection: 'connecting',
        qr: { code: expect.stringMatching(/^2@/) },
      });
    }
    const codeOf = (answer: SessionAnswer) => (answer.kind === 'state' ? answer.qr?.code : undefined);
    expect(codeOf(again)).not.toBe(codeOf(made));
    expect(await look()).toEqual({ kind: 'state', connection: 'connecting' });
  });

  it('is connected once it is scanned, and then shows no code', async () => {
    await start();
    await scan();
    expect(await look()).toEqual({ kind: 'state', connection: 'connected' });
    expect(await start()).toEqual({ kind: 'state', connection: 'connected' });
  });

  it('is logged out, and logged out again without complaint', async () => {
    await start();
    await scan();
    const logOut = () => sessions.logOut(account(), network());
    expect(await logOut()).toEqual({ kind: 'state', connection: 'disconnected' });
    expect(await look()).toEqual({ kind: 'state', connection: 'disconnected' });
    expect(await logOut()).toEqual({ kind: 'state', connection: 'disconnected' });
  });

  it('says whether a number is on WhatsApp', async () => {
    await start();
    const check = (phone: string) => sessions.checkNumber(account(), phone, network());
    expect(await check('+5511988887777')).toEqual({ kind: 'checked', isOnWhatsApp: true });
    expect(await check('+12')).toEqual({ kind: 'checked', isOnWhatsApp: false });
  });

  it('gives the server’s own reason where the key is wrong', async () => {
    await start();
    expect(await start('wrong')).toMatchObject({ kind: 'refused', failure: { code: 'credentials-refused' } });
  });

  it('of a server that cannot be reached is no refusal', async () => {
    const nowhere = { ...network(), baseUrl: 'http://127.0.0.1:9' };
    expect(await sessions.look(account(), nowhere)).toMatchObject({ kind: 'unreachable' });
  });
});
