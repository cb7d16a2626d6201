/** The first day of a new workspace, from nothing to five connected numbers: once in the console, once by API and CLI. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '#cli';
import { createCommandDeps } from '#compose';
import { listen, stopListening } from '../api/listening.ts';
import { launchBrowser, openPage, patienceMs, tabTo, wronged } from '../support/browser.ts';
import { type FirstAccount, firstAccounts, secretNames } from '../support/first-accounts.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';

let product: WholeProduct;
let browser: Browser;
let firstPort: number;

const wide = { width: 1360, height: 1000 };
const password = 'a password of ten';
const nextPassword = 'another one of ten';

beforeAll(async () => {
  [product, browser] = await Promise.all([startWhole(), launchBrowser()]);
  firstPort = Number(new URL(product.simulatorUrl).port);
}, 180_000);

afterAll(async () => {
  stopListening();
  await browser?.close();
  await product?.stop();
});

async function control(method: 'POST' | 'PUT', path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${product.simulatorUrl}/control/${path}`, {
    ...{ method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  });
  const told = await answer.json();
  expect([path, answer.status, told]).toEqual([path, 200, told]);
  return told;
}

/** The stand-in calls that address from now on. */
function putNumber({ provider, number, name, ids, secrets }: FirstAccount, webhookUrl: string): Promise<unknown> {
  return control('PUT', 'numbers', { provider, number, name, webhookUrl, ids, secrets });
}

async function customerWrites({ provider, number }: FirstAccount, text: string): Promise<void> {
  const from = provider === 'instagram' ? '17890000000009' : '+15550109100';
  const content = { type: 'text', text };
  const posted = await control('POST', 'inbound', { provider, number, from, profileName: 'Ana', content });
  expect(posted).toMatchObject({ outcome: 'posted', status: 200 });
}

const phoneIsOff = ({ provider, number }: FirstAccount) =>
  control('PUT', 'faults', { rules: [{ kind: 'disconnect', provider, number }] });
const phoneScans = ({ provider, number }: FirstAccount) => control('POST', 'scan', { provider, number });

