/** Which account a person means: by its id, its phone number or its name. */
import { parseId, parsePhone, toPublicId } from '@switchyard/contract';
import type { AccountSummary } from '#accounts';
import { CommandFailed, WrongUse } from './failures.ts';

export const accountHelp = 'its id (acc_…), its name or its phone number';

/** Throws WrongUse with the candidates where several are meant, CommandFailed with those there are where none is. */
export function chooseAccount(accounts: readonly AccountSummary[], text: string): AccountSummary {
  const found = meantBy(accounts, text);
  const [only] = found;
  if (found.length === 1 && only) return only;
  if (found.length > 1) throw new WrongUse(`${text} may be ${listed(found)}; give the id`);
  const known = accounts.length === 0 ? 'there is none' : `there are: ${listed(accounts.slice(0, maxNamed))}`;
  throw new CommandFailed(`there is no account ${text}; ${known}`);
}

const maxNamed = 20;

/** The closest way that fits anything: an id, the name as it is written, a number, a name in other letters. */
function meantBy(accounts: readonly AccountSummary[], text: string): readonly AccountSummary[] {
  const id = parseId('account', text);
  if (id) return accounts.filter((account) => account.id === id);
  const named = accounts.filter(({ name }) => name === text);
  if (named.length > 0) return named;
  const phone = parsePhone(text);
  const numbered = phone === null ? [] : accounts.filter(({ phoneNumber }) => phoneNumber === phone);
  if (numbered.length > 0) return numbered;
  const plain = text.trim().toLowerCase();
  return accounts.filter(({ name }) => name.toLowerCase() === plain);
}

function listed(accounts: readonly AccountSummary[]): string {
  return accounts
    .map(
      ({ id, name, phoneNumber }) => `${toPublicId('account', id)} (${name}${phoneNumber ? `, ${phoneNumber}` : ''})`,
    )
    .join(', ');
}
