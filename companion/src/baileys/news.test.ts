import { EventEmitter } from 'node:events';
import * as library from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import type { News } from '../web-client.ts';
import { type NewsSource, newsOf } from './news.ts';

const [ana, ben] = ['15550001111@s.whatsapp.net', '15550002222@s.whatsapp.net'];
const key = (remoteJid: string | undefined, id: string, fromMe = false) => ({ remoteJid, id, fromMe });

function stage() {
  const ev = new EventEmitter();
  const told: News[] = [];
  newsOf(library, { ev: ev as unknown as NewsSource['ev'] }, (news) => told.push(news), silentLog);
  return { ev, told };
}

test('messages are told by chat the moment they come, and say whether they wait for a file', async () => {
  const { ev, told } = stage();
  // Elsewhere than with WhatsApp: nobody is asked for it, and the message goes on without it.
  const imageMessage = { url: 'https://127.0.0.1/', directPath: '/v/1', mediaKey: new Uint8Array(32), fileLength: 10 };
  const messages = [
    { key: key(ana, 'A1'), message: { imageMessage } },
    { key: key(ben, 'B1'), message: { conversation: 'hello' } },
    { key: key(ana, 'A2'), message: { conversation: 'what is this?' } },
  ];
  ev.emit('messages.upsert', { messages, type: 'notify' });
  expect(told.map(({ chat, whole }) => [chat, whole !== undefined])).toEqual([
    [ana, true],
    [ben, false],
  ]);
  expect(told[0]!.payload).toMatchObject({ messages: [{ key: { id: 'A1' } }, { key: { id: 'A2' } }], type: 'notify' });
  expect(await told[0]!.whole).toEqual(told[0]!.payload);
});

test('a file that is said to be too large is not waited for', () => {
  const { ev, told } = stage();
  const imageMessage = { url: 'https://mmg.whatsapp.net/v/1', fileLength: 50_000_000 };
  ev.emit('messages.upsert', { messages: [{ key: key(ana, 'A1'), message: { imageMessage } }], type: 'notify' });
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
