export { type AuditFilter, type AuditRecord, appendAudit, listAudit } from './audit-store.ts';
export type { ChainBreak } from './chain.ts';
export { type AuditEntry, type Facts, masked } from './entry.ts';
export { type Anchor, type AuditVerdict, verifyAudit } from './verify.ts';
