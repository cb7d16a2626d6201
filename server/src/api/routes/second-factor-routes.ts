import { factorCodeSchema, offeredFactorSchema, recoveryCodesSchema, secondFactorSchema } from '@switchyard/contract';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { personOf } from '../guard.ts';
import { ProblemError, refusal } from '../problem.ts';
import { failures, type Routes } from '../schemas.ts';

const tags = ['second-factor'];
const mine = { access: 'person' } as const;

/** One's own second factor: codes by time (RFC 6238), and ten recovery codes. */
export async function secondFactorRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/second-factor',
    {
      config: { access: 'person' },
      schema: { tags, summary: 'Whether it is on', response: { 200: secondFactorSchema, ...failures } },
    },
    async (request) => {
      const { isOn, since, recoveryCodesLeft } = await deps.people.secondFactor(personOf(request).person.id);
      return { isOn, since: since?.toISOString() ?? null, recoveryCodesLeft };
    },
  );

  routes.post(
    '/second-factor',
    {
      config: mine,
      schema: {
        tags,
        summary: 'Get a secret for an authenticator app',
        description: 'It counts only once a code of it was confirmed; until then another may be asked for.',
        response: { 200: offeredFactorSchema, ...failures },
      },
    },
    async (request) => {
      const offered = await deps.people.offerSecondFactor(personOf(request).person);
      if (!offered.ok) throw refusal(offered.refusal);
      return offered.value;
    },
  );

  routes.post(
    '/second-factor/confirm',
    {
      config: mine,
      schema: {
        tags,
        summary: 'Turn it on with a first code; gives ten recovery codes, this once',
        body: factorCodeSchema,
        response: { 200: recoveryCodesSchema, ...failures },
      },
    },
    async (request) => {
      const confirmed = await deps.people.confirmSecondFactor(personOf(request).person.id, request.body.code);
      if (!confirmed.ok) throw refusal(confirmed.refusal);
      return { codes: [...confirmed.value.codes] };
    },
  );

  routes.post(
    '/second-factor/recovery-codes',
    {
      config: mine,
      schema: {
        tags,
        summary: 'Ten new recovery codes; the old ones are worth nothing from now on',
        response: { 200: recoveryCodesSchema, ...failures },
      },
    },
    async (request) => {
      const renewed = await deps.people.renewRecoveryCodes(personOf(request).person.id);
      if (!renewed.ok) throw refusal(renewed.refusal);
      return { codes: [...renewed.value.codes] };
    },
  );

  routes.delete(
    '/second-factor',
    { config: mine, schema: { tags, summary: 'Turn it off', response: { 204: z.null(), ...failures } } },
    async (request, reply) => {
      const wasOn = await deps.people.turnOffSecondFactor(personOf(request).person.id);
      if (!wasOn) throw new ProblemError('no-second-factor', 'there is no second factor');
      return reply.status(204).send(null);
    },
  );
}
