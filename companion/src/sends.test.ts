import { expect, test } from 'vitest';
import type { WithFile } from './media-client.ts';
import { type SendRequest, Sends, type SendsParts } from './sends.ts';
import { NotSent, type Sending, type WebClient } from './web-client.ts';

const never = new Promise<never>(() => undefined);

function text(id: string): SendRequest {
  return { id, to: { phone: '+15550001111' }, content: { type: 'text', text: id } };
}

function image(id: string): SendRequest {
  return { ...text(id), content: { type: 'image', media: { url: `https://files.example/${id}` } } };
}

/** A connection that answers to every message but those whose text is `hangs`. */
function connection(): { readonly client: WebClient; readonly sent: Sending[] } {
  const sent: Sending[] = [];
  const unused = () => Promise.reject(new Error('not asked for here'));
  const client: WebClient = {
    send(sending) {
      sent.push(sending);
      const { content, messageId } = sending;
      return content.type === 'text' && content.text === 'hangs' ? never : Promise.resolve({ messageId });
    },
    markRead: unused,
    isOnWhatsApp: unused,
    logOut: unused,
    close: unused,
  };
  return { client, sent };
}

const givingFile: WithFile = (_wanted, use) => use(Buffer.from('file'));
const sendsWith = (change: Partial<SendsParts>) =>
  new Sends({ nowMs: () => 1, session: 'first', withFile: givingFile, turnMs: 60_000, ...change });

test('a file is fetched, and its bytes go with the message', async () => {
  const { client, sent } = connection();
  await sendsWith({}).send(client, image('one'));
  expect(sent).toMatchObject([{ content: image('one').content, file: Buffer.from('file') }]);
});

test('bytes that came along are not fetched', async () => {
  const { client, sent } = connection();
  const sends = sendsWith({ withFile: () => Promise.reject(new Error('fetched')) });
  const content = { type: 'image', media: { base64: 'AAAA', url: 'https://files.example/' } } as const;
  await sends.send(client, { ...text('one'), content });
  expect(sent).toHaveLength(1);
});

test('a file that never comes stops no other send', async () => {
  const { client, sent } = connection();
  const sends = sendsWith({ withFile: () => never });
  void sends.send(client, image('one'));
  expect(await sends.send(client, text('two'))).toMatchObject({ timestamp: 1 });
  expect(sent).toHaveLength(1);
});

test('a file that cannot be fetched sends nothing, and may be tried again under its id', async () => {
  const { client, sent } = connection();
  const failing = [new NotSent('invalid', 'no such file')];
  const sends = sendsWith({
    withFile: (wanted, use) => {
      const error = failing.pop();
      return error ? Promise.reject(error) : givingFile(wanted, use);
    },
  });
  await expect(sends.send(client, image('one'))).rejects.toMatchObject({ name: 'NotSent', code: 'invalid' });
  expect(sent).toEqual([]);
  await sends.send(client, image('one'));
  expect(sent).toHaveLength(1);
});

test('a turn that does not end is over after its time, and claims nothing', async () => {
  const { client, sent } = connection();
  const sends = sendsWith({ turnMs: 50 });
  const [hanging, next] = await Promise.allSettled([
    sends.send(client, text('hangs')),
    sends.send(client, text('two')),
  ]);
  expect(hanging).toMatchObject({ status: 'rejected', reason: { name: 'Error' } });
  expect(next).toMatchObject({ status: 'fulfilled' });
  // Asked for again it does not go out again: it may have left.
  await expect(sends.send(client, text('hangs'))).rejects.toMatchObject({ name: 'Error' });
  expect(sent).toHaveLength(2);
});
