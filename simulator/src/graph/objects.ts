/** Numbers, accounts and templates as objects of the graph. */
import { jsonReply, type Reply } from '../http/exchange.ts';
import type { SimNumber } from '../world/number.ts';
import type { Fields } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { webhookConfiguration } from './webhook-edges.ts';

/** `wanted`: the names in `?fields=`; without them all that there is. */
export function numberObject(number: SimNumber, id: string, wanted: string | null = null): Reply {
  if (number.provider === 'instagram') {
    const instagramId = number.ids.instagramId ?? number.number;
    return jsonReply(200, { id: instagramId, user_id: instagramId, username: number.name, account_type: 'BUSINESS' });
  }
  if (id === number.ids.wabaId) return jsonReply(200, { id, name: number.name, currency: 'USD', timezone_id: '1' });
  const whole = phoneObject(number);
  if (wanted === null) return jsonReply(200, whole);
  const names = new Set([...wanted.split(','), 'id']);
  return jsonReply(200, Object.fromEntries(Object.entries(whole).filter(([name]) => names.has(name))));
}

function phoneObject(number: SimNumber): Fields {
  return {
    verified_name: number.name,
    code_verification_status: 'VERIFIED',
    display_phone_number: `+${number.digits}`,
    quality_rating: number.connection === 'open' ? 'GREEN' : 'RED',
    platform_type: 'CLOUD_API',
    throughput: { level: 'STANDARD' },
    status: number.connection === 'open' ? 'CONNECTED' : number.connection === 'banned' ? 'BANNED' : 'DISCONNECTED',
    webhook_configuration: webhookConfiguration(number),
    id: number.ids.phoneNumberId,
  };
}

export function wabaNumbers(world: World, wabaId: string): Reply {
  const numbers = world.registry.allById('wabaId', wabaId);
  return jsonReply(200, { data: numbers.map(phoneObject), paging: { cursors: { before: 'b', after: 'a' } } });
}

export function templatesOf(number: SimNumber): Reply {
  const data = (number.templates ?? []).map((template, index) => ({
    name: template.name,
    language: template.language ?? 'en_US',
    status: 'APPROVED',
    category: template.category ?? 'UTILITY',
    components: [{ type: 'BODY', text: template.body ?? template.name }],
    id: String(1_000_000_000_000 + index),
  }));
  return jsonReply(200, { data, paging: { cursors: { before: 'b', after: 'a' } } });
}
