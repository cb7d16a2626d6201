/**
 * The door of alarms: what is wrong now, who is told, and telling them. What a look finds and the notices of it are
 * written in one transaction; the notices leave after it, each until it has arrived or its tries are used up.
 */
import { randomBytes } from 'node:crypto';
import {
  type AlarmNoticeId,
  type AlarmTargetId,
  type Failure,
  type IncidentId,
  type IncidentKind,
  toPublicId,
  type WorkspaceId,
} from '@switchyard/contract';
import { type Clock, createLoop, done, type Log, type Loop, newId, type Result, refused } from '#kernel';
import type { NoteChange, Sealer, Storage, WorkspaceTx } from '#storage';
import type { Mailer } from '#workspaces';
import {
  endIncident,
  findIncident,
  type IncidentFilter,
  insertIncident,
  listIncidents,
  lockOpen,
  touchIncident,
} from './incident-store.ts';
import { decide, type Finding, type Incident, type Look, type OpenIncident } from './incidents.ts';
import { secretText, sign } from './signature.ts';
import {
  claimNotice,
  countTargets,
  findDueNotices,
  insertNotice,
  insertTarget,
  listTargets,
  queueNotices,
  removeTarget,
  settleNotice,
} from './target-store.ts';
import { type AlarmTarget, maxTargets, type Notice, type Occasion, pauseAfter, type TargetKind } from './targets.ts';
import type { CallOut, Told } from './tellers.ts';
import { mailOf, webhookBodyOf } from './words.ts';

export const alarmLimits = { leaseMs: 60_000, perSweep: 50, sweepMs: 5_000, callMs: 10_000 } as const;

export interface TriedTarget {
  readonly isDelivered: boolean;
  readonly milliseconds: number;
  readonly error: string | null;
}

export interface Alarms {
  /**
   * All that one look at this kind found: opens, continues and ends incidents; tells each target at either end, and of parts
   * that are new in between. A function looks in the transaction of the report, with the open ones locked.
   */
  report(workspaceId: WorkspaceId, kind: IncidentKind, look: readonly Finding[] | Looking): Promise<void>;
  incidents(tx: WorkspaceTx, filter: IncidentFilter): Promise<readonly Incident[]>;
  targets(tx: WorkspaceTx): Promise<readonly AlarmTarget[]>;
  /** The secret of a webhook is given here and never again. `alongside` runs in the transaction of its making. */
  addTarget(
    workspaceId: WorkspaceId,
    target: { readonly kind: TargetKind; readonly address: string },
    alongside?: (tx: WorkspaceTx, id: AlarmTargetId) => Promise<void>,
  ): Promise<Result<{ readonly id: AlarmTargetId; readonly secret: string | null }, Failure>>;
  removeTarget(tx: WorkspaceTx, id: AlarmTargetId): Promise<boolean>;
  /** Tells one target now, and says what came of it; null where there is none such. */
  test(workspaceId: WorkspaceId, id: AlarmTargetId): Promise<TriedTarget | null>;
  /** Sends what is due, in every workspace, until told to stop. */
  createSender(): Loop;
  /** One pass of the sender; true when there may be more. */
  sendDue(): Promise<boolean>;
}

export type Looking = (tx: WorkspaceTx, open: readonly OpenIncident[]) => Promise<Look>;

export interface AlarmsDeps {
  readonly storage: Pick<Storage, 'inWorkspace' | 'workerStatement'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  readonly noteChange: NoteChange;
  readonly callOut: CallOut;
  /** null: there is no server of mail in the settings. */
  readonly mailer: Mailer | null;
  /** Of the console, for a link in mails. */
  readonly publicUrl: string | undefined;
}

const secretPlace = (id: AlarmTargetId) => ({ table: 'alarm_targets', column: 'secret_sealed', row: id });

