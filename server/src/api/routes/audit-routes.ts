import {
  type AuditEntryView,
  auditEntrySchema,
  auditQuerySchema,
  auditVerdictSchema,
  pageOf,
} from '@switchyard/contract';
import { z } from 'zod';
import { pageOf as pageOfRows } from '#kernel';
import { type AuditRecord, listAudit, verifyAudit } from '#workspaces';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { failures, type Routes } from '../schemas.ts';

const tags = ['audit'];
const reading = { access: { resource: 'audit', action: 'read' } } as const;
const anchorQuery = z.strictObject({
  /** `SEQUENCE:HASH`, as an earlier answer gave it. */
  anchor: z
    .string()
    .regex(/^[1-9]\d{0,17}:[0-9a-f]{64}$/)
    .exactOptional(),
});

/** Who did what. The log can only be appended to, and each entry holds the hash of the one before. */
export async function auditRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/audit',
    {
      config: { ...reading, isHeavy: true },
      schema: {
        tags,
        summary: 'The audit log, the newest first',
        querystring: auditQuerySchema,
        response: { 200: pageOf(auditEntrySchema), ...failures },
      },
    },
    async (request) => {
      const { limit, cursor, since, until, ...filter } = request.query;
      const before = checkCursor(cursor, ['integer'])?.[0];
      const rows = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        listAudit(tx, {
          ...filter,
          since: since === undefined ? undefined : new Date(since),
          until: until === undefined ? undefined : new Date(until),
          before: before === undefined ? undefined : String(before),
          limit: limit + 1,
        }),
      );
      const page = pageOfRows(rows, limit, { item: present, key: ({ sequence }) => [Number(sequence)] });
      return { data: [...page.data], nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/audit/verify',
    {
      config: reading,
      schema: {
        tags,
        summary: 'Whether the chain of the audit log is whole',
        description: 'Reads all of it. `anchor`: an earlier `head` as `SEQUENCE:HASH`, which must still be in it.',
        querystring: anchorQuery,
        response: { 200: auditVerdictSchema, ...failures },
      },
    },
    async (request) => {
      const [sequence, hash] = request.query.anchor?.split(':') ?? [];
      const anchor = sequence && hash ? { sequence, hash } : null;
      const { workspaceId } = accessOf(request);
      const verdict = await deps.storage.inWorkspace(workspaceId, (tx) => verifyAudit(tx, anchor));
      return { isWhole: verdict.broken === null, ...verdict };
    },
  );
}

function present({ at, ...entry }: AuditRecord): AuditEntryView {
  return { ...entry, at: at.toISOString(), fields: { ...entry.fields } };
}
