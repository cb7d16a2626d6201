/** `/webhook/set` and `/webhook/find`, in the three forms that servers of different age take (providers.md 4.6). */
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf, textMap } from '../world/read.ts';
import { instanceIdOf, instanceOf } from './addresses.ts';
import { evolutionError, schemaError } from './errors.ts';

export function setWebhook(number: SimNumber, exchange: Exchange): Reply {
  const body = jsonOf(exchange.body.toString('utf8'));
  if (!isFields(body)) return schemaError('instance is not of a type(s) object');
  return number.version === 'v1' ? setFlatV1(number, body) : setV2(number, body);
}

function setFlatV1(number: SimNumber, body: Fields): Reply {
  if (typeof body.url !== 'string') return schemaError('instance requires property "url"');
  if (!isUrl(body.url)) return invalidUrl;
  number.webhook.url = body.url;
  number.webhook.isEnabled = body.enabled !== false;
  number.webhook.isByEvents = body.webhook_by_events === true;
  number.webhook.isBase64 = body.webhook_base64 === true;
  number.webhook.events = Array.isArray(body.events) ? body.events.map(String) : [];
  const webhook = { url: number.webhook.url, events: number.webhook.events, enabled: number.webhook.isEnabled };
  return jsonReply(201, { webhook: { instanceName: instanceOf(number), webhook } });
}

/** 2.2 and newer nest the fields; 2.0 and 2.1 took them flat and in camelCase. The nested form wins. */
function setV2(number: SimNumber, body: Fields): Reply {
  const nested = body.webhook;
  if (!isFields(nested))
    return body.url === undefined ? schemaError('instance requires property "webhook"') : setFlatV2(number, body);
  if (typeof nested.enabled !== 'boolean') return schemaError('instance.webhook requires property "enabled"');
  if (typeof nested.url !== 'string') return schemaError('instance.webhook requires property "url"');
  if (!isUrl(nested.url)) return invalidUrl;
  // The real server fails on a missing list instead of taking it as empty.
  if (!Array.isArray(nested.events))
    return evolutionError(500, ["Cannot read properties of undefined (reading 'length')"]);
  number.webhook.url = nested.url;
  number.webhook.isEnabled = nested.enabled;
  number.webhook.isByEvents = nested.byEvents === true;
  number.webhook.isBase64 = nested.base64 === true;
  number.webhook.headers = textMap(nested.headers, 'headers');
  // A disabled webhook loses its events.
  number.webhook.events = nested.enabled ? nested.events.map(String) : [];
  return jsonReply(201, row(number));
}

function setFlatV2(number: SimNumber, body: Fields): Reply {
  if (typeof body.url !== 'string') return schemaError('instance requires property "url"');
  number.webhook.url = body.url;
  number.webhook.isEnabled = body.enabled !== false;
  number.webhook.isByEvents = body.webhookByEvents === true;
  number.webhook.isBase64 = body.webhookBase64 === true;
  number.webhook.events = Array.isArray(body.events) ? body.events.map(String) : [];
  return jsonReply(201, row(number));
}

const invalidUrl = evolutionError(400, ['Invalid "url" property']);

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

export function findWebhook(number: SimNumber): Reply {
  if (!number.webhook.url) return jsonReply(200, null);
  if (number.version === 'v2') return jsonReply(200, row(number));
  return jsonReply(200, { enabled: number.webhook.isEnabled, url: number.webhook.url, events: number.webhook.events });
}

function row(number: SimNumber): Fields {
  return {
    id: `cw${instanceIdOf(number).slice(0, 8)}`,
    url: number.webhook.url,
    headers: number.webhook.headers,
    enabled: number.webhook.isEnabled,
    events: number.webhook.events,
    webhookByEvents: number.webhook.isByEvents,
    webhookBase64: number.webhook.isBase64,
    instanceId: instanceIdOf(number),
  };
}
