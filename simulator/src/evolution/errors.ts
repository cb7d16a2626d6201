/** How Evolution words its refusals (providers.md 4.1, 4.6). */
import { jsonReply, type Reply } from '../http/exchange.ts';

const names: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};

export function evolutionError(status: number, message: unknown): Reply {
  return jsonReply(status, { status, error: names[status] ?? 'Error', response: { message } });
}

/** A schema's complaint: `instance requires property "text"`. */
export function schemaError(complaint: string): Reply {
  return evolutionError(400, [[complaint]]);
}

export function notOnWhatsapp(number: string): Reply {
  const digits = number.replace(/\D/g, '');
  return evolutionError(400, [{ jid: `${digits}@s.whatsapp.net`, exists: false, number: digits }]);
}

export function unknownInstance(name: string): Reply {
  return evolutionError(404, [`The "${name}" instance does not exist`]);
}

/** Evolution has few codes of its own; these names stand for its answers in fault rules. */
export function namedError(code: string): Reply {
  switch (code) {
    case 'not_on_whatsapp':
      return notOnWhatsapp('0');
    case 'connection_closed':
      return evolutionError(400, ['Error: Connection Closed']);
    case 'unauthorized':
      return evolutionError(401, 'Unauthorized');
    case 'unknown_instance':
      return unknownInstance('gone');
    case 'schema':
      return schemaError('instance requires property "number"');
    default:
      return evolutionError(500, ['Internal Server Error']);
  }
}
