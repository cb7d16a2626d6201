/**
 * A person on the other end. At least one of the addresses is there; some people have no phone number that a business
 * may see (WhatsApp's business-scoped user ids, LIDs).
 */
import { BadRequest, type Fields, optionalText } from './read.ts';

export interface Customer {
  /** What the simulator knows the person by: the first of phone, Instagram id, business-scoped id, LID. */
  readonly key: string;
  /** Digits only, with the country code. */
  readonly phone?: string;
  readonly bsuid?: string;
  readonly parentBsuid?: string;
  /** Digits only, without `@lid`. */
  readonly lid?: string;
  readonly username?: string;
  readonly instagramId?: string;
  readonly name: string;
}

export function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

/** From `{from?, bsuid?, parentBsuid?, lid?, username?, profileName?}`; `from` is a phone, or at Instagram an id. */
export function parseCustomer(fields: Fields, isInstagram: boolean): Customer {
  const from = optionalText(fields, 'from');
  const bsuid = optionalText(fields, 'bsuid');
  const lid = optionalText(fields, 'lid');
  const phone = from && !isInstagram ? digitsOf(from) : undefined;
  const instagramId = isInstagram ? from : undefined;
  const key = phone || instagramId || bsuid || (lid && digitsOf(lid));
  if (!key) throw new BadRequest('from, bsuid or lid must say who writes');
  const parentBsuid = optionalText(fields, 'parentBsuid');
  const username = optionalText(fields, 'username');
  return {
    key,
    name: optionalText(fields, 'profileName') ?? 'Customer',
    ...(phone ? { phone } : {}),
    ...(instagramId ? { instagramId } : {}),
    ...(bsuid ? { bsuid } : {}),
    ...(parentBsuid ? { parentBsuid } : {}),
    ...(lid ? { lid: digitsOf(lid) } : {}),
    ...(username ? { username } : {}),
  };
}

/** Someone we only know by the address that a business wrote to. */
export function strangerOf(address: string, kind: 'phone' | 'bsuid' | 'lid' | 'instagram'): Customer {
  switch (kind) {
    case 'phone':
      return { key: digitsOf(address), phone: digitsOf(address), name: `+${digitsOf(address)}` };
    case 'bsuid':
      return { key: address, bsuid: address, name: address };
    case 'lid':
      return { key: digitsOf(address), lid: digitsOf(address), name: address };
    case 'instagram':
      return { key: address, instagramId: address, name: address };
    default: {
      const never: never = kind;
      return never;
    }
  }
}