describe('in the console', () => {
  const card = (page: Page, name: string) => page.locator('[data-test=account]').filter({ hasText: name });
  const statusOf = (page: Page, name: string) => card(page, name).locator('[data-test=status]');
  const open = (page: Page, name: string) => card(page, name).getByRole('link').first().click();
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  let accounts: readonly FirstAccount[];
  type LoggedIn = Exclude<BrowserContextOptions['storageState'], string | undefined>;
  const noor = 'noor@example.com';
  let owner: LoggedIn;
  let colleague: LoggedIn;

  async function logIn(page: Page, email: string, secret: string): Promise<void> {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(secret);
    await press(page, 'Log in');
    await page.waitForURL((url) => url.pathname !== '/log-in');
  }

  /** Gives the webhook address that is shown. */
  async function addAccount(page: Page, account: FirstAccount): Promise<string> {
    await page.getByRole('button', { name: 'Add an account' }).first().click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Provider').click();
    await page.getByRole('option', { name: account.label, exact: true }).click();
    await form.getByLabel('Name', { exact: true }).fill(account.name);
    if (account.provider !== 'instagram') await form.getByLabel('Phone number', { exact: true }).fill(account.number);
    for (const { label, value } of account.fields) await form.getByLabel(label, { exact: true }).fill(value);
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    const address = await form.getByLabel('Webhook address').inputValue();
    await form.getByRole('button', { name: 'Done' }).click();
    return address;
  }

  it('makes a workspace, and asks a colleague in by link', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide });
    await page.goto('/');
    await logIn(page, product.login.email, product.login.password);
    await press(page, 'New workspace');
    await page.getByRole('dialog').getByLabel('Name').fill('Bazaar Norte');
    await press(page, 'Make it');
    await page.getByText('No accounts yet').waitFor();
    await page.getByRole('combobox', { name: 'Workspace' }).getByText('Bazaar Norte').waitFor();
    owner = await context.storageState();

    await page.goto('/members');
    await press(page, 'Invite');
    await page.getByLabel('E-mail address').fill(noor);
    await press(page, 'Make the link');
    const link = await page.getByLabel('Invitation link').inputValue();
    const guest = await openPage(browser, product.url, { viewport: wide });
    await guest.page.goto(link);
    await guest.page.getByRole('heading', { name: 'Join Bazaar Norte' }).waitFor();
    await guest.page.getByLabel('Your name').fill('Noor');
    await guest.page.getByLabel('Password', { exact: true }).fill(password);
    await press(guest.page, 'Join');
    await guest.page.getByText('You have joined. Log in now.').waitFor();
    await logIn(guest.page, noor, password);
    colleague = await guest.context.storageState();
    expect([...troubles, ...guest.troubles]).toEqual([]);
    await context.close();
    await guest.context.close();
  });

  it('adds an account of each provider, and the colleague’s page hears of each', async () => {
    accounts = firstAccounts('072', firstPort);
    const watching = await openPage(browser, product.url, { viewport: wide, storageState: colleague });
    await watching.page.goto('/accounts');
    await watching.page.getByText('No accounts yet').waitFor();
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/accounts');
    for (const account of accounts) await putNumber(account, await addAccount(page, account));
    for (const { name } of accounts) {
      await card(page, name).waitFor();
      await card(watching.page, name).waitFor();
    }
    expect(await watching.page.getByRole('button', { name: 'Add an account' }).count()).toBe(0);
    expect([...troubles, ...watching.troubles]).toEqual([]);
    await context.close();
    await watching.context.close();
  });

  it('lets the colleague change their password, and log in with the new one', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, {
      ...{ viewport: wide, storageState: colleague },
    });
    await page.goto('/security');
    await page.getByLabel('Present password').fill(password);
    await page.getByLabel('New password', { exact: true }).fill(nextPassword);
    await page.getByLabel('New password, once more').fill('something else');
    await press(page, 'Change the password');
    await page.getByText('The two are not the same.').waitFor();
    await page.getByLabel('New password, once more').fill(nextPassword);
    await press(page, 'Change the password');
    await page.getByText('The password is changed.').first().waitFor();
    await press(page, 'Log out');
    await logIn(page, noor, nextPassword);
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('links a phone by the keyboard alone, while another browser sees it become connected', async () => {
    const web = accounts[4]!;
    await phoneIsOff(web);
    const watching = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await watching.page.goto('/accounts');
    await statusOf(watching.page, web.name).getByText('Disconnected').waitFor();
    await watching.page.locator('[data-test=live]').getByText('Live', { exact: true }).waitFor();

    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/accounts');
    await tabTo(page.getByRole('button', { name: `Actions for ${web.name}` }));
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Link a phone' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await expect
      .poll(
        async () => {
          const isThere = await page.getByRole('menuitem', { name: 'Link a phone' }).getAttribute('data-highlighted');
          if (isThere === null) await page.keyboard.press('ArrowUp');
          return isThere !== null;
        },
        { timeout: patienceMs },
      )
      .toBe(true);
    await page.keyboard.press('Enter');
    await tabTo(page.getByRole('button', { name: 'Show a QR code' }));
    await page.keyboard.press('Enter');
    await page.locator('[data-test=qr] :is(svg, img)').waitFor();
    await phoneScans(web);
    await page.getByText('Linked. Messages come in from now on.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await statusOf(watching.page, web.name).getByText('Connected', { exact: true }).waitFor();
    expect([...troubles, ...watching.troubles]).toEqual([]);
    await context.close();
    await watching.context.close();
  });

  it('opens the form of a new account, chooses its provider and is told what is missing, by the keyboard alone', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/accounts');
    const opener = page.getByRole('button', { name: 'Add an account' }).first();
    await tabTo(opener);
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog');
    await tabTo(form.getByLabel('Provider'));
    await page.keyboard.press('Enter');
    await page.keyboard.type('Twi');
    await page.keyboard.press('Enter');
    await tabTo(form.getByLabel('Account SID'));
    await page.keyboard.type('not an SID');
    await tabTo(form.getByRole('button', { name: 'Connect', exact: true }));
    await page.keyboard.press('Enter');
    await form.getByText('This is needed.').first().waitFor();
    expect(await wronged(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await form.waitFor({ state: 'detached' });
    expect(await opener.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('names another primary, rotates a token while webhooks come on both, disconnects and connects again', async () => {
    const [cloud, , twilio] = accounts as readonly [FirstAccount, FirstAccount, FirstAccount];
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/accounts');
    await card(page, cloud.name).locator('[data-test=primary]').waitFor();
    await page.getByRole('button', { name: `Actions for ${twilio.name}` }).click();
    await page.getByRole('menuitem', { name: 'Make primary' }).click();
    await card(page, twilio.name).locator('[data-test=primary]').waitFor();
    await card(page, cloud.name).locator('[data-test=primary]').waitFor({ state: 'detached' });

    await open(page, cloud.name);
    const status = page.locator('[data-test=account-page] [data-test=status]').first();
    const tokens = page.locator('[data-test=token]');
    await press(page, 'Show addresses');
    await tokens.first().waitFor();
    await press(page, 'New token');
    await tokens.nth(1).waitFor();
    await customerWrites(cloud, 'to the old address');
    await status.getByText('Connected', { exact: true }).waitFor();
    await putNumber(cloud, await tokens.first().getByLabel('Webhook address').inputValue());
    await customerWrites(cloud, 'to the new address');
    await page.reload();
    await press(page, 'Show addresses');
    await tokens.nth(1).waitFor();

    await press(page, 'Disconnect');
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click();
    await status.getByText('Disconnected', { exact: true }).waitFor();
    await press(page, 'Connect');
    await status.getByText('Connecting', { exact: true }).waitFor();
    await customerWrites(cloud, 'and back');
    await status.getByText('Connected', { exact: true }).waitFor();
    await page.goto('/deliveries');
    await page.locator('[data-test=delivery]').filter({ hasText: 'message: text' }).nth(2).waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('keeps the workspace’s time zone, counts its days by it, and makes a key that ends', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/settings');
    const section = page.locator('[data-test=workspace]');
    await section.getByRole('button', { name: 'Time zone' }).click();
    await page.keyboard.type('Madrid');
    await page.getByRole('option', { name: 'Europe/Madrid' }).click();
    await section.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The workspace is changed.').first().waitFor();
    await press(page, 'New key');
    await page.getByRole('dialog').getByLabel('Name').fill('Till');
    await press(page, 'Make the key');
    await press(page, 'Done');
    await page.locator('[data-test=api-key]').getByText(/ends /).waitFor();
    expect(await wronged(page)).toEqual([]);
    await page.goto('/accounts');
    await page.locator('[data-test=end]').filter({ hasText: 'Till' }).waitFor();
    await open(page, accounts[0]!.name);
    const statistics = page.locator('[data-test=statistics]');
    await statistics.getByText('Europe/Madrid').waitFor();
    await statistics.getByText('As a table').click();
    expect(Number(await statistics.locator('tbody tr td').first().textContent())).toBe(3);
    expect(troubles).toEqual([]);
    await context.close();
  });
});

describe('by API and CLI', () => {
  const workspace = 'bazaar-sur';
  let accounts: readonly FirstAccount[];

  async function cli<Document>(...args: readonly string[]): Promise<Document> {
    const words = { result: '', note: '' };
    const env = { SWITCHYARD_DATA: product.dataFolder, PORT: new URL(product.url).port, SWITCHYARD_LOG: 'silent' };
    const output = {
      result(text: string) {
        words.result += text;
      },
      note(text: string) {
        words.note += text;
      },
    };
    const deps = await createCommandDeps({ env, output, confirm: async () => true, signals: process });
    const status = await runCli([...args, '--json'], deps);
    expect([args.join(' '), status, words.note]).toEqual([args.join(' '), 0, words.note]);
    return JSON.parse(words.result) as Document;
  }

  const asker = (headers: Readonly<Record<string, string>>) =>
    async function ask<Document>(method: string, path: string, body: object = {}): Promise<Document> {
      const hasBody = method !== 'GET';
      const answer = await fetch(`${product.url}/api/v1${path}`, {
        method,
        headers: { ...headers, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
        ...(hasBody ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      expect([method, path, answer.ok, text]).toEqual([method, path, true, text]);
      return (text ? JSON.parse(text) : null) as Document;
    };

  interface Shown {
    readonly id: string;
    readonly name: string;
    readonly isPrimary: boolean;
    readonly status: string;
    readonly webhookUrl: string;
  }

  const valuesOf = ({ fields }: FirstAccount, areSecret: boolean) =>
    fields.filter(({ name }) => secretNames.has(name) === areSecret).map(({ name, value }) => [name, value] as const);

  /** A new owner, by the link that the CLI gives; a key of theirs asks from then on. */
  async function beginWorkspace() {
    await cli('workspace', 'create', 'Bazaar Sur');
    const invited = await cli<{ link: string }>(
      'member',
      'invite',
      'sol@example.com',
      '--workspace',
      workspace,
      '--role',
      'owner',
    );
    const anyone = asker({ origin: product.url });
    await anyone('POST', '/invitations/accept', { token: invited.link.split('#')[1], name: 'Sol', password });
    const answer = await fetch(`${product.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: product.url },
      body: JSON.stringify({ email: 'sol@example.com', password }),
    });
    const me = (await answer.json()) as { workspaces: { id: string }[] };
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const inBrowser = asker({ cookie, origin: product.url, 'x-switchyard-workspace': me.workspaces[0]!.id });
    await inBrowser('POST', '/invitations', { email: 'luz@example.com', role: 'agent' });
    const scopes = ['read', 'write', 'tokens:read', 'tokens:write'];
    const { secret } = await inBrowser<{ secret: string }>('POST', '/api-keys', { name: 'first day', scopes });
    return { authorization: `Bearer ${secret}` };
  }

  it('goes the same way', async () => {
    accounts = firstAccounts('083', firstPort);
    const [cloud, , twilio, , web] = accounts as readonly FirstAccount[] & {
      readonly 0: FirstAccount;
      readonly 2: FirstAccount;
      readonly 4: FirstAccount;
    };
    const headers = await beginWorkspace();
    const ask = asker(headers);
    for (const account of accounts.slice(0, 4)) {
      const { provider, name, number } = account;
      const made = await ask<Shown>('POST', '/accounts', {
        ...{ provider, name, isActive: true, ...(provider === 'instagram' ? {} : { phoneNumber: number }) },
        ...{
          settings: Object.fromEntries(valuesOf(account, false)),
          secrets: Object.fromEntries(valuesOf(account, true)),
        },
      });
      await putNumber(account, made.webhookUrl);
    }
    const flags = (flag: string, areSecret: boolean) =>
      valuesOf(web, areSecret).flatMap(([name, value]) => [flag, `${name}=${value}`]);
    const added = await cli<Shown & { account?: Shown }>(
      ...['account', 'add', '--workspace', workspace, '--provider', 'webjs', '--name', web.name, '--phone', web.number],
      ...[...flags('--setting', false), ...flags('--secret', true), '--active'],
    );
    await putNumber(web, added.webhookUrl);
    const listed = async () => (await ask<{ data: Shown[] }>('GET', '/accounts')).data;
    const named = async (name: string) => (await listed()).find((one) => one.name === name)!;
    expect((await listed()).map(({ name }) => name).sort()).toEqual(accounts.map(({ name }) => name).sort());

    const heard = await listen(Number(new URL(product.url).port), headers);
    await phoneIsOff(web);
    const { id: webId } = await named(web.name);
    await ask('POST', `/accounts/${webId}/regenerate-qr`);
    const pairing = () => ask<{ state: string }>('GET', `/accounts/${webId}/pairing`);
    await expect.poll(async () => (await pairing()).state, { timeout: patienceMs }).toBe('showing');
    await phoneScans(web);
    await expect.poll(async () => (await named(web.name)).status, { timeout: patienceMs }).toBe('connected');
    expect(heard.changes()).toContainEqual(expect.objectContaining({ topic: 'account' }));

    await cli('account', 'set-primary', (await named(twilio.name)).id, '--workspace', workspace);
    expect(await named(twilio.name)).toMatchObject({ isPrimary: true });
    expect(await named(cloud.name)).toMatchObject({ isPrimary: false });

    const { id } = await named(cloud.name);
    const rotated = await ask<{ webhookUrl: string }>('POST', `/accounts/${id}/rotate-token`);
    await customerWrites(cloud, 'to the old address');
    await putNumber(cloud, rotated.webhookUrl);
    await customerWrites(cloud, 'to the new address');
    const { tokens } = await ask<{ tokens: unknown[] }>('GET', `/accounts/${id}/webhook`);
    expect(tokens).toHaveLength(2);
    await expect.poll(async () => (await named(cloud.name)).status, { timeout: patienceMs }).toBe('connected');

    await cli('account', 'disconnect', id, '--workspace', workspace);
    expect(await named(cloud.name)).toMatchObject({ status: 'disconnected' });
    expect(await ask('POST', `/accounts/${id}/reconnect`)).toMatchObject({ status: 'connecting' });
    await customerWrites(cloud, 'and back');
    await expect.poll(async () => (await named(cloud.name)).status, { timeout: patienceMs }).toBe('connected');
  });
});
