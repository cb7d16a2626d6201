/** The webhook of an account in the console: its tokens, and what stands at the provider, against the stand-ins. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';

let product: WholeProduct;
let browser: Browser;
let session: Exclude<BrowserContextOptions['storageState'], string | undefined>;
let pictures: string;

const wide = { width: 1360, height: 1200 };
const narrow = { width: 390, height: 1600 };

beforeAll(async () => {
  [product, browser, pictures] = await Promise.all([
    startWhole(),
    launchBrowser(),
    mkdtemp(join(tmpdir(), 'switchyard-pictures-')),
  ]);
  const { context, page } = await openPage(browser, product.url, { viewport: wide });
  await page.goto('/');
  await page.getByLabel('E-mail address').fill(product.login.email);
  await page.getByLabel('Password', { exact: true }).fill(product.login.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname === '/deliveries');
  session = await context.storageState();
  await context.close();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function openAccount(page: Page, name: string): Promise<void> {
  await page.goto('/accounts');
  await page.getByRole('link', { name, exact: true }).click();
  await page.locator('[data-test=webhook-panel] button').first().click();
  await page.locator('[data-test=token]').first().waitFor();
}

async function customerWrites(): Promise<void> {
  await fetch(`${product.simulatorUrl}/control/inbound`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ provider: 'evolution', number: '+15550100103', from: '+15550109010' },
      content: { type: 'text', text: 'hola' },
    }),
  });
}

it('rotates a token, sets the new address at the provider, tests it, and takes both steps back', async () => {
  const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
  await openAccount(page, 'Demo on Evolution API v2');
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const match = (name: string) => page.locator(`[data-match=${name}]`).waitFor();
  const token = page.locator('[data-test=token]');
  const addressOf = (index: number) => token.nth(index).getByLabel('Webhook address').inputValue();
  const first = await addressOf(0);
  expect(first).toMatch(/\/webhooks\/evolution\/whatsapp\/[\w-]{43}$/);
  await press('Ask what is set');
  await match('current');

  await press('New token');
  await token.nth(1).waitFor();
  expect(await addressOf(1)).toBe(first);
  expect(await addressOf(0)).not.toBe(first);
  await press('Ask what is set');
  await match('replaced');
  await press('Set it there');
  await match('current');
  await customerWrites();
  await press('Send a test');
  await page
    .getByText(/The test was answered 200 in \d+ ms\./)
    .first()
    .waitFor();
  await press('Put back what was there');
  await match('replaced');
  await press('Undo the new token');
  await expect.poll(() => addressOf(0), { timeout: 10_000 }).toBe(first);

  await press('Retire now');
  await token.nth(1).waitFor({ state: 'detached' });
  expect(troubles).toEqual([]);
  await context.close();
});

it('says how it is done by hand where no call can', async () => {
  const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
  await openAccount(page, 'Demo on the web companion');
  await page.getByText('By hand, step by step').click();
  await page.getByText('Give the companion this address').waitFor();
  await page.getByRole('button', { name: 'Ask what is set' }).click();
  await page.locator('[data-test=found]').waitFor();
  expect(await page.getByRole('button', { name: 'Set it there' }).count()).toBe(0);
  expect(troubles).toEqual([]);
  await context.close();
});

it.each([
  { name: 'wide light', viewport: wide, colorScheme: 'light', language: 'en' },
  { name: 'narrow dark', viewport: narrow, colorScheme: 'dark', language: 'ar' },
] as const)('is usable by all and fits: $name', async ({ name, language, ...options }) => {
  const { context, page, troubles } = await openPage(browser, product.url, { ...options, storageState: session });
  await context.addInitScript((chosen) => localStorage.setItem('switchyard-language', chosen), language);
  await openAccount(page, 'Demo on WhatsApp Cloud API');
  const panel = page.locator('[data-test=webhook-panel]');
  await panel.locator('[data-test=provider-webhook] button').first().click();
  await panel.locator('[data-test=found]').waitFor();
  await panel.locator('summary').click();
  await panel.scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  const { violations } = await new AxeBuilder({ page }).include('[data-test=webhook-panel]').analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth > window.innerWidth')).toBe(false);
  expect(troubles).toEqual([]);
  await context.close();
});
