import type { ContactCard } from '@switchyard/contract';
import { present } from '../reading/index.ts';

/** A vCard of WhatsApp holds a few lines; more than this is not read. */
const maxLines = 200;

/**
 * Name, phones and e-mails of a vCard (versions 2.1 to 4, as far as WhatsApp writes them). A phone's `waid` is preferred
 * to its printed form, since that is the number that can be written to.
 */
export function contactOfVcard(vcard: string, displayName?: string): ContactCard {
  const lines = vcard
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/, maxLines)
    .map(parseLine);
  const valuesOf = (name: string) => lines.filter((line) => line.name === name && line.value !== '');
  const phones = valuesOf('TEL').map(({ waId, value }) => (waId ? `+${waId}` : value));
  return present({
    name: displayName || valuesOf('FN')[0]?.value || phones[0] || '',
    phones,
    emails: valuesOf('EMAIL').map(({ value }) => value),
    organisation: valuesOf('ORG')[0]?.value.replace(/;+$/, '') || undefined,
    vcard: vcard || undefined,
  });
}

interface VcardLine {
  readonly name: string;
  readonly waId: string | undefined;
  readonly value: string;
}

/** `item1.TEL;type=CELL;waid=15551230000:+1 555 123 0000` */
function parseLine(line: string): VcardLine {
  const colon = line.indexOf(':');
  const head = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + 1).trim();
  const name = head.split(';', 1)[0]?.replace(/^[\w-]+\./, '') ?? '';
  return { name: name.toUpperCase(), waId: /;waid=(\d{3,20})/i.exec(head)?.[1], value: unescaped(value) };
}

function unescaped(value: string): string {
  return value.replace(/\\([\\,;])/g, '$1').replace(/\\n/gi, '\n');
}
