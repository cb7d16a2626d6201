/** Hostile texts in every field that is stored, through every page of the console: they are shown, and do nothing. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { startWhole, type WholeProduct } from '../support/whole.ts';
import { countSeenAsMarkup, lookAt, watchForScripts } from '../support/xss/inspect.ts';
import { payloads } from '../support/xss/payloads.ts';
import { customers, type PoisonedShop, poisonShop } from '../support/xss/poisoned-shop.ts';
import { type HostileProvider, startHostileProvider } from '../support/xss/provider.ts';

let product: WholeProduct;
let provider: HostileProvider;
let browser: Browser;
let shop: PoisonedShop;
/** One page for all: the console goes from one of its pages to the next as it does for people. */
let watched: WatchedPage;

const viewport = { width: 1360, height: 850 };

beforeAll(async () => {
  [product, provider, browser] = await Promise.all([
    startWhole({ OUTBOUND_ALLOWED: '127.0.0.1' }),
    startHostileProvider(),
    launchBrowser(),
  ]);
  shop = await poisonShop(product, provider.url);
  watched = await openPage(browser, product.url, { viewport, allowedStatus: 404 });
  // The hostile texts make long pages, and the machine may be busy.
  watched.page.setDefaultTimeout(30_000);
  await watchForScripts(watched.context);
  await nameWorkspaceByAll(watched.page);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
  await provider?.close();
});

interface Visit {
  /** How many different payloads its own fields must have shown; the navigation shows them all, on every page. */
  readonly shows: number;
  /** Opens it, and whatever opens on it; `look` after each. */
  go(page: Page, look: () => Promise<void>): Promise<void>;
}

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click();
const settled = (page: Page) => page.waitForLoadState('networkidle');

/** Within the console, as a link does. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate(
    `document.querySelector('#app').__vue_app__.config.globalProperties.$router.push(${JSON.stringify(path)})`,
  );
}

async function unfold(page: Page): Promise<void> {
  await page.evaluate(
    "for (const summary of document.querySelectorAll('details:not([open]) > summary')) summary.click()",
  );
}

async function closeDialog(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** By the router's name of the page, in this order. One that is missing here fails. */
const visits: Readonly<Record<string, Visit>> = {
  join: {
    shows: payloads.length,
    async go(page, look) {
      await page.goto(new URL(shop.invitationLink).pathname + new URL(shop.invitationLink).hash);
      await page.getByRole('heading', { name: /^Join / }).waitFor();
      await look();
    },
  },
  'log-in': {
    shows: 60,
    async go(page, look) {
      const told = encodeURIComponent(payloads.slice(0, 60).join(' '));
      await page.goto(`/log-in?joined=${told}&from=${encodeURIComponent('javascript:__xss(1)')}`);
      await page.getByLabel('Password', { exact: true }).waitFor();
      await look();
      await page.getByLabel('E-mail address').fill(shop.login.email);
      await page.getByLabel('Password', { exact: true }).fill(shop.login.password);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.waitForURL((url) => url.pathname === '/deliveries');
      await look();
    },
  },
  deliveries: {
    shows: 1,
    async go(page, look) {
      await go(page, `/deliveries?state=${encodeURIComponent(payloads[0]!)}`);
      await go(page, '/deliveries');
      await page.locator('[data-test=delivery]').first().waitFor();
      await look();
    },
  },
  delivery: {
    shows: 200,
    async go(page, look) {
      await go(page, `/deliveries/${encodeURIComponent(payloads[0]!)}`);
      await page.getByRole('alert').first().waitFor();
      await look();
      await go(page, '/deliveries');
      await page.locator('[data-test=delivery]').first().waitFor();
      const rows = await page.locator('[data-test=delivery]').count();
      for (let row = 0; row < rows; row += 1) {
        await page.locator('[data-test=delivery]').nth(row).click();
        await page.locator('[data-test=hop]').first().waitFor();
        await unfold(page);
        await look();
      }
    },
  },
  conversations: {
    shows: 30,
    async go(page, look) {
      await go(page, '/conversations');
      await page.locator('[data-test=conversation]').first().waitFor();
      await page.getByRole('searchbox').fill(payloads[0]!);
      await settled(page);
      await look();
      await page.getByRole('searchbox').fill('');
      await expect.poll(() => page.locator('[data-test=conversation]').count()).toBeGreaterThan(customers);
      await look();
    },
  },
  conversation: {
    shows: 200,
    async go(page, look) {
      await go(page, '/conversations');
      await page.locator('[data-test=conversation]').first().waitFor();
      const rows = await page.locator('[data-test=conversation]').count();
      for (let row = 0; row < rows; row += 1) {
        await page.locator('[data-test=conversation]').nth(row).click();
        await page.locator('[data-test^=message-]').first().waitFor();
        await settled(page);
        await look();
      }
      await press(page, 'Data of this contact');
      await page.getByRole('menuitem', { name: 'Erase the contact' }).click();
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
    },
  },
  accounts: {
    shows: 8,
    async go(page, look) {
      await go(page, '/accounts');
      await page.locator('[data-test=account]').first().waitFor();
      await page.locator('[data-test=removed-accounts] summary').click();
      await page.locator('[data-test=removed]').first().waitFor();
      await look();
      await press(page, /^Actions for /);
      await page
        .getByRole('menuitem', { name: 'Disconnect' })
        .or(page.getByRole('menuitem', { name: 'Remove' }))
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
    },
  },
  account: {
    shows: 80,
    async go(page, look) {
      await go(page, `/accounts/${shop.accountIds.webjs}`);
      await page.locator('[data-test=history] li').first().waitFor();
      await look();
      await go(page, `/accounts/${shop.accountIds.meta}`);
      await page.locator('[data-test=statistics] [data-test=share-bars]').first().waitFor();
      await press(page, 'Edit');
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
      await go(page, `/accounts/${shop.accountIds.evolution}`);
      await page.locator('[data-test=webhook-panel] button').first().click();
      await press(page, 'Ask what is set');
      await page.locator('[data-test=found]').waitFor();
      await look();
    },
  },
  settings: {
    shows: 60,
    async go(page, look) {
      await go(page, '/settings');
      await page.locator('[data-test=api-key]').first().waitFor();
      await look();
      await page.locator('[data-test=api-key]').first().getByRole('button', { name: 'Revoke' }).click();
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
    },
  },
  members: {
    shows: 5,
    async go(page, look) {
      await go(page, '/members');
      await page.locator('[data-test=member]').first().waitFor();
      await look();
      await page
        .locator('[data-test=member]')
        .getByRole('button', { name: /^Remove / })
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
    },
  },
  security: {
    shows: 1,
    async go(page, look) {
      await go(page, '/security');
      await page.locator('[data-test=session]').nth(3).waitFor();
      await look();
    },
  },
  audit: {
    shows: 1,
    async go(page, look) {
      await go(page, `/audit?actor=${encodeURIComponent(payloads[0]!)}&resource=${encodeURIComponent(payloads[1]!)}`);
      await settled(page);
      await look();
      await go(page, '/audit');
      await page.locator('[data-test=audit-entry]').first().waitFor();
      const more = page.locator('#content').getByRole('button', { name: 'Load more' });
      while (await more.isVisible()) {
        const shown = await page.locator('[data-test=audit-entry]').count();
        await more.click();
        await page.locator('[data-test=audit-entry]').nth(shown).waitFor();
      }
      await unfold(page);
      await look();
    },
  },
  balance: {
    shows: 5,
    async go(page, look) {
      await go(page, '/balance');
      await page.locator('[data-test=balance-table] tbody tr').first().waitFor();
      await page.getByLabel('Account', { exact: true }).click();
      await page.getByRole('option').first().waitFor();
      await look();
    },
  },
  alarms: {
    shows: 30,
    async go(page, look) {
      await go(page, '/alarms');
      await page.locator('[data-test=target]').nth(1).waitFor();
      await page.locator('[data-test=number]').first().waitFor();
      await look();
      await page.locator('[data-test=target]').first().getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('dialog').waitFor();
      await look();
      await closeDialog(page);
    },
  },
  trace: {
    shows: 100,
    async go(page, look) {
      await go(page, `/trace?q=${encodeURIComponent(payloads.slice(0, 8).join(' ').slice(0, 290))}`);
      await settled(page);
      await look();
      await go(page, '/trace?q=%2B4915500100000');
      await page.locator('[data-test=trace]').first().waitFor();
      await look();
    },
  },
};

