import { EventEmitter } from 'node:events';
import * as library from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { NewsOrder } from '../news-order.ts';
import type { News } from '../web-client.ts';
import { type NewsSource, newsOf } from './news.ts';

const [ana, ben] = ['15550001111@s.whatsapp.net', '15550002222@s.whatsapp.net'];
const key = (remoteJid: string | undefined, id: string, fromMe = false) => ({ remoteJid, id, fromMe });

/** What the server takes of one body (`gatewayLimits.maxBodyBytes`). */
const maxBodyBytes = 3 * 1024 * 1024;

function stage(fetchFile: () => Promise<Buffer | null> = () => Promise.resolve(null)) {
  const ev = new EventEmitter();
  const told: News[] = [];
  const tell = (news: News) => told.push(news);
  newsOf(library, { ev: ev as unknown as NewsSource['ev'] }, { tell, fetchFile, log: silentLog });
  return { ev, told };
}

const imageMessage = { url: 'https://mmg.whatsapp.net/v/1', mediaKey: new Uint8Array(32), fileLength: 1_300_000 };
const photo = (id: string) => ({ key: key(ana, id), message: { imageMessage } });

test('messages are told one by one the moment they come, by chat, and say whether they wait for a file', async () => {
  const { ev, told } = stage(() => Promise.reject(new Error('it cannot be had')));
  const messages = [
    photo('A1'),
    { key: key(ben, 'B1'), message: { conversation: 'hello' } },
    { key: key(ana, 'A2'), message: { conversation: 'what is this?' } },
  ];
  ev.emit('messages.upsert', { messages, type: 'notify' });
  expect(told.map(({ chat, whole }) => [chat, whole !== undefined])).toEqual([
    [ana, true],
    [ben, false],
    [ana, false],
  ]);
  expect(told[0]!.payload).toMatchObject({ messages: [{ key: { id: 'A1' } }], type: 'notify' });
  expect(await told[0]!.whole).toEqual(told[0]!.payload);
});

test('two large files of one chat that come at once are two bodies that the server takes, in order', async () => {
  const { ev, told } = stage(() => Promise.resolve(Buffer.alloc(1_300_000)));
  ev.emit('messages.upsert', { messages: [photo('A1'), photo('A2')], type: 'append' });
  const bodies: string[] = [];
  const order = new NewsOrder((_event, payload) => bodies.push(JSON.stringify(payload)));
  for (const news of told) order.take(news);
  await order.settle(60_000);
  expect(bodies.map((body) => [body.length > 1_700_000, body.length < maxBodyBytes])).toEqual([
    [true, true],
    [true, true],
  ]);
  expect(bodies.map((body) => /"id":"(A.)"/.exec(body)?.[1])).toEqual(['A1', 'A2']);
});

test('a file that is said to be too large is not waited for', () => {
  const { ev, told } = stage();
  const message = { imageMessage: { ...imageMessage, fileLength: 50_000_000 } };
  ev.emit('messages.upsert', { messages: [{ key: key(ana, 'A1'), message }], type: 'notify' });
  expect(told).toMatchObject([{ chat: ana }]);
  expect(told[0]).not.toHaveProperty('whole');
});

test('edits, reactions and deletions keep the order of their chat; receipts of ours wait for nothing', () => {
  const { ev, told } = stage();
  ev.emit('messages.update', [
    { key: key(ana, 'A1'), update: {} },
    { key: key(ana, 'O1', true), update: { status: 3 } },
  ]);
  ev.emit('messages.reaction', [{ key: key(ben, 'B1'), reaction: { text: '+' } }]);
  ev.emit('messages.delete', { keys: [key(ana, 'A1')] });
  ev.emit('message-receipt.update', [{ key: key(ana, 'O1', true), receipt: {} }]);
  expect(told.map(({ event, chat }) => [event, chat])).toEqual([
    ['messages.update', null],
    ['messages.update', ana],
    ['messages.reaction', ben],
    ['messages.delete', ana],
    ['message-receipt.update', null],
  ]);
});
