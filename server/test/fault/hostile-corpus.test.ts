/** One round of the hostile requests against a gateway of its own: each has an answer that is right for it, and what is refused is nowhere. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Acked } from '../../../tools/fault/load/order.ts';
import { makeDoors } from '../../../tools/fault/runs/hostile/accounts.ts';
import { corpus } from '../../../tools/fault/runs/hostile/corpus.ts';
import { senders, type Targets } from '../../../tools/fault/runs/hostile/request.ts';
import { Teller } from '../../../tools/fault/runs/hostile/teller.ts';
import type { Shop } from '../../../tools/fault/stage/shops.ts';
import { openWorld, type World } from '../gateway/world.ts';

let world: World;
let folder: string;
let targets: Targets;

beforeAll(async () => {
  // As the run has it: the address is what the request says.
  world = await openWorld({ publicUrl: undefined });
  folder = mkdtempSync(join(tmpdir(), 'hostile-corpus-'));
  const second = await world.workspaces.create('Another shop');
  if (!second.ok) throw new Error(second.refusal.code);
  const places = [world.workspaceId, second.value.id] as const;
  const [mine, other] = [await makeShop(places[0], 1), await makeShop(places[1], 2)];
  // The first round alone has the bodies of 100 MB.
  targets = { mine, other, doors: await makeDoors(world.accounts, places), port: world.port, round: 1 };
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

async function makeShop(workspaceId: World['workspaceId'], which: number): Promise<Shop> {
  const ids = { phoneNumberId: `20000000000020${which}`, wabaId: `20000000001010${which}` };
  const [appSecret, accessToken] = [`the secret of shop ${which}`, 'an access token'];
  const { id, path, token } = await world.connect(
    { provider: 'meta', settings: ids, secrets: { appSecret, accessToken } },
    workspaceId,
  );
  const number = `+1555010020${which}`;
  return { ...ids, workspaceId, accountId: id, path, token, appSecret, accessToken, number, canary: `Canary${which}` };
}

const shaOf = (body: Buffer) => createHash('sha256').update(body).digest('hex');

it('answers each as it must, keeps what was acknowledged byte for byte, and nothing of what was refused', async () => {
  const ackedFile = join(folder, 'acked.ndjson');
  const teller = new Teller(world.port, ackedFile);
  const requests = corpus(targets);
  for (const request of requests) await teller.tell(request);
  expect([...teller.wrong]).toEqual([]);
  expect(new Set(requests.map(({ name }) => name)).size).toBe(requests.length);
  const stored = await world.stored();
  const bodies = new Set(stored.map(({ body }) => shaOf(body)));
  const acked = readFileSync(ackedFile, 'utf8').split('\n').filter(Boolean);
  expect(acked.length).toBe(teller.acked);
  expect(acked.map((line) => (JSON.parse(line) as Acked).sha).filter((sha) => !bodies.has(sha))).toEqual([]);
  expect(stored.filter(({ body }) => body.includes(senders.forged))).toEqual([]);
  expect(stored.length).toBe(teller.acked);
});

it('tells in each body who must be found nowhere: what is refused is of the forged sender, and nothing else is', () => {
  const refused = (answers: readonly number[]) => !answers.includes(200);
  const wrong = corpus(targets).filter(({ name, answers, body }) => {
    const isSoundElsewhere = /^a sound one at another|nonce again$/.test(name);
    if (body.includes(senders.odd)) return refused(answers) && !isSoundElsewhere;
    return body.includes(senders.forged) !== refused(answers) && body.includes('hola');
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
});