/** A name is short today; a workspace of older days may have any. The navigation, on every page, shows them all. */
async function nameWorkspaceByAll(page: Page): Promise<void> {
  const name = payloads.join(' ');
  await page.route(/\/api\/v1\/(me|session|invitations\/look)$/, async (route) => {
    const response = await route.fetch();
    const told = response.status() === 200 ? ((await response.json()) as Told) : {};
    if (told.workspaces) told.workspaces = told.workspaces.map((one) => ({ ...one, name }));
    if (told.workspaceName) told.workspaceName = name;
    await route.fulfill(response.status() === 200 ? { response, json: told } : { response });
  });
}

interface Told {
  workspaces?: object[];
  workspaceName?: string;
}

/** The pages that the running console itself says it has. */
async function routesOf(page: Page): Promise<string[]> {
  return (await page.evaluate(`
    document.querySelector('#app').__vue_app__.config.globalProperties.$router.getRoutes()
      .filter(({ components, name }) => name !== undefined && Object.keys(components ?? {}).length > 0)
      .map(({ name }) => String(name)).sort()`)) as string[];
}

describe('every page of the console', () => {
  it.each(Object.keys(visits))('shows what is stored as text and runs nothing of it: %s', async (name) => {
    const { shows, go: visit } = visits[name]!;
    const { page, troubles } = watched;
    const found = new Set<string>();
    const anywhere = new Set<number>();
    const inPage = new Set<number>();
    await visit(page, async () => {
      const looked = await lookAt(page);
      for (const one of looked.found) found.add(one);
      for (const number of looked.shown.anywhere) anywhere.add(number);
      for (const number of looked.shown.inPage) inPage.add(number);
    });
    expect({ found: [...found], troubles }).toEqual({ found: [], troubles: [] });
    if (name !== 'log-in') expect(anywhere.size, 'payloads on the page').toBe(payloads.length);
    expect(inPage.size, 'payloads beside the navigation').toBeGreaterThanOrEqual(shows);
  });

  it('has a visit here', async () => {
    expect(Object.keys(visits).sort()).toEqual(await routesOf(watched.page));
  });

  it('is looked at with eyes that see what 200 payloads would do as markup', async () => {
    expect(new Set(payloads).size).toBeGreaterThanOrEqual(200);
    // The rest are no markup by themselves: addresses, templates, ways out of an attribute.
    expect(await countSeenAsMarkup(watched.page)).toBeGreaterThan(payloads.length / 2);
  });
});
