import type { Problem } from '@switchyard/contract';
import { ProblemError } from '../../api/problem-error.ts';
import type { AccountForm } from './account-fields.ts';

export interface FieldRefusal {
  readonly name: string;
  readonly message: string;
}

/** Which field a refusal is about, where it says so; the rest is for the whole form. */
export function refusedFields(error: unknown, form: AccountForm): FieldRefusal[] {
  if (!(error instanceof ProblemError)) return [];
  const listed = (error.problem.errors ?? []).flatMap(fromIssue);
  return listed.length > 0 ? listed : fromSentence(error.message, form);
}

/** A JSON pointer of the request body: `/settings/phoneNumberId`. */
function fromIssue(issue: NonNullable<Problem['errors']>[number]): FieldRefusal[] {
  const name = issue.path.split('/').filter(Boolean).join('.');
  return name ? [{ name, message: issue.message }] : [];
}

/** `The setting phoneNumberId is needed: …`: the room's own refusals name the field in their sentence. */
function fromSentence(message: string, form: AccountForm): FieldRefusal[] {
  const [, kind, name] = /^The (setting|secret) (\w+) /.exec(message) ?? [];
  if (!kind || !name) return [];
  const part = kind === 'setting' ? 'settings' : 'secrets';
  return form[part].some((field) => field.name === name) ? [{ name: `${part}.${name}`, message }] : [];
}
