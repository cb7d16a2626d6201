/** What an event is, in the chosen language. The server tells kinds and types by their names. */
import { languageFacts } from '../../i18n/index.ts';
import { named } from './hop-words.ts';

/** `message`, `button_reply`: a message with a button. A type that we have no word for stays as it is. */
export function eventName(kind: string, type: string): string {
  return `${named('eventKind', kind)}: ${typeName(kind, type)}`;
}

function typeName(kind: string, type: string): string {
  if (kind === 'status') return named('receipt', type);
  if (kind === 'account') return named('accountEvent', type);
  if (kind !== 'message' || type === 'unsupported') return type;
  const key = type.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return lowered(named('content', key));
}

const lowered = (text: string) => text.toLocaleLowerCase(languageFacts.value.intl);

/** `message:text ×2, status:read`, as the server sums a delivery up; what is otherwise (a text of ours) stays as it is. */
export function summaryWords(summary: string): string {
  const parts = summary
    .split(', ')
    .map((part) => /^(message|status|account|unsupported):([\w.-]+)( ×\d+)?$/.exec(part));
  if (parts.some((part) => part === null)) return summary;
  return parts.map((part) => `${eventName(part?.[1] ?? '', part?.[2] ?? '')}${part?.[3] ?? ''}`).join(', ');
}

/** `unreadable: not JSON`: a reason by its name, then the detail, which may be a provider's. */
export function errorWords(error: string): string {
  const [, reason = '', detail = ''] = /^([a-z-]+): (.*)$/s.exec(error) ?? [];
  return reason ? `${named('dead', reason)}: ${detail}` : error;
}
