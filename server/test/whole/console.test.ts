/** The console as people use it: the real product, a real browser. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeliveryId, toPublicId } from '@switchyard/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstIdOf, inboxShards } from '#storage';
import { launchBrowser, openPage, type WatchedPage, wronged } from '../support/browser.ts';
import { type OpenEyes, openEyes } from '../support/canaries/places.ts';
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
  product = await startWhole({ OUTBOUND_ALLOWED: '127.0.0.1' });
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

/** No worker takes it up. */
const nobodysShard = 99;
const shardOfAccount = `('x' || right(account_id::text, 4))::bit(16)::int % ${inboxShards}`;

/** A delivery of the demo's account that came three hours ago, and that nobody reads. Gives its public id. */
async function stopOne(eyes: OpenEyes): Promise<string> {
  const receivedAt = new Date(Date.now() - 3 * 3_600_000);
  const [row] = await eyes.rows<{ id: DeliveryId }>(
    `WITH like_it AS (
       SELECT d.* FROM deliveries d JOIN accounts a ON a.workspace_id = d.workspace_id AND a.id = d.account_id
       WHERE a.phone_number = '+15550100101' ORDER BY d.id LIMIT 1),
     kept AS (
       INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
       SELECT workspace_id, '${firstIdOf(receivedAt.getTime())}', account_id, provider, route_kind, method, target, headers, body,
         '${receivedAt.toISOString()}' FROM like_it RETURNING workspace_id, id, account_id)
     INSERT INTO inbox (workspace_id, id, account_id, shard, position, after_position)
     SELECT workspace_id, id, account_id, ${nobodysShard}, nextval('inbox_position'), 0 FROM kept RETURNING id`,
  );
  if (!row) throw new Error('the demo has had no delivery');
  return toPublicId('delivery', row.id);
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
    const delivery = deliveries(page).filter({ hasText: '+15550109003' }).filter({ hasText: 'message: text' });
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
    await page.getByRole('dialog').getByLabel('Name').fill('Till');
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

describe('the life of an account', () => {
  const card = (page: Page, name: string) => page.locator('[data-test=account]').filter({ hasText: name });

  it('is shown with its health and its figures, and moves as people and the provider say', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/accounts');
    const demo = card(page, 'Demo on WhatsApp Cloud API');
    await demo.locator('[data-test=status]').getByText('Connected', { exact: true }).waitFor();
    await demo.getByText('Health 100').waitFor();
    await demo.getByRole('link').click();
    const status = page.locator('[data-test=account-page] [data-test=status]').first();
    await status.getByText('Connected', { exact: true }).waitFor();
    const statistics = page.locator('[data-test=statistics]');
    expect(Number(await statistics.locator('dd').first().textContent())).toBeGreaterThan(0);
    await statistics.getByRole('button', { name: '30 days' }).click();
    await statistics.getByRole('img', { name: /^Messages\. Received: [1-9]/ }).waitFor();

    await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click();
    await status.getByText('Disconnected', { exact: true }).waitFor();
    await page.locator('[data-code=disconnected]').getByText('Connect the account again.').waitFor();
    await customerWrites('+15550109005', 'Dora', 'still there?');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await status.getByText('Connecting', { exact: true }).waitFor();
    await customerWrites('+15550109005', 'Dora', 'and now?');
    await status.getByText('Connected', { exact: true }).waitFor();
    expect(await page.locator('[data-test=history] li').count()).toBeGreaterThanOrEqual(5);
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('ends with its removal, and begins anew when it is restored', async () => {
    const looking = { viewport: wide, storageState: session, allowedStatus: 422 };
    const { context, page, troubles } = await openPage(browser, product.url, looking);
    await page.goto('/accounts');
    const name = 'Demo on Evolution API v1';
    await card(page, name)
      .getByRole('button', { name: `Actions for ${name}` })
      .click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await card(page, name).waitFor({ state: 'detached' });
    await page.locator('[data-test=removed-accounts] summary').click();
    await page
      .locator('[data-test=removed]')
      .filter({ hasText: name })
      .getByRole('button', { name: 'Restore' })
      .click();
    await card(page, name).getByText('Switched off').waitFor();
    expect(await page.getByLabel('New webhook address').inputValue()).toContain('/webhooks/evolution/whatsapp/');

    await page.getByRole('link', { name }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByLabel('Serve this account').click();
    await page.getByLabel('Messages per second').fill('very many');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^The setting messagesPerSecond /).waitFor();
    await page.getByLabel('Messages per second').fill('2');
    await page.getByLabel('API key ends on').fill('2020-01-31');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('[data-code=secret-ended]').waitFor();
    expect(await page.locator('[data-test=account-page]').getByText('Switched off').count()).toBe(0);
    await page.getByRole('link', { name: 'Back' }).click();
    await page.locator('[data-test=ends]').getByText('apiKey').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });
});

describe('the ledger, alarms and traces', () => {
  it('plots and lists what came hour by hour, balanced, and finds a way by phone number, from request to receipt', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await customerWrites('+15550109005', 'Dora', 'hola');
    await page.goto('/balance');
    await page.locator('[data-test=balance-state]').getByText('Balanced', { exact: true }).waitFor();
    const received = Number(await page.locator('[data-test=total-received]').textContent());
    const bars = await page.locator('[data-test=balance-plot] rect[data-count]').evaluateAll((rects) =>
      rects.map((rect) => ({
        count: Number(rect.getAttribute('data-count')),
        height: Number(rect.getAttribute('height')),
      })),
    );
    const heights = bars.filter(({ count }) => count > 0).map(({ height }) => height);
    expect(received).toBeGreaterThan(0);
    expect(heights.length).toBeGreaterThan(0);
    expect(heights.every((height) => height > 0 && height <= 160)).toBe(true);
    const row = page
      .locator('[data-test=balance-table] tbody tr')
      .filter({ hasText: 'Demo on WhatsApp Cloud API' })
      .first();
    await row.waitFor();
    await page.getByLabel('Account', { exact: true }).click();
    await page.getByRole('option', { name: 'Demo on Twilio' }).click();
    await page.getByText('Nothing came in this span').waitFor();

    await page.goto('/trace');
    await page.getByRole('searchbox').fill('+1 555 010 9001');
    await page.getByRole('button', { name: 'Search' }).click();
    const found = page.locator('[data-test=trace]').first();
    for (const name of ['Received', 'Turn', 'Sending', 'Receipt'])
      await found.getByText(name, { exact: true }).first().waitFor();
    await found.getByRole('link').click();
    await page.locator('[data-test=status]').getByText('Handled').waitFor();
    await page.goto('/trace?q=nobody');
    await page.getByText('Nothing was found').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('names what stopped on its way, leads to it, and is balanced again when it was handled', async () => {
    const eyes = await openEyes(product);
    const id = await stopOne(eyes);
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/balance');
    const state = page.locator('[data-test=balance-state]');
    await state.getByText('1 gap', { exact: true }).waitFor();
    const gap = page.locator('[data-test=gap]');
    expect(await gap.count()).toBe(1);
    for (const words of ['Not read', 'Demo on WhatsApp Cloud API', 'for 3 h'])
      await gap.getByText(words, { exact: true }).waitFor();
    expect(await wronged(page)).toEqual([]);
    await page.screenshot({ path: join(pictures, 'gap.png') });
    await gap.getByRole('link', { name: id }).click();
    await page.waitForURL((url) => url.pathname === `/deliveries/${id}`);
    await page.locator('[data-test=status]').getByText('Under way').waitFor();
    await page.locator('[data-test=hop]').getByText('not read yet').waitFor();

    await eyes.rows(`UPDATE inbox SET shard = ${shardOfAccount} WHERE shard = ${nobodysShard}`);
    await page.locator('[data-test=status]').getByText('Handled').waitFor();
    await page.goto('/balance');
    await state.getByText('Balanced', { exact: true }).waitFor();
    expect(await gap.count()).toBe(0);
    expect(troubles).toEqual([]);
    await context.close();
    await eyes.close();
  });

  it('says that the system is busy with messages, and comes again by itself when it is told to', async () => {
    const more = { viewport: narrow, storageState: session, allowedStatus: 503 };
    const { context, page, troubles } = await openPage(browser, product.url, more);
    let refusals = 2;
    await page.route('**/api/v1/monitoring/balance*', async (route) => {
      refusals -= 1;
      if (refusals < 0) return route.continue();
      const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503, code: 'busy' };
      const headers = { 'retry-after': '1', 'content-type': 'application/problem+json' };
      return route.fulfill({ status: 503, headers, body: JSON.stringify(problem) });
    });
    await page.goto('/balance');
    await page.locator('[data-test=busy]').getByText('The system is busy with messages').waitFor();
    await page.screenshot({ path: join(pictures, 'busy.png') });
    expect(await wronged(page)).toEqual([]);
    await page.locator('[data-test=balance-plot]').waitFor();
    expect((await page.locator('[data-test=total-forwarded]').textContent())?.trim()).toBe('–');
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('says above every page that receiving is paused and why, and that it goes on again', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, {
      viewport: narrow,
      storageState: session,
    });
    const openedAt = '2026-03-01T12:00:00Z';
    const facts = { reasons: 'disk, event-loop', since: openedAt, until: null as string | null };
    const incident = {
      ...{ id: `inc_${'0'.repeat(32)}`, kind: 'refusing', accountId: null, accountName: null, state: 'open', facts },
      ...{ openedAt, lastSeenAt: openedAt, timesSeen: 1, resolvedAt: null, summary: 'in English' },
    };
    await page.route('**/api/v1/monitoring/alarms?*', (route) =>
      route.fulfill({ json: { data: [incident], nextCursor: null } }),
    );
    const banner = page.locator('[data-test=refusing]');
    const paused = 'Receiving is paused: the disk has hardly any room left and the server cannot keep up.';
    await page.goto('/accounts');
    await banner.getByText(paused).waitFor();
    await page.locator('[data-test=account]').first().waitFor();
    await page.screenshot({ path: join(pictures, 'refusing.png') });
    expect(await wronged(page)).toEqual([]);
    facts.until = '2026-03-01T12:02:00Z';
    await banner.getByRole('link', { name: 'Alarms' }).click();
    await page.locator('[data-test=incident]').getByText('Receiving goes on. It was paused for 2 min').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  it('sends a canary that writes to nobody, and tries a signed webhook whose secret is shown once', async () => {
    const { context, page, troubles } = await openPage(browser, product.url, { viewport: wide, storageState: session });
    await page.goto('/alarms');
    const number = page.locator('[data-test=number]').filter({ hasText: 'Demo on Twilio' });
    await number.getByRole('button', { name: 'Send one: Demo on Twilio' }).click();
    await number.locator('[data-test=canary-state]').getByText('Canary passed').waitFor();
    const hops = await number.locator('[data-test=canary-hop]').allTextContents();
    expect(hops).toHaveLength(6);
    for (const hop of hops) expect(hop).toMatch(/[\d.]+ m?s/);
    const ledger = await fetch(`${product.simulatorUrl}/control/ledger?provider=twilio`);
    expect(await ledger.text()).not.toContain('15550100099');

    const calls: string[] = [];
    const hook = createServer((request, response) => {
      calls.push(String(request.headers['webhook-signature']));
      response.end();
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address').fill('nowhere');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByText('This is no such address.').waitFor();
    await dialog.getByLabel('Address').fill(address);
    await dialog.getByRole('button', { name: 'Add' }).click();
    const secret = await dialog.getByLabel('Secret').inputValue();
    expect(secret).toMatch(/^whsec_/);
    await dialog.getByRole('button', { name: 'Done' }).click();
    const target = page.locator('[data-test=target]').filter({ hasText: address });
    await target.getByRole('button', { name: 'Test' }).click();
    await target.locator('[data-test=notice-state]').getByText('Arrived').waitFor();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(/^v1,/);
    expect(await page.content()).not.toContain(secret);
    await new Promise((resolve) => hook.close(resolve));
    await target.getByRole('button', { name: 'Test' }).click();
    await target.locator('[data-test=notice-state]').getByText('Not arrived').waitFor();
    await target.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody is told yet').waitFor();
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
    await page.locator('[data-test=delivery][data-summary*="message:text"]').first().click();
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
  account: async (page) => {
    await page.getByRole('link', { name: 'Demo on WhatsApp Cloud API' }).click();
    await page.locator('[data-test=statistics] svg').first().waitFor();
    await page.locator('[data-test=history] li').first().waitFor();
  },
  settings: async (page) => {
    await page.goto('/settings');
    await page.locator('#keys-heading').waitFor();
    await page.locator('#content [role=status][aria-label]').first().waitFor({ state: 'detached' });
  },
  balance: async (page) => {
    await page.goto('/balance');
    await page.locator('[data-test=balance-plot]').waitFor();
  },
  alarms: async (page) => {
    await page.goto('/alarms');
    await page.locator('[data-test=number]').first().waitFor();
  },
  found: async (page) => {
    await page.goto('/trace?q=%2B15550109001');
    await page.locator('[data-test=trace]').first().waitFor();
  },
  'log-in': async (page) => {
    await page.goto('/log-in');
    await page.locator('input[name=password]').waitFor();
  },
};
