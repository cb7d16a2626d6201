/** The second factor: enrolment, log-in in two steps, replay, recovery codes, bounds, step-up. */
import { toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dangerousActs } from '#api';
import { fixedClock } from '#kernel';
import { codeLimits, codeOf, logInStepMs, stepAt, stepUpMs, totp } from '#workspaces';
import { toBase32 } from '../../src/workspaces/second-factor/base32.ts';
import { bytesOfBase32 } from '../support/base32.ts';
import { type Furnished, furnish } from './furnish.ts';
import { routeName } from './route-table.ts';
import { type Answer, cookieOf, openWorld, ownPage, type Person, password, type World } from './world.ts';

let world: World;
let shop: Furnished;
/** Moves only when told, from the present: the database has the real time. */
const clock = fixedClock(new Date());

beforeAll(async () => {
  world = await openWorld({ clock });
  shop = await furnish(world, 'shop');
});
afterAll(() => world.close());

type Headers = Readonly<Record<string, string>>;
const post = (path: string, headers: Headers, body?: unknown) =>
  world.ask('POST', `/api/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
const logIn = (email: string, secret = password) => post('/session', ownPage, { email, password: secret });
const withCookie = (answer: Answer) => ({ ...ownPage, cookie: cookieOf(answer) });

interface Enrolled {
  readonly person: Person;
  readonly headers: Headers;
  readonly secret: Buffer;
  readonly codes: readonly string[];
  /** The code of now, of `steps` later. */
  code(steps?: number): string;
}

/** A person with the factor on; the code of the moment of enrolment is used up, so time moves on. */
async function enrol(): Promise<Enrolled> {
  const person = await world.addPerson(shop.workspaceId, 'agent');
  const headers = await person.logIn();
  const offered = (await post('/second-factor', headers)).json<{ secret: string; uri: string }>();
  const secret = bytesOfBase32(offered.secret);
  const code = (steps = 0) => codeOf(secret, stepAt(clock.now()) + BigInt(steps));
  const confirmed = await post('/second-factor/confirm', headers, { code: code() });
  expect(confirmed.status, confirmed.text).toBe(200);
  clock.advanceMs(totp.stepMs);
  return { person, headers, secret, code, codes: confirmed.json<{ codes: string[] }>().codes };
}

async function firstStep({ person }: Enrolled): Promise<string> {
  const answer = await logIn(person.email);
  expect(answer.json()).toMatchObject({ step: 'code' });
  expect(answer.headers['set-cookie']).toBeUndefined();
  return answer.json<{ stepToken: string }>().stepToken;
}

const secondStep = (stepToken: string, code: string) => post('/session/code', ownPage, { stepToken, code });

describe('codes by time', () => {
  it('are those of RFC 6238', () => {
    const secret = Buffer.from('12345678901234567890');
    for (const [seconds, code] of [
      [59, '94287082'],
      [1111111109, '07081804'],
      [1111111111, '14050471'],
      [1234567890, '89005924'],
      [2000000000, '69279037'],
      [20000000000, '65353130'],
    ] as const)
      expect(codeOf(secret, stepAt(new Date(seconds * 1_000)), 8)).toBe(code);
  });

  it('are those of RFC 4226 by counter, and a secret is written as base32', () => {
    const secret = Buffer.from('12345678901234567890');
    expect([0n, 1n, 2n, 9n].map((counter) => codeOf(secret, counter))).toEqual([
      '755224',
      '287082',
      '359152',
      '520489',
    ]);
    expect(toBase32(secret)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    for (const [text, base32] of [
      ['', ''],
      ['f', 'MY'],
      ['fo', 'MZXQ'],
      ['foo', 'MZXW6'],
      ['foob', 'MZXW6YQ'],
      ['fooba', 'MZXW6YTB'],
    ])
      expect(toBase32(Buffer.from(text ?? ''))).toBe(base32);
  });
});

describe('turning it on', () => {
  it('takes a code of the offered secret, gives ten recovery codes, and asks for a code from then on', async () => {
    const enrolled = await enrol();
    expect(new Set(enrolled.codes).size).toBe(10);
    for (const code of enrolled.codes) expect(code).toMatch(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/);
    const state = await world.ask('GET', '/api/v1/second-factor', { headers: enrolled.headers });
    expect(state.json()).toMatchObject({ isOn: true, recoveryCodesLeft: 10 });
    const answer = await secondStep(await firstStep(enrolled), enrolled.code());
    expect(answer.status, answer.text).toBe(200);
    expect((await world.ask('GET', '/api/v1/me', { headers: withCookie(answer) })).json()).toMatchObject({
      person: { email: enrolled.person.email },
    });
  });

  it('asks for nothing before it is confirmed, and is not done with a wrong code', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = await person.logIn();
    expect((await post('/second-factor/confirm', headers, { code: '123456' })).json()).toMatchObject({
      code: 'no-second-factor',
    });
    const { uri } = (await post('/second-factor', headers)).json<{ uri: string }>();
    expect(uri).toMatch(/^otpauth:\/\/totp\/Switchyard:.+%40example\.com\?secret=[A-Z2-7]{32}&issuer=Switchyard$/);
    const wrong = await post('/second-factor/confirm', headers, { code: 'abcdef' });
    expect([wrong.status, wrong.json().code]).toEqual([401, 'wrong-code']);
    expect((await logIn(person.email)).json()).toMatchObject({ person: { email: person.email } });
  });

  it('cannot be done again over one that is on, which would take its place', async () => {
    const { headers } = await enrol();
    expect((await post('/second-factor', headers)).json()).toMatchObject({ code: 'second-factor-exists', status: 409 });
  });

  it('keeps the secret sealed and the recovery codes hashed', async () => {
    const { secret, codes, person } = await enrol();
    const rows = await world.db.ownerQuery<{ sealed: Buffer }>(
      'SELECT secret_sealed AS sealed FROM second_factors WHERE person_id = $1',
      [person.id],
    );
    expect(rows[0]?.sealed.includes(secret)).toBe(false);
    const kept = JSON.stringify(await world.db.ownerQuery('SELECT * FROM recovery_codes'));
    for (const code of codes) expect(kept).not.toContain(code.replaceAll('-', ''));
  });

  it('is seen by nobody else, even by a statement that asks for it', async () => {
    const { person } = await enrol();
    const other = await world.addPerson(shop.workspaceId, 'owner');
    for (const credential of [other.id, null])
      for (const table of ['second_factors', 'recovery_codes']) {
        const rows = await world.db.storage.asStranger(credential, (tx) =>
          tx.query(`SELECT 1 FROM ${table} WHERE person_id = $1`, [person.id]),
        );
        expect(rows).toEqual([]);
      }
  });
});

describe('a code', () => {
  it('is taken once, whoever is first, and none older than it', async () => {
    const enrolled = await enrol();
    const steps = await Promise.all([firstStep(enrolled), firstStep(enrolled), firstStep(enrolled)]);
    const answers = await Promise.all(steps.map((step) => secondStep(step, enrolled.code())));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const again = await secondStep(await firstStep(enrolled), enrolled.code());
    expect([again.status, again.json().code]).toEqual([401, 'wrong-code']);
    expect((await secondStep(await firstStep(enrolled), enrolled.code(-1))).status).toBe(401);
    expect((await secondStep(await firstStep(enrolled), enrolled.code(1))).status).toBe(200);
  });

  it('of a minute ago or ahead is wrong, and so is a bare password step', async () => {
    const enrolled = await enrol();
    for (const off of [-3, 3])
      expect((await secondStep(await firstStep(enrolled), enrolled.code(off))).status).toBe(401);
    for (const code of ['000000x', '      ', '1234567'])
      expect((await secondStep(await firstStep(enrolled), code)).status).toBe(401);
  });

  it('is not guessed: ten tries in a quarter of an hour, then even the right one waits', async () => {
    const enrolled = await enrol();
    const step = await firstStep(enrolled);
    const { tries } = codeLimits.quarter;
    // One was spent on the enrolment.
    for (let count = 1; count < tries; count += 1) expect((await secondStep(step, 'AAAAAA')).status).toBe(401);
    const answer = await secondStep(step, enrolled.code());
    expect([answer.status, answer.json().code]).toEqual([429, 'slow-down']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(60);
  });
});

describe('the step between', () => {
  it('is over after its time, after its use, and for a token of anybody’s making', async () => {
    const enrolled = await enrol();
    const used = await firstStep(enrolled);
    expect((await secondStep(used, enrolled.code())).status).toBe(200);
    const late = await firstStep(enrolled);
    clock.advanceMs(logInStepMs + 1_000);
    for (const token of [used, late, 'x'.repeat(43)]) {
      const answer = await secondStep(token, enrolled.code());
      expect([answer.status, answer.json().code]).toEqual([401, 'log-in-over']);
    }
  });

  it('is over once the password is another, whoever changed it', async () => {
    const [changer, loser] = [await enrol(), await enrol()];
    const steps = [await firstStep(changer), await firstStep(loser)] as const;
    const next = { currentPassword: password, newPassword: 'another long password' };
    expect((await post('/me/password', changer.headers, next)).status).toBe(200);
    expect(await world.people.resetPassword(loser.person.email, 'the operator')).toMatchObject({ ok: true });
    for (const [index, enrolled] of [changer, loser].entries()) {
      const answer = await secondStep(steps[index] ?? '', enrolled.code());
      expect([answer.status, answer.json().code]).toEqual([401, 'log-in-over']);
    }
    const again = await logIn(changer.person.email, next.newPassword);
    expect((await secondStep(again.json<{ stepToken: string }>().stepToken, changer.code())).status).toBe(200);
  });

  it('serves nobody but the person it was made for, however it is written', async () => {
    const [enrolled, other] = [await enrol(), await enrol()];
    const [, secret = ''] = (await firstStep(enrolled)).split('.');
    const named = `${toPublicId('person', other.person.id)}.${secret}`;
    expect((await secondStep(named, other.code())).json()).toMatchObject({ code: 'log-in-over' });
    expect((await secondStep(secret, enrolled.code())).json()).toMatchObject({ code: 'log-in-over' });
  });

  it('begins a session of its own, whatever cookie was planted before it', async () => {
    const enrolled = await enrol();
    const stepToken = await firstStep(enrolled);
    const planted = { ...ownPage, cookie: `switchyard=${stepToken}; __Host-switchyard=${'p'.repeat(43)}` };
    const answer = await post('/session/code', planted, { stepToken, code: enrolled.code() });
    expect(answer.status).toBe(200);
    expect(cookieOf(answer)).not.toContain(stepToken);
    expect((await world.ask('GET', '/api/v1/me', { headers: planted })).status).toBe(401);
    expect((await world.ask('GET', '/api/v1/me', { headers: withCookie(answer) })).status).toBe(200);
  });

  it('is refused over plain http off this machine too, and not used up by that', async () => {
    const enrolled = await enrol();
    const stepToken = await firstStep(enrolled);
    const named = { ...ownPage, host: 'inbox.example.com' };
    const refused = await post('/session/code', named, { stepToken, code: enrolled.code() });
    expect([refused.status, refused.json().code]).toEqual([403, 'https-needed']);
    expect((await secondStep(stepToken, enrolled.code())).status).toBe(200);
  });

  it('is no session', async () => {
    const stepToken = await firstStep(await enrol());
    const headers = { ...ownPage, cookie: `switchyard=${stepToken}` };
    expect((await world.ask('GET', '/api/v1/me', { headers })).status).toBe(401);
  });
});

describe('a recovery code', () => {
  it('stands in for a code once, however it is written', async () => {
    const enrolled = await enrol();
    const [first = '', second = ''] = enrolled.codes;
    expect((await secondStep(await firstStep(enrolled), first.toLowerCase().replaceAll('-', ' '))).status).toBe(200);
    expect((await secondStep(await firstStep(enrolled), first)).status).toBe(401);
    const renewed = await post('/second-factor/recovery-codes', enrolled.headers);
    const { codes } = renewed.json<{ codes: string[] }>();
    expect((await secondStep(await firstStep(enrolled), second)).status).toBe(401);
    expect((await secondStep(await firstStep(enrolled), codes[9] ?? '')).status).toBe(200);
  });
});

describe('step-up', () => {
  const dangerous = (headers: Headers) => world.ask('DELETE', '/api/v1/second-factor', { headers });

  it('is asked for once the log-in is 10 minutes old, and a password or a code opens the way again', async () => {
    const { person, code } = await enrol();
    const headers = withCookie(
      await secondStep((await logIn(person.email)).json<{ stepToken: string }>().stepToken, code()),
    );
    clock.advanceMs(stepUpMs + 60_000);
    const asked = await dangerous(headers);
    expect([asked.status, asked.json().code]).toEqual([403, 'step-up-needed']);
    expect((await post('/session/step-up', headers, { password: 'wrong' })).json()).toMatchObject({
      code: 'wrong-credentials',
    });
    expect((await post('/session/step-up', headers, { password, code: code() })).status).toBe(400);
    expect((await post('/session/step-up', headers, {})).status).toBe(400);
    expect((await dangerous(headers)).status).toBe(403);
    expect((await post('/session/step-up', headers, { code: code() })).status).toBe(204);
    expect((await dangerous(headers)).status).toBe(204);
    clock.advanceMs(stepUpMs + 60_000);
    expect((await post('/session/step-up', headers, { password })).status).toBe(204);
    expect((await post('/second-factor', headers)).status).toBe(200);
  });

  it('is asked of a person for every route in the table of dangerous acts, and of no key', async () => {
    const owner = await world.addPerson(shop.workspaceId, 'owner');
    const headers = await owner.logIn();
    const key = await world.addKey(shop.workspaceId);
    clock.advanceMs(stepUpMs + 60_000);
    const marked = world.app.apiRoutes.filter(({ stepUp }) => stepUp === 'always');
    const always = dangerousActs.filter(({ when }) => !when);
    expect(marked.map(routeName).toSorted()).toEqual(always.flatMap(({ routes }) => routes).toSorted());
    for (const { method, url, access } of marked) {
      const path = url.replace(':id', 'nothing');
      const answer = await world.ask(method, path, { headers });
      expect([url, answer.status]).toEqual([url, 403]);
      expect([url, answer.text]).toEqual([url, expect.stringContaining('show your password or a code once more')]);
      if (url.startsWith('/api/v1')) expect([url, answer.json().code]).toEqual([url, 'step-up-needed']);
      if (access === 'person') continue;
      expect([url, (await world.ask(method, path, { headers: key })).status]).not.toEqual([url, 403]);
    }
  });
});

it('is turned off, and what was done is in the audit log of each of the person’s workspaces', async () => {
  const enrolled = await enrol();
  expect((await world.ask('DELETE', '/api/v1/second-factor', { headers: enrolled.headers })).status).toBe(204);
  expect((await world.ask('DELETE', '/api/v1/second-factor', { headers: enrolled.headers })).status).toBe(409);
  expect((await logIn(enrolled.person.email)).json()).toMatchObject({ person: { email: enrolled.person.email } });
  const rows = await world.db.ownerQuery<{ action: string }>(
    `SELECT action FROM audit_log WHERE workspace_id = $1 AND actor = $2 ORDER BY sequence`,
    [shop.workspaceId, `person per_${enrolled.person.id.replaceAll('-', '')}`],
  );
  expect(rows.map(({ action }) => action)).toEqual(['turn-on', 'turn-off']);
});
