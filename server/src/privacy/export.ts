import type { ContactId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import { contactExists, type ExportPart, readExport } from './export-store.ts';
import { type ContactExport, type ExportRefusal, privacyLimits } from './privacy.ts';

export async function exportContact(
  tx: WorkspaceTx,
  contactId: ContactId,
  now: Date,
): Promise<
  { readonly ok: true; readonly value: ContactExport } | { readonly ok: false; readonly refusal: ExportRefusal }
> {
  if (!(await contactExists(tx, contactId))) return { ok: false, refusal: 'not-found' };
  const parts: Record<ExportPart['part'], unknown[]> = {
    ...{ contact: [], identity: [], consent: [], conversation: [], message: [], delivery: [] },
  };
  let bytes = 0;
  const isWhole = await readExport(tx, contactId, {
    rowsPerFetch: privacyLimits.exportRowsPerFetch,
    took: (rows) => {
      for (const { part, document } of rows) {
        bytes += document.length;
        parts[part].push(JSON.parse(document));
      }
      return bytes <= privacyLimits.maxExportBytes;
    },
  });
  if (!isWhole) return { ok: false, refusal: 'too-large' };
  const [contact] = parts.contact as Record<string, unknown>[];
  if (!contact) return { ok: false, refusal: 'not-found' };
  return {
    ok: true,
    value: {
      exportedAt: now.toISOString(),
      contact,
      identities: parts.identity,
      consents: parts.consent,
      conversations: parts.conversation,
      messages: inOrder(parts.message),
      deliveryIds: (parts.delivery as string[]).sort(),
    },
  };
}

function inOrder(messages: readonly unknown[]): unknown[] {
  return (messages as { occurredAt: string; id: string }[]).toSorted(
    (a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt) || (a.id < b.id ? -1 : 1),
  );
}
