import { toPublicId } from '@switchyard/contract';
import { type Clock, newId } from '#kernel';
import type { NoteChange } from '#storage';
import type { Workspaces } from '#workspaces';
import { findSubject, hide, insertErasure } from './contact-store.ts';
import { findErasure, findOpen, listErasures, saveProgress } from './erasure-store.ts';
import { exportContact } from './export.ts';
import type { Privacy } from './privacy.ts';
import { type PurgeDeps, purgeOrNote } from './purge.ts';
import { maskReturned } from './returned.ts';

export interface PrivacyDeps extends PurgeDeps {
  readonly workspaces: Pick<Workspaces, 'audit'>;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
}

const maxOpenAtOnce = 100;

export function createPrivacy(deps: PrivacyDeps): Privacy {
  const { storage, workspaces, noteChange } = deps;
  return {
    exportContact: (workspaceId, contactId, actor) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const exported = await exportContact(tx, contactId, deps.clock.now());
        if (exported.ok)
          await workspaces.audit(tx, {
            actor,
            action: 'export',
            resource: `contact ${toPublicId('contact', contactId)}`,
          });
        return exported;
      }),
    eraseContact: (workspaceId, contactId, actor) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const subject = await findSubject(tx, contactId);
        if (!subject) return null;
        const id = newId('erasure');
        await insertErasure(tx, { id, contactId, requestedBy: actor }, subject);
        const identities = await hide(tx, subject);
        const at = { workspaceId, id };
        const purging = {
          ...subject,
          id,
          requestedAt: deps.clock.now(),
          phase: 'messages',
          cursor: null,
          counts: {},
        } as const;
        await saveProgress(tx, at, purging, { phase: 'messages', cursor: null, found: { identities } });
        const resource = `contact ${toPublicId('contact', contactId)}`;
        await workspaces.audit(tx, {
          actor,
          action: 'erase',
          resource,
          fields: { receipt: toPublicId('erasure', id) },
        });
        noteChange(tx, 'conversation', [...subject.conversationIds]);
        return findErasure(tx, id);
      }),
    findErasure: (workspaceId, id) => storage.inWorkspace(workspaceId, (tx) => findErasure(tx, id)),
    listErasures: (workspaceId, request) => storage.inWorkspace(workspaceId, (tx) => listErasures(tx, request)),
    async purge(signal) {
      let finished = 0;
      for (const erasure of await findOpen(storage, maxOpenAtOnce)) {
        if ((await purgeOrNote(deps, erasure, signal)) === 'done') finished += 1;
      }
      return finished;
    },
    purgeOne: (workspaceId, id, signal) => purgeOrNote(deps, { workspaceId, id }, signal),
    maskReturned: (signal) => maskReturned(deps, signal),
  };
}
