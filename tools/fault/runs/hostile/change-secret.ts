/** An app secret is changed while the server runs, by another process: from then on the old one is worth nothing. */
import { until } from '../../stage/until.ts';
import { changedSecret, type Neighbours } from './accounts.ts';
import { metaMessage, post, senders, type Targets } from './request.ts';
import type { Tell } from './teller.ts';

const heardWithinMs = 15_000;

export async function changeSecret({ product, changing }: Neighbours, targets: Targets, tell: Tell): Promise<void> {
  const number = (name: string) => `wamid.hostile.${name}.${targets.round}`;
  const before = metaMessage(changing, senders.odd, number('before-the-change'));
  await tell(post(changing, 'before its secret is changed', before, [200], { takes: [number('before-the-change')] }));
  type Named = Parameters<typeof product.accounts.update>;
  const [workspaceId, accountId] = [changing.workspaceId as Named[0], changing.accountId as Named[1]];
  const changed = await product.accounts.update(workspaceId, accountId, { secrets: { appSecret: changedSecret } });
  if (!changed.ok) throw new Error(changed.refusal.detail);
  const after = { ...changing, appSecret: changedSecret };
  const id = number('after-the-change');
  const sound = post(after, 'with the changed secret', metaMessage(after, senders.odd, id), [200, 401], {
    takes: [id],
  });
  // Until the gateway has heard of the change it cannot know.
  await until(async () => (await tell(sound))[0] === 200, heardWithinMs, 50);
  await tell({ ...sound, name: 'with the changed secret, once it is known', answers: [200] });
  const forged = metaMessage(changing, senders.forged, number('old-secret'));
  await tell(post(changing, 'with the secret of before', forged, [401]));
}
