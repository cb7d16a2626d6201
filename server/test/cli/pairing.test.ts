/** A phone is linked in the terminal, and companions' keys are made and taken back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stage, setStage } from '../../../simulator/test/support/stage.ts';
import { type CommandLine, openCommandLine } from './world.ts';

let plain: CommandLine;
/** With the operator's leave to reach the stand-in. */
let line: CommandLine;
let stage: Stage;

beforeAll(async () => {
  plain = await openCommandLine();
  stage = await setStage();
  line = plain.with({ OUTBOUND_ALLOWED: new URL(stage.simulator.urls.evolution).host });
  await line.run('db', 'migrate');
  await line.run('workspace', 'create', 'Shop');
});
afterAll(async () => {
  await stage.close();
  await plain.close();
});

const number = '+5511900000019';

it('draws the code until the phone has scanned it', async () => {
  const { evolution } = stage.simulator.urls;
  const settings = ['--setting', 'instance=desk', '--setting', `baseUrl=${evolution}`];
  const secrets = ['--secret', 'apiKey=simulator-global-key'];
  const added = await line.run(
    ...['account', 'add', '--workspace', 'shop', '--provider', 'evolution', '--name', 'Desk', '--phone', number],
    ...settings,
    ...secrets,
  );
  expect(added.status, added.stderr).toBe(0);
  const asked = await line.json('account', 'pair', 'Desk', '--workspace', 'shop', '--no-wait');
  expect(asked).toMatchObject({ status: 0, document: { state: 'showing', account: { status: 'connecting' } } });
  await stage.control('POST', 'scan', { provider: 'evolution', number });
  const linked = await line.run('account', 'regenerate-qr', 'Desk', '--workspace', 'shop');
  expect(linked, linked.stderr).toMatchObject({ status: 0, stdout: 'Linked.\n' });
  const again = await line.run('account', 'pair', 'Desk', '--workspace', 'shop');
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('The account is connected');
});

it('draws a code of half blocks on stderr, and nothing but the result on stdout', async () => {
  const { accounts } = (await line.json<{ accounts: { id: string }[] }>('account', 'list', '--workspace', 'shop'))
    .document;
  const ended = await line.run('account', 'disconnect', accounts[0]!.id, '--workspace', 'shop');
  expect(ended.status, ended.stderr).toBe(0);
  const drawing = line.run('account', 'pair', 'Desk', '--workspace', 'shop', '--json');
  await expect
    .poll(async () => (await stage.call(`${stage.simulator.urls.phone}/control/numbers`, {})).json, { timeout: 15_000 })
    .toMatchObject({ data: [{ connection: 'connecting' }] });
  await stage.control('POST', 'scan', { provider: 'evolution', number });
  const drawn = await drawing;
  expect(drawn.status, drawn.stderr).toBe(0);
  expect(drawn.stderr).toMatch(/█▀▀▀|▄▄▄▄▄/);
  expect(JSON.parse(drawn.stdout)).toMatchObject({ state: 'connected' });
});

it('makes a key once, lists it without its secret, and takes it back', async () => {
  const made = await line.json<{ id: string; key: string }>('companion-key', 'create', 'machine one');
  const { id, key } = made.document;
  expect(key).toMatch(new RegExp(`^${id}\\.[\\w-]{43}$`));
  const listed = await line.run('companion-key', 'list', '--json');
  expect(listed.stdout).toContain(id);
  expect(listed.stdout).not.toContain(key.split('.')[1]);
  expect((await line.run('companion-key', 'revoke', id)).status).toBe(0);
  expect((await line.run('companion-key', 'revoke', id)).status).toBe(1);
  expect((await line.run('companion-key', 'revoke', 'nonsense')).status).toBe(2);
});
