/** The console as people use it: the real product, a real browser. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';

let product: WholeProduct;
let browser: Browser;
/** Cookies and local storage of a person who is logged in: logging in is slow, and too many are refused. */
let session: Awaited<ReturnType<WatchedPage['context']['storageState']>>;
let pictures: string;

const wide = { width: 1360, height: 850 };
const narrow = { width: 390, height: 844 };
const scriptName = '<img src=x onerror=alert(1)>';
const scriptText = '<script>alert(2)</script><b>bold</b>';

beforeAll(async () => {
  product = await startWhole();
  browser = await launchBrowser();
  pictures = await mkdtemp(join(tmpdir(), 'switchyard-pictures-'));
  await customerWrites('+15550109001', 'Ana', 'hola');
  await customerWrites('+15550109002', scriptName, scriptText);
  const { context, page } = await openPage(browser, product.url, { viewport: wide });
  await logIn(page, product.login.password);
  await deliveries(page).first().waitFor();
  session = await context.storageState();
  await context.close();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function customerWrites(from: string, profileName: string, text: string): Promise<void> {
  const answer = await fetch(`${product.simulatorUrl}/control/inbound`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      provider: 'meta',
      number: '+15550100101',
      from,
      profileName,
      content: { type: 'text', text },
    }),
  });
  expect(await answer.json()).toMatchObject({ outcome: 'posted', status: 200 });
}

async function logIn(page: Page, password: string): Promise<void> {
  await page.goto('/');
  await page.getByLabel('E-mail address').fill(product.login.email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const deliveries = (page: Page) => page.locator('[data-test=delivery]');
const conversationOf = (page: Page, name: string) => page.locator('[data-test=conversation]').filter({ hasText: name });

describe('logging in', () => {
  it('leads an unknown visitor to the log-in, says that a password is wrong, and comes back to the page asked for', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, allowedStatus: 401 });
    await page.goto('/accounts');
    await page.waitForURL((url) => url.pathname === '/log-in' && url.searchParams.get('from') === '/accounts');
    await page.getByLabel('E-mail address').fill(product.login.email);
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(product.login.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL((url) => url.pathname === '/accounts');
    await page.locator('[data-test=account]').first().waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL((url) => url.pathname === '/log-in');
    expect(troubles).toEqual([]);
    await context.close();
  });
});

describe('deliveries and conversations', () => {
  it('shows a delivery as it comes, every hop of its trace, its conversation, and a reply’s ticks as they move', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/deliveries');
    await deliveries(page).first().waitFor();
    await page.locator('[data-test=live]').getByText('Live', { exact: true }).waitFor();

    await customerWrites('+15550109003', 'Bruno', 'menu');
    const delivery = deliveries(page).filter({ hasText: '+15550109003' }).filter({ hasText: 'message:text' });
    await delivery.click();
    const hops = page.locator('[data-test=hop]');
    for (const name of ['Received', 'Read', 'Turn', 'Queued', 'Sending', 'Receipt'])
      await hops.getByText(name, { exact: true }).first().waitFor();
    await page.getByText('message: text').last().click();
    await page.getByRole('link', { name: 'Open the conversation' }).click();

    await page.waitForURL((url) => url.pathname.startsWith('/conversations/cnv_'));
    await page.locator('[data-test=message-in]').getByText('menu', { exact: true }).waitFor();
    const box = page.getByRole('textbox', { name: 'Reply' });
    await box.fill('A person is here');
    await box.press('Enter');
    const reply = page.locator('[data-test=message-out]').filter({ hasText: 'A person is here' });
    await reply.locator('[data-status=read]').waitFor();
    expect(await reply.count()).toBe(1);
    expect(await page.locator('[data-test=pending]').count()).toBe(0);
    await page.getByRole('button', { name: 'Hand back to the bot' }).click();
    await page.getByRole('button', { name: 'Take over' }).waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('holds the list still while it is paused, and counts what changed', async () => {
    const { context, page } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/deliveries');
    await deliveries(page).first().waitFor();
    await page.locator('[data-test=live]').getByText('Live', { exact: true }).waitFor();
    await page.locator('[data-test=pause]').click();
    await customerWrites('+15550109004', 'Carla', 'hola');
    await page.getByText(/Paused: [1-9]\d* changes? since/).waitFor();
    expect(await deliveries(page).filter({ hasText: '+15550109004' }).count()).toBe(0);
    await page.locator('[data-test=resume]').click();
    await deliveries(page).filter({ hasText: '+15550109004' }).first().waitFor();
    await context.close();
  });

  it('shows what customers write as text, never as a page', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/conversations');
    await conversationOf(page, scriptName).click();
    await page.getByRole('heading', { name: scriptName }).waitFor();
    const text = page.locator('[data-test=message-in] [data-test=text]').first();
    await text.waitFor();
    expect(await text.textContent()).toBe(scriptText);
    expect(await page.locator('main img, main b, main script').count()).toBe(0);
    expect(troubles).toEqual([]);
    await context.close();
  });
});

describe('accounts and keys', () => {
  it('names the field that is missing, and connects an account with the address to give the provider', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/accounts');
    await page.getByRole('button', { name: 'Add an account' }).click();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('This is needed.').first().waitFor();
    await page.getByLabel('Phone number ID').fill('100000000000999');
    await page.getByLabel('Access token').fill('a token of a test');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('Connected. Give the provider this webhook address:').waitFor();
    expect(await page.getByLabel('Webhook address').inputValue()).toContain('/webhooks/meta/whatsapp/');
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('shows the secret of a new key once, and revokes it', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/settings');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('Till');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = await page.getByRole('dialog').getByLabel('API keys').inputValue();
    const asked = await fetch(`${product.url}/api/v1/accounts`, { headers: { authorization: `Bearer ${secret}` } });
    expect(asked.status).toBe(200);
    await page.getByRole('button', { name: 'Done' }).click();
    const row = page.locator('[data-test=api-key]').filter({ hasText: 'Till' });
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked').waitFor();
    expect(await page.content()).not.toContain(secret);
    const after = await fetch(`${product.url}/api/v1/accounts`, { headers: { authorization: `Bearer ${secret}` } });
    expect(after.status).toBe(401);
    expect(troubles).toEqual([]);
    await context.close();
  });
});

