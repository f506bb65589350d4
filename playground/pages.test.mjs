// Reads the pages of a running server in headless Chromium, with every other server out of reach.
// browser.mjs says how to run it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forge, newPage, noViolations, open } from './browser.mjs';

const address = (path) => new URL(`/docs/${path}`, forge).href;
let browser, page, foreign, complaints;

before(async () => ({ browser, page, foreign, complaints } = await open()));

after(() => browser?.close());

test('a search finds a word, and leads to its heading', async () => {
  await page.goto(address(''));
  await page.keyboard.press('/');
  await page.keyboard.type('idempot');
  const first = page.locator('#site-found a').first();
  await first.waitFor();
  assert.match(await first.innerText(), /Idempotency/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\.html#/);
  const anchor = decodeURIComponent(new URL(page.url()).hash.slice(1));
  await page.locator(`[id="${anchor}"]`).waitFor();
});

test('a search finds types of the API, misspelt words, and nothing', async () => {
  for (const [words, found] of [
    ['CreateHeroInput', /CreateHeroInput/],
    ['subscribtions', /[Ss]ubscription/],
    ['BAD_USER_INPUT', /BAD_USER_INPUT/],
  ]) {
    await page.goto(address('adr/'));
    await page.getByRole('searchbox').fill(words);
    await page.locator('#site-found a').filter({ hasText: found }).first().waitFor();
  }
  await page.getByRole('searchbox').fill('qqqqqqqqqq');
  await page.getByText('Nothing found').waitFor();
});

test('text of a page is never taken for HTML', async () => {
  await page.goto(address(''));
  await page.getByRole('searchbox').fill('<img src=x onerror=alert(1)>');
  await page.getByRole('status').waitFor();
  assert.equal(await page.locator('#site-found img').count(), 0);
});

test('colours follow the system, until somebody chooses', async () => {
  const colours = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(address('settings.html'));
  assert.equal(await colours(), 'dark');
  await page.getByRole('button', { name: 'Colours' }).click();
  await page.goto(address('limits.html'));
  assert.equal(await colours(), 'light');
  await page.evaluate(() => localStorage.clear());
});

test('a button copies the commands of a block, without the prompt', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: forge.origin });
  await page.goto(address('tutorial.html'));
  const block = page.locator('.code', { hasText: '$ curl' }).first();
  await block.hover();
  await block.getByRole('button', { name: 'Copy' }).click();
  await block.getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl [^\n]* \\\n +-d '[^\n]*'$/);
});

for (const colorScheme of ['light', 'dark']) {
  test(`nothing keeps people from reading, in ${colorScheme} colours`, async () => {
    await page.emulateMedia({ colorScheme });
    for (const name of ['', 'recipes/react.html', 'api/types/Hero.html']) {
      await page.goto(address(name));
      await noViolations(page);
    }
    await page.getByRole('searchbox').fill('hero');
    await page.locator('#site-found a').first().waitFor();
    await noViolations(page);
  });
}

test('a phone has the pages in a menu, and nothing is wider than it', async () => {
  const { page: phone } = await newPage(browser);
  await phone.setViewportSize({ width: 360, height: 740 });
  for (const name of ['', 'settings.html', 'extending.html', 'api/types/Hero.html']) {
    await phone.goto(address(name));
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360, name);
  }
  const menu = phone.getByRole('button', { name: 'Pages' });
  assert.equal(await phone.getByRole('link', { name: 'Settings', exact: true }).isVisible(), false);
  await menu.click();
  await phone.getByRole('link', { name: 'Settings', exact: true }).click();
  await phone.waitForURL(/settings\.html$/);
  await noViolations(phone);
});

test('no other server was asked, and the browser complained of nothing', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});
