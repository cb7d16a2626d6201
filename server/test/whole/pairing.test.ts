/** Linking a phone as people do it: the real product, a real browser, the stand-in providers. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';

let product: WholeProduct;
let browser: Browser;
let session: Awaited<ReturnType<WatchedPage['context']['storageState']>>;

const wide = { width: 1360, height: 850 };
const narrow = { width: 390, height: 844 };

beforeAll(async () => {
  product = await startWhole();
  browser = await launchBrowser();
  const { context, page } = await openPage(browser, product.url, { viewport: wide });
  await page.goto('/');
  await page.getByLabel('E-mail address').fill(product.login.email);
  await page.getByLabel('Password', { exact: true }).fill(product.login.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname !== '/log-in');
  session = await context.storageState();
  await context.close();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function control(method: 'POST' | 'PUT', path: string, body: object): Promise<void> {
  const answer = await fetch(`${product.simulatorUrl}/control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.status]).toEqual([path, 200]);
}

const card = (page: Page, name: string) => page.locator('[data-test=account]').filter({ hasText: name });

async function openPairing(page: Page, name: string): Promise<void> {
  await card(page, name)
    .getByRole('button', { name: `Actions for ${name}` })
    .click();
  await page.getByRole('menuitem', { name: 'Link a phone' }).click();
}

it.each([
  ['webjs', 'Demo on the web companion', '+15550100105', wide, 'light'],
  ['evolution', 'Demo on Evolution API v2', '+15550100103', wide, 'dark'],
  ['evolution', 'Demo on Evolution API v1', '+15550100104', narrow, 'light'],
] as const)(
  'links %s by QR code, %s, and sees it become connected live',
  async (provider, name, number, viewport, scheme) => {
    await control('PUT', 'faults', { rules: [{ kind: 'disconnect', provider, number }] });
    const { context, page, troubles } = await openPage(browser, product.url, {
      viewport,
      storageState: session,
      colorScheme: scheme,
    });
    await page.goto('/accounts');
    await card(page, name).waitFor();
    await openPairing(page, name);
    await page.getByRole('button', { name: /Show a QR code|New code/ }).click();
    await page.locator('[data-test=qr] :is(svg, img)').waitFor();
    const countdown = page.locator('[data-test=countdown]');
    expect(await countdown.textContent()).toMatch(/^\d:\d\d$/);
    const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    const isScrolling = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect(isScrolling).toBe(false);
    if (process.env.PICTURES)
      await page.screenshot({ path: `${process.env.PICTURES}/${provider}-${scheme}-${viewport.width}.png` });
    await control('POST', 'scan', { provider, number });
    await page.getByText('Linked. Messages come in from now on.').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await card(page, name).locator('[data-test=status]').getByText('Connected').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  },
);

it('sets the send gate, takes it back, and says in the thread why an answer waits', async () => {
  const [name, number, from] = ['Demo on Evolution API v2', '+15550100103', '+15550109031'] as const;
  await control('PUT', 'faults', { rules: [] });
  const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
  await page.goto('/accounts');
  await card(page, name).getByRole('link').first().click();
  const gate = page.locator('[data-test=gate]');
  const quota = gate.getByLabel('Messages a day');
  const save = async () => {
    await quota.fill('0');
    await gate.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The send gate is changed.').first().waitFor();
  };
  await save();
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await expect.poll(() => quota.inputValue()).toBe('');
  await page.reload();
  await expect.poll(() => quota.inputValue()).toBe('');
  await save();
  await page.reload();
  await expect.poll(() => quota.inputValue()).toBe('0');

  const inbound = {
    provider: 'evolution',
    number,
    from,
    profileName: 'Greta',
    content: { type: 'text', text: 'hola' },
  };
  await control('POST', 'inbound', inbound);
  await page.goto('/conversations');
  await page.locator('[data-test=conversation]').filter({ hasText: 'Greta' }).click();
  await page.locator('[data-test=message-in]').getByText('hola', { exact: true }).waitFor();
  const held = page.locator('[data-test=held]').first();
  await held.getByText('Waits: the day’s quota of 0 messages is used up').waitFor();
  expect(troubles).toEqual([]);
  await context.close();
});
