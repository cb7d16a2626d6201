/** People in the console: joining by a link, sessions, second factor, members, the audit log; in a real browser. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, stepAt } from '#workspaces';
import { bytesOfBase32 } from '../support/base32.ts';
import { launchBrowser, openPage, type WatchedPage, wronged } from '../support/browser.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';

let product: WholeProduct;
let browser: Browser;
/** The demo's owner. */
let owner: Awaited<ReturnType<WatchedPage['context']['storageState']>>;
let pictures: string;

const wide = { width: 1360, height: 850 };
const narrow = { width: 390, height: 844 };
const password = 'a password of ten';
const scriptName = '<img src=x onerror=alert(1)>';

beforeAll(async () => {
  product = await startWhole();
  browser = await launchBrowser();
  pictures = await mkdtemp(join(tmpdir(), 'switchyard-pictures-'));
  const { context, page } = await openPage(browser, product.url, { viewport: wide });
  await page.goto('/members');
  await logIn(page, product.login.email, product.login.password);
  await members(page).first().waitFor();
  owner = await context.storageState();
  await context.close();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

const members = (page: Page) => page.locator('[data-test=member]');
const entries = (page: Page) => page.locator('[data-test=audit-entry]');
const sessions = (page: Page) => page.locator('[data-test=session]');

async function logIn(page: Page, email: string, secret: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** As the owner, in the console: gives the link. */
async function invite(email: string, role: string): Promise<string> {
  const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
  await page.goto('/members');
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByRole('button', { name: 'Make the link' }).click();
  await page.getByText('Write an e-mail address.').waitFor();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('radio', { name: role }).click();
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByLabel('Invitation link').inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator('[data-test=invitation]').filter({ hasText: email }).waitFor();
  expect(await page.content()).not.toContain(link.split('#')[1]);
  expect(troubles).toEqual([]);
  await context.close();
  return link;
}

/** By the link, in a browser that knows nobody; ends logged in. */
async function joinBy(link: string, email: string, name: string): Promise<WatchedPage> {
  const watched = await openPage(browser, product.url, { viewport: wide });
  const { page } = watched;
  await page.goto(link);
  await page.getByRole('heading', { name: 'Join Demo shop' }).waitFor();
  expect(new URL(page.url()).hash).toBe('');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('A password has at least 10 characters.').waitFor();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('You have joined. Log in now.').waitFor();
  expect(await page.getByLabel('E-mail address').inputValue()).toBe(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname === '/deliveries');
  return watched;
}

describe('an invitation', () => {
  it('is made in the console, accepted once by its link, and its script is only text', async () => {
    const email = 'noor@example.com';
    const link = await invite(email, 'Agent');
    const { context, page, troubles } = await joinBy(link, email, scriptName);
    expect(await page.getByRole('link', { name: 'Members' }).count()).toBe(0);
    expect(troubles).toEqual([]);
    await context.close();

    const late = await openPage(browser, product.url, { viewport: wide, allowedStatus: 410 });
    await late.page.goto(link);
    await late.page.getByRole('alert').getByText('This invitation was used').waitFor();
    await late.context.close();

    const {
      context: second,
      page: list,
      troubles: wrong,
    } = await openPage(browser, product.url, {
      viewport: wide,
      storageState: owner,
    });
    await list.goto('/members');
    const row = members(list).filter({ hasText: email });
    await row.getByText(scriptName).waitFor();
    await row.getByRole('combobox').click();
    await list.getByRole('option', { name: 'Viewer' }).click();
    await expect.poll(() => row.getByRole('combobox').textContent()).toContain('Viewer');
    await row.getByRole('button', { name: 'Remove' }).click();
    await list.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    await list.goto('/audit');
    const change = entries(list).filter({ hasText: 'change-role' }).first();
    await change.getByText('Fields').click();
    await change.getByText('"viewer"').waitFor();
    expect(wrong).toEqual([]);
    await second.close();
  });
});

describe('one’s own security', () => {
  it('lists sessions, ends another one at once, and leads its browser to the log-in', async () => {
    const email = 'sam@example.com';
    const first = await joinBy(await invite(email, 'Agent'), email, 'Sam');
    const other = await openPage(browser, product.url, { viewport: wide, allowedStatus: 401 });
    await other.page.goto('/security');
    await logIn(other.page, email, password);
    await sessions(other.page).first().waitFor();
    await first.page.goto('/security');
    await sessions(first.page).filter({ hasText: 'This browser' }).waitFor();
    await first.page.getByRole('button', { name: 'End', exact: true }).click();
    await expect.poll(() => sessions(first.page).count()).toBe(1);
    await other.page.goto('/conversations');
    await other.page.waitForURL((url) => url.pathname === '/log-in');
    expect([...first.troubles, ...other.troubles]).toEqual([]);
    await first.context.close();
    await other.context.close();
  });

  it('turns a second factor on with a code, logs in in two steps, and takes a recovery code', async () => {
    const email = 'ines@example.com';
    const { context, page, troubles } = await joinBy(await invite(email, 'Agent'), email, 'Inés');
    await page.goto('/security');
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
    const secret = bytesOfBase32(await page.getByLabel('Secret').inputValue());
    await page.getByLabel('Code', { exact: true }).fill(codeOf(secret, stepAt(new Date())));
    await page.getByRole('dialog').getByRole('button', { name: 'Turn on' }).click();
    await page.locator('[data-test=recovery-codes]').waitFor();
    const codes = await page.locator('[data-test=recovery-codes] li').allTextContents();
    expect(codes).toHaveLength(10);
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('10 recovery codes left').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await logIn(page, email, password);
    await page.getByLabel('Code of your authenticator app').fill(codes[0] ?? '');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL((url) => url.pathname === '/deliveries');
    await page.goto('/security');
    await page.getByText('9 recovery codes left').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('asks again who one is before a dangerous act, and then does it', async () => {
    const { context, page } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/members');
    await members(page).first().waitFor();
    await refuseOnce(page, '**/api/v1/invitations');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByLabel('E-mail address').fill('later@example.com');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByLabel('Password or six-digit code').fill('not the password');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    await page.getByLabel('Password or six-digit code').fill(product.login.password);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByLabel('Invitation link').waitFor();
    await context.close();
  });

  it('asks the same before new secrets of an account are kept, and not before its name is', async () => {
    const looking = { viewport: wide, storageState: owner, allowedStatus: 403 };
    const { context, page, troubles } = await openPage(browser, product.url, looking);
    await page.goto('/accounts');
    await page.getByRole('link', { name: 'Demo on Evolution API v2' }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByLabel('API key', { exact: true }).fill('another key');
    await refuseOnce(page, '**/api/v1/accounts/*');
    await page.getByRole('button', { name: 'Save' }).click();
    const proof = page.getByLabel('Password or six-digit code');
    await proof.waitFor();
    await page.getByRole('dialog').last().getByRole('button', { name: 'Cancel' }).click();
    await proof.waitFor({ state: 'detached' });
    expect(await page.getByLabel('API key', { exact: true }).inputValue()).toBe('another key');
    await refuseOnce(page, '**/api/v1/accounts/*');
    await page.getByRole('button', { name: 'Save' }).click();
    await proof.fill(product.login.password);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('Saved').first().waitFor();
    await page.getByLabel('API key', { exact: true }).waitFor({ state: 'detached' });
    expect(troubles).toEqual([]);
    await context.close();
  });
});

/** As a server answers whose person logged in half an hour ago; the proof itself goes to the real one. */
async function refuseOnce(page: Page, path: string): Promise<void> {
  const refusal = { type: 'about:blank', title: 'Forbidden', status: 403, code: 'step-up-needed' };
  const answer = { status: 403, contentType: 'application/problem+json', body: JSON.stringify(refusal) };
  let isRefused = false;
  await page.route(path, (route) => {
    if (isRefused || route.request().method() === 'GET') return route.fallback();
    isRefused = true;
    return route.fulfill(answer);
  });
}

describe('the audit log', () => {
  it('is filtered, and its chain is checked', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: owner });
    await page.goto('/audit');
    await entries(page).first().waitFor();
    await page.getByLabel('Thing or its kind, such as account').fill('workspace');
    await expect.poll(() => entries(page).count()).toBe(1);
    await entries(page).getByText('create', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Check the chain' }).click();
    await page
      .getByText(/^\d+ entries, unbroken$/)
      .first()
      .waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });
});

const looks = [
  { name: 'wide light', viewport: wide, colorScheme: 'light', language: 'en', isChecked: true },
  { name: 'wide dark', viewport: wide, colorScheme: 'dark', language: 'fr', isChecked: true },
  {
    name: 'narrow light, from right to left',
    viewport: narrow,
    colorScheme: 'light',
    language: 'he',
    isChecked: false,
  },
  { name: 'narrow dark', viewport: narrow, colorScheme: 'dark', language: 'pt', isChecked: false },
] as const;

describe('looks', () => {
  it.each(looks)('is usable by all, fits and asks no other host: $name', async (look) => {
    const { name, language, isChecked, ...options } = look;
    const { context, page, troubles } = await openPage(browser, product.url, { ...options, storageState: owner });
    await context.addInitScript((chosen) => localStorage.setItem('switchyard-language', chosen), language);
    for (const [title, ready] of [
      ['members', members(page)],
      ['security', sessions(page)],
      ['audit', entries(page)],
      ['join', page.getByRole('alert')],
    ] as const) {
      await page.goto(`/${title}`);
      await ready.first().waitFor();
      await page.screenshot({ path: join(pictures, `${name}, ${title}.png`) });
      if (isChecked) expect(await wronged(page), `${title}: rules of accessibility`).toEqual([]);
      const isTooWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
      expect(isTooWide, `${title}: wider than the window`).toBe(false);
    }
    // A link without its token is answered 400, which the browser writes to its console.
    expect(troubles.filter((line) => !line.includes('status of 400'))).toEqual([]);
    await context.close();
  });
});
