/**
 * `node tools/picture.ts URL EMAIL PASSWORD FILE`: the picture in the README, of a running console. Opens the trace of the
 * latest delivery that holds a customer's message.
 */
import { chromium } from 'playwright-core';

const [url, email, password, file] = process.argv.slice(2);
if (!url || !email || !password || !file) throw new Error('usage: node tools/picture.ts URL EMAIL PASSWORD FILE');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await page.goto(url);
  await page.fill('input[type=email]', email);
  await page.fill('input[type=password]', password);
  await page.keyboard.press('Enter');
  await page.getByText('message:text').first().click();
  await page.getByText(/attempt 1: sent/i).waitFor();
  await page.screenshot({ path: file });
} finally {
  await browser.close();
}
