import { endedSessionsSchema, passwordChangeSchema } from '@switchyard/contract';
import type { ApiDeps } from '../deps.ts';
import { personOf } from '../guard.ts';
import type { LiveHub } from '../live-hub.ts';
import { refusal } from '../problem.ts';
import { failures, type Routes } from '../schemas.ts';

export async function ownPasswordRoutes(routes: Routes, deps: ApiDeps & { readonly hub: LiveHub }): Promise<void> {
  routes.post(
    '/me/password',
    {
      config: { access: 'person' },
      schema: {
        tags: ['session'],
        summary: 'Change one’s own password',
        description:
          'Ends all other sessions. Wrong tries count with those of log-ins: 429 `slow-down` with Retry-After. 401 `wrong-credentials`, 422 `weak-password`, `same-password`.',
        body: passwordChangeSchema,
        response: { 200: endedSessionsSchema, ...failures },
      },
    },
    async (request) => {
      const { person, sessionId } = personOf(request);
      const { currentPassword: current, newPassword: next } = request.body;
      const ended = await deps.people.changePassword(person, sessionId, { current, next, ip: request.ip });
      if (!ended.ok) throw refusal(ended.refusal);
      for (const id of ended.value) await deps.hub.end(`session ${id}`);
      return { ended: ended.value.length };
    },
  );
}