export function createAlarms(deps: AlarmsDeps): Alarms {
  const senders: Loop[] = [];
  const nudge = () => {
    for (const sender of senders) sender.nudge();
  };
  const sendDue = () => sendAllDue(deps);
  return {
    report: (workspaceId, kind, look) =>
      deps.storage.inWorkspace(workspaceId, async (tx) => {
        if (await writeFindings(deps, tx, kind, look)) tx.afterCommit(nudge);
      }),
    incidents: listIncidents,
    targets: listTargets,
    addTarget: (workspaceId, target, alongside) => addTarget(deps, { workspaceId, alongside }, target),
    removeTarget,
    test: (workspaceId, id) => testTarget(deps, workspaceId, id),
    sendDue,
    createSender() {
      const { sweepMs } = alarmLimits;
      const sender = createLoop({
        name: 'alarms',
        idleMs: sweepMs,
        afterErrorMs: sweepMs,
        log: deps.log,
        step: sendDue,
      });
      senders.push(sender);
      return sender;
    },
  };
}

/** True when somebody is to be told. */
async function writeFindings(
  { clock, noteChange }: AlarmsDeps,
  tx: WorkspaceTx,
  kind: IncidentKind,
  look: readonly Finding[] | Looking,
): Promise<boolean> {
  const now = clock.now();
  const open = await lockOpen(tx, kind);
  const looked = typeof look === 'function' ? await look(tx, open) : { findings: look };
  const { opened, continued, ended } = decide(open, looked, now);
  let told = 0;
  const tell = async (id: IncidentId, occasion: Occasion) => {
    told += await queueNotices(tx, id, occasion);
    noteChange(tx, 'incident', [id]);
  };
  for (const finding of opened) {
    const id = newId('incident');
    if (await insertIncident(tx, { ...finding, id, kind }, now)) await tell(id, 'opened');
  }
  for (const incident of continued) {
    await touchIncident(tx, incident, now);
    if (incident.isNews) await tell(incident.id, 'worsened');
  }
  for (const end of ended) {
    await endIncident(tx, end, now);
    await tell(end.id, end.ending);
  }
  return told > 0;
}

interface Adding {
  readonly workspaceId: WorkspaceId;
  readonly alongside: ((tx: WorkspaceTx, id: AlarmTargetId) => Promise<void>) | undefined;
}

async function addTarget(
  { storage, sealer, mailer, callOut }: AlarmsDeps,
  { workspaceId, alongside }: Adding,
  { kind, address }: { readonly kind: TargetKind; readonly address: string },
): Promise<Result<{ readonly id: AlarmTargetId; readonly secret: string | null }, Failure>> {
  if (kind === 'email' && !mailer)
    return refuse('mail-not-set', 'there is no server of mail here: set SMTP_URL and MAIL_FROM');
  const objection = kind === 'webhook' ? await callOut.check(address) : null;
  if (objection) return refuse('address-not-allowed', objection);
  const id = newId('alarmTarget');
  const secret = kind === 'webhook' ? secretText(randomBytes(32)) : null;
  const secretSealed = secret === null ? null : sealer.seal(secret, secretPlace(id));
  return storage.inWorkspace(workspaceId, async (tx) => {
    if ((await countTargets(tx)) >= maxTargets)
      return refuse('too-many-targets', `a workspace tells at most ${maxTargets} addresses`);
    await insertTarget(tx, { id, kind, address, secretSealed });
    await alongside?.(tx, id);
    return done({ id, secret });
  });
}

function refuse(code: string, detail: string) {
  return refused<Failure>({ code, detail, retry: { kind: 'never' }, isCertain: true });
}

