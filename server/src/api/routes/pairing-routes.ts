import { pairingSchema } from '@switchyard/contract';
import { auditAccount } from '../audit.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentPairing } from '../present/pairing.ts';
import { refusal } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['accounts'];

/** Who sees the code may link their phone, so seeing it needs the right to change accounts. */
export async function pairingRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/accounts/:id/pairing',
    {
      config: { access: { resource: 'accounts', action: 'write' } },
      schema: {
        tags,
        summary: 'The QR code that links a phone, while there is one',
        params: idParams,
        response: { 200: pairingSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId } = accessOf(request);
      const found = await deps.pairing.find(workspaceId, pathId('account', request.params.id));
      if (!found.ok) throw refusal(found.refusal);
      return presentPairing(found.value, deps.clock.now());
    },
  );

  routes.post(
    '/accounts/:id/regenerate-qr',
    {
      config: { access: { resource: 'accounts', action: 'write' } },
      schema: {
        tags,
        summary: 'Ask for a new QR code',
        description:
          'The code may come later: watch the events, or ask for the pairing. 409 with `already-connected` while the account is connected, 422 with `not-pairable` for a provider that links no phone, and the provider’s own refusal.',
        params: idParams,
        response: { 200: pairingSchema, ...failures },
      },
    },
    async (request) => {
      const access = accessOf(request);
      const id = pathId('account', request.params.id);
      const asked = await deps.pairing.regenerateQr(access.workspaceId, id, access.actor);
      if (!asked.ok) throw refusal(asked.refusal);
      await auditAccount(deps, access, { action: 'regenerate-qr', id });
      return presentPairing(asked.value, deps.clock.now());
    },
  );
}