describe('what is kept of people', () => {
  it('exports a contact as a file, erases them when somebody confirms, and shows the receipt', async () => {
    await customerWrites('+15550109077', 'Erna', 'forget me');
    const { context, page, troubles } = await openPage(browser, product.url, {
      ...{ viewport: wide, storageState: session, acceptDownloads: true },
    });
    await page.goto('/conversations');
    await conversationOf(page, 'Erna').click();
    await page.getByRole('heading', { name: 'Erna' }).waitFor();
    await page.getByRole('button', { name: 'Data of this contact' }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Export all data' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^con_[0-9a-f]{32}\.json$/);
    expect(await readFile(await file.path(), 'utf8')).toContain('forget me');

    await page.getByRole('button', { name: 'Data of this contact' }).click();
    await page.getByRole('menuitem', { name: 'Erase the contact' }).click();
    await page.screenshot({ path: join(pictures, 'erase, asked.png') });
    await page.getByRole('dialog').getByRole('button', { name: 'Erase the contact' }).click();
    await page.getByText('Hidden at once').first().waitFor();
    await conversationOf(page, 'Erna').waitFor({ state: 'detached' });

    await page.goto('/settings');
    await page.locator('[data-test=erasure]').filter({ hasText: 'Erased' }).first().waitFor({ timeout: 30_000 });
    expect(await page.locator('[data-test=erasures]').textContent()).not.toContain('Erna');
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('shows what another policy would take before it is saved', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/settings');
    const section = page.locator('[data-test=retention]');
    const days = section.getByLabel('Raw deliveries, in days');
    await days.fill('7');
    await days.blur();
    await section.getByText('The next run takes 0 raw deliveries').waitFor();
    await section.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. It counts from the next run on.').first().waitFor();
    await page.reload();
    expect(await section.getByLabel('Raw deliveries, in days').inputValue()).toBe('7');
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('says of an account whether it was compared with what its provider keeps', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/accounts');
    const account = page.locator('[data-test=account]').filter({ hasText: 'Twilio' }).first();
    await account.getByText('Not yet compared with what the provider keeps.').waitFor();
    await account.getByRole('button', { name: 'Look for lost messages' }).click();
    await page.getByText('The provider is being asked.').first().waitFor();
    await account.getByText(/Compared .*: 0 recovered/).waitFor({ timeout: 30_000 });
    expect(troubles).toEqual([]);
    await context.close();
  });
});

/** The rules of accessibility do not hang on width or language, and checking them is slow: once by day, once by night. */
const looks = [
  { name: 'wide light', viewport: wide, colorScheme: 'light', language: 'en', isChecked: true },
  { name: 'wide dark', viewport: wide, colorScheme: 'dark', language: 'en', isChecked: true },
  {
    name: 'narrow light, from right to left',
    viewport: narrow,
    colorScheme: 'light',
    language: 'ar',
    isChecked: false,
  },
  { name: 'narrow dark', viewport: narrow, colorScheme: 'dark', language: 'es', isChecked: false },
] as const;

describe('looks', () => {
  it.each(looks)('is usable by all, fits and asks no other host: $name', async (look) => {
    const { name, language, isChecked, ...options } = look;
    const { context, page, troubles } = await openPage(browser, product.url, { ...options, storageState: session });
    await context.addInitScript((chosen) => localStorage.setItem('switchyard-language', chosen), language);
    for (const [title, open] of Object.entries(pagesToLookAt)) {
      await open(page);
      await page.screenshot({ path: join(pictures, `${name}, ${title}.png`) });
      if (isChecked) expect(await wronged(page), `${title}: rules of accessibility`).toEqual([]);
      const isTooWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
      expect(isTooWide, `${title}: wider than the window`).toBe(false);
    }
    const { dir, lang } = (await page.evaluate(
      '({ dir: document.documentElement.dir, lang: document.documentElement.lang })',
    )) as { dir: string; lang: string };
    expect({ dir, lang }).toEqual({ dir: language === 'ar' ? 'rtl' : 'ltr', lang: language });
    expect(troubles).toEqual([]);
    await context.close();
  });
});

const pagesToLookAt: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  deliveries: async (page) => {
    await page.goto('/deliveries');
    await deliveries(page).first().waitFor();
  },
  trace: async (page) => {
    await deliveries(page).filter({ hasText: 'message:text' }).first().click();
    await page.locator('[data-test=hop]').first().waitFor();
  },
  conversations: async (page) => {
    await page.goto('/conversations');
    await conversationOf(page, 'Ana').waitFor();
  },
  thread: async (page) => {
    await conversationOf(page, 'Ana').click();
    await page.locator('[data-test=message-out]').first().waitFor();
  },
  accounts: async (page) => {
    await page.goto('/accounts');
    await page.locator('[data-test=account]').first().waitFor();
  },
  settings: async (page) => {
    await page.goto('/settings');
    await page.getByText(product.login.email).last().waitFor();
  },
  'log-in': async (page) => {
    await page.goto('/log-in');
    await page.locator('input[name=password]').waitFor();
  },
};

/** Serious and critical ones, in one line each. Rows that have just come are still fading in: they are let finish. */
async function wronged(page: Page): Promise<string[]> {
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished))',
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`));
}
