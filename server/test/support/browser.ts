/** Headless Chromium that holds a page to the console's promises: nothing from elsewhere, nothing broken in silence. */
import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';

const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** How long a page may take to show what is waited for, on a busy machine. */
export const patienceMs = 30_000;

export async function launchBrowser(): Promise<Browser> {
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  if (!executablePath) throw new Error('Chromium is needed: apt-get install -y chromium, or name it in CHROMIUM');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

export interface WatchedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Requests to other hosts, content-policy violations, console errors, exceptions: each as one line. */
  readonly troubles: string[];
}

/** A refused request is written to the browser's console as an error: a test that provokes one allows its status. */
export async function openPage(
  browser: Browser,
  url: string,
  more: BrowserContextOptions & { readonly allowedStatus?: number } = {},
): Promise<WatchedPage> {
  const { allowedStatus, ...options } = more;
  const context = await browser.newContext({ baseURL: url, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const troubles: string[] = [];
  const host = new URL(url).host;
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith('http') && asked.host !== host) troubles.push(`asked another host: ${asked.href}`);
  });
  page.on('console', (message) => {
    const isAllowed = allowedStatus !== undefined && message.text().includes(`status of ${allowedStatus}`);
    if (message.type() === 'error' && !isAllowed) troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`a dialog was opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, troubles };
}

const mostTabs = 80;

/** By the Tab key alone, as a person without a mouse goes there; throws when it is not reached. */
export async function tabTo(target: Locator): Promise<void> {
  await target.waitFor();
  for (let tabs = 0; tabs < mostTabs; tabs += 1) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await target.page().keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not reach ${target}`);
}

/** What breaks the rules of accessibility: serious and critical ones, in one line each. Rows that have just come are still fading in: they are let finish. */
export async function wronged(page: Page): Promise<string[]> {
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished))',
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`));
}