async function testTarget(deps: AlarmsDeps, workspaceId: WorkspaceId, id: AlarmTargetId): Promise<TriedTarget | null> {
  const { storage, clock } = deps;
  const notice = await storage.inWorkspace(workspaceId, async (tx) => {
    if (!(await listTargets(tx)).some((target) => target.id === id)) return null;
    const made = await insertNotice(tx, {
      targetId: id,
      incidentId: null,
      occasion: 'test',
      dueInMs: alarmLimits.leaseMs,
    });
    return claimNotice(tx, made, { leaseMs: alarmLimits.leaseMs, isDue: false });
  });
  if (!notice) return null;
  const startedMs = clock.elapsedMs();
  const told = await tell(deps, notice);
  const milliseconds = Math.round(clock.elapsedMs() - startedMs);
  // A test is not tried again: whoever asked has the answer.
  const end = told.ok ? ({ kind: 'sent' } as const) : ({ kind: 'failed', error: told.error } as const);
  await storage.inWorkspace(workspaceId, (tx) => settleNotice(tx, notice.id, end));
  return { isDelivered: told.ok, milliseconds, error: told.ok ? null : told.error };
}

async function sendAllDue(deps: AlarmsDeps): Promise<boolean> {
  const due = await findDueNotices(deps.storage, alarmLimits.perSweep);
  await Promise.all(due.map(({ workspaceId, id }) => sendOne(deps, workspaceId, id)));
  return due.length === alarmLimits.perSweep;
}

async function sendOne(deps: AlarmsDeps, workspaceId: WorkspaceId, id: AlarmNoticeId): Promise<void> {
  const { storage, log } = deps;
  const notice = await storage.inWorkspace(workspaceId, (tx) =>
    claimNotice(tx, id, { leaseMs: alarmLimits.leaseMs, isDue: true }),
  );
  if (!notice) return;
  const told = await tell(deps, notice);
  if (!told.ok) log.warn({ noticeId: id, attempts: notice.attempts, error: told.error }, 'an alarm did not arrive');
  const inMs = pauseAfter(notice.attempts);
  await storage.inWorkspace(workspaceId, (tx) =>
    settleNotice(
      tx,
      id,
      told.ok
        ? { kind: 'sent' }
        : inMs === null
          ? { kind: 'failed', error: told.error }
          : { kind: 'again', inMs, error: told.error },
    ),
  );
}

async function tell(deps: AlarmsDeps, notice: Notice): Promise<Told> {
  const { incident, workspace } = await deps.storage.inWorkspace(notice.workspaceId, async (tx) => ({
    incident: notice.incidentId ? await findIncident(tx, notice.incidentId) : null,
    workspace:
      (await tx.query<{ name: string }>('SELECT name FROM workspaces WHERE workspace_id = $1', [tx.workspaceId]))[0]
        ?.name ?? '',
  }));
  try {
    return notice.kind === 'email'
      ? await mail(deps, notice, mailOf(notice.occasion, incident, { workspace, url: deps.publicUrl }))
      : await call(deps, notice, webhookBodyOf(notice.occasion, incident, notice.createdAt));
  } catch (error) {
    return { ok: false, error: reasonOf(error) };
  }
}

async function mail(
  { mailer }: AlarmsDeps,
  { address }: Notice,
  text: { subject: string; text: string },
): Promise<Told> {
  if (!mailer) return { ok: false, error: 'there is no server of mail here: set SMTP_URL and MAIL_FROM' };
  await mailer.send(address, text);
  return { ok: true };
}

async function call({ callOut, sealer, clock }: AlarmsDeps, notice: Notice, body: string): Promise<Told> {
  if (!notice.secretSealed) return { ok: false, error: 'the target has no secret' };
  const objection = await callOut.check(notice.address);
  if (objection) return { ok: false, error: objection };
  const secret = sealer.openText(notice.secretSealed, secretPlace(notice.targetId));
  const headers = { ...sign(secret, toPublicId('alarmNotice', notice.id), clock.now(), body) };
  const status = await callOut.post(notice.address, headers, body, alarmLimits.callMs);
  return status >= 200 && status < 300 ? { ok: true } : { ok: false, error: `it answered ${status}` };
}

/** Of a failed fetch the cause says more; an address with a password in it stays out. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  const told = cause instanceof Error ? cause : error;
  const text = told instanceof Error ? told.message || told.name : String(told);
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//…@').slice(0, 300);
}
