/** `/instance/…`: create, connect, state, list, restart, log out, delete (providers.md 4.6). */
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import { parseNumberSettings, type SimNumber } from '../world/number.ts';
import { type Fields, isFields, jsonOf, listOf, textMap } from '../world/read.ts';
import type { World } from '../world/world.ts';
import { instanceIdOf, instanceOf, ownJid } from './addresses.ts';
import { evolutionError, schemaError } from './errors.ts';
import { pairingOf } from './pairing.ts';
import { announce } from './qr-cycle.ts';

type Version = 'v1' | 'v2';

export function createInstance(world: World, exchange: Exchange, version: Version): Reply {
  const body = jsonOf(exchange.body.toString('utf8'));
  if (!isFields(body) || typeof body.instanceName !== 'string' || body.instanceName === '') {
    return schemaError('instance requires property "instanceName"');
  }
  const name = body.instanceName;
  if (world.registry.findById('instance', name)) return evolutionError(403, [`This name "${name}" is already in use.`]);
  const number = registerInstance(world, body, name, version);
  setWebhook(number, body.webhook, body, version);
  const qrcode = body.qrcode === true ? { qrcode: { ...pairingOf(world, number), count: 1 } } : {};
  if (body.qrcode === true) announce(world, number, 'qr');
  return jsonReply(201, { ...createdForm(number, version), ...qrcode });
}

/** A new instance has no connection and, until someone scans, perhaps no number. */
function registerInstance(world: World, body: Fields, name: string, version: Version): SimNumber {
  const token = typeof body.token === 'string' && body.token !== '' ? body.token : world.random.hex(32);
  const phone = typeof body.number === 'string' && body.number !== '' ? `+${body.number.replace(/\D/g, '')}` : name;
  const settings = parseNumberSettings({
    provider: 'evolution',
    number: phone,
    name,
    version,
    secrets: { apiKey: token },
    ids: { instance: name },
  });
  const number = world.registry.put(settings);
  number.connection = 'connecting';
  return number;
}

function createdForm(number: SimNumber, version: Version): Fields {
  const apiKey = number.secrets.apiKey ?? '';
  const instance = { instanceName: instanceOf(number), instanceId: instanceIdOf(number), status: 'connecting' };
  const settings = { reject_call: false, groups_ignore: false, always_online: false };
  if (version === 'v1') return { instance: { ...instance, status: 'created' }, hash: { apikey: apiKey }, settings };
  return {
    instance: { ...instance, integration: 'WHATSAPP-BAILEYS', webhookWaBusiness: null, accessTokenWaBusiness: '' },
    hash: apiKey,
    webhook: {},
    websocket: {},
    rabbitmq: {},
    nats: {},
    sqs: {},
    settings: { rejectCall: false, groupsIgnore: false, alwaysOnline: false },
  };
}

/** From the create call: v1 a URL and flat fields, v2 an object. */
function setWebhook(number: SimNumber, webhook: unknown, body: Fields, version: Version): void {
  if (version === 'v1' && typeof webhook === 'string') {
    number.webhook.url = webhook;
    number.webhook.isByEvents = body.webhook_by_events === true;
    number.webhook.events = Array.isArray(body.events) ? body.events.map(String) : [];
  }
  if (version === 'v2' && isFields(webhook) && typeof webhook.url === 'string') {
    number.webhook.url = webhook.url;
    number.webhook.isByEvents = webhook.byEvents === true;
    number.webhook.isBase64 = webhook.base64 === true;
    number.webhook.headers = textMap(webhook.headers, 'headers');
    number.webhook.events = webhook.events === undefined ? [] : listOf(webhook.events, 'events').map(String);
  }
}

export function connectInstance(world: World, number: SimNumber): Reply {
  if (number.connection === 'open') return stateReply(number);
  number.connection = 'connecting';
  number.qrCount += 1;
  announce(world, number, 'qr');
  return jsonReply(200, { ...pairingOf(world, number), count: number.qrCount });
}

export function stateReply(number: SimNumber): Reply {
  const state = number.connection === 'banned' ? 'close' : number.connection;
  return jsonReply(200, { instance: { instanceName: instanceOf(number), state } });
}

export function fetchInstances(numbers: readonly SimNumber[], version: Version): Reply {
  return jsonReply(200, numbers.map(version === 'v1' ? listedV1 : listedV2));
}

function listedV1(number: SimNumber): Fields {
  return {
    instance: {
      instanceName: instanceOf(number),
      owner: ownJid(number),
      profileName: number.name,
      profilePictureUrl: null,
      status: number.connection === 'banned' ? 'close' : number.connection,
      apikey: number.secrets.apiKey ?? null,
    },
  };
}

function listedV2(number: SimNumber): Fields {
  const isOpen = number.connection === 'open';
  return {
    id: instanceIdOf(number),
    name: instanceOf(number),
    clientName: 'evolution_exchange',
    integration: 'WHATSAPP-BAILEYS',
    connectionStatus: number.connection === 'banned' ? 'close' : number.connection,
    token: number.secrets.apiKey ?? null,
    number: number.digits || null,
    ownerJid: isOpen ? ownJid(number) : null,
    profileName: isOpen ? number.name : null,
    profilePicUrl: null,
    disconnectionAt: null,
    disconnectionObject: null,
    disconnectionReasonCode: number.connection === 'banned' ? 403 : null,
    Setting: { rejectCall: false, groupsIgnore: false, alwaysOnline: false },
    _count: { Message: 0, Contact: 0, Chat: 0 },
  };
}

export function restartInstance(world: World, number: SimNumber, version: Version): Reply {
  if (number.connection === 'close')
    return evolutionError(400, [`The "${instanceOf(number)}" instance is not connected`]);
  announce(world, number, number.connection === 'open' ? 'open' : 'qr');
  if (version === 'v1') return stateReply(number);
  return jsonReply(200, { instance: { instanceName: instanceOf(number), status: number.connection } });
}

export function logoutInstance(world: World, number: SimNumber): Reply {
  if (number.connection === 'close') {
    return evolutionError(400, [`The "${instanceOf(number)}" instance is not connected`]);
  }
  number.connection = 'close';
  announce(world, number, 'disconnect');
  return jsonReply(200, { status: 'SUCCESS', error: false, response: { message: 'Instance logged out' } });
}

export function deleteInstance(world: World, number: SimNumber): Reply {
  world.registry.delete('evolution', number.number);
  return jsonReply(200, { status: 'SUCCESS', error: false, response: { message: 'Instance deleted' } });
}
