// What the tests in a browser share: a page in headless Chromium, with every server but the one under test out of reach.
//
//   FORGE_URL   where Forge runs (required)
//   CHROMIUM    the browser, when it is not where Linux distributions put it
//   SCREENSHOT  a .png to write, 1280 by 800
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { FORGE_URL } = process.env;
if (!FORGE_URL) {
  throw new Error(
    'FORGE_URL is not set: start a server in another shell with `go run .` (in an empty directory it makes ' +
      'its own demo data), then run `FORGE_URL=http://127.0.0.1:8080 npm test`',
  );
}
export const forge = new URL(FORGE_URL);

// open starts the browser, and returns it and an empty page. foreign fills with requests to any server but Forge, complaints with what the browser's console
// would show in red.
export async function open() {
  const foreign = [];
  const complaints = [];
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: [
      // No name is looked up and nothing but Forge's own address is dialled, whatever asks for it.
      `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${forge.hostname}`,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-quic',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await context.route(
    (url) => url.origin !== forge.origin,
    (route) => {
      foreign.push(route.request().url());
      return route.abort();
    },
  );
  await context.routeWebSocket((url) => url.host !== forge.host, (socket) => {
    foreign.push(socket.url());
    socket.close();
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`content security policy: ${event.violatedDirective} refuses ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || /fall(ing)? back to main thread|could not create web worker/i.test(message.text())) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  return { browser, page, foreign, complaints };
}

// post sends a query without the page.
export async function post(query) {
  const response = await fetch(new URL('/graphql', forge), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// noViolations looks for what keeps people from reading and reaching what the page has, by the rules of axe-core.
export async function noViolations(page) {
  const { violations } = await page.evaluate(`${axe}; axe.run()`);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join('\n  ')}`);
  assert.deepEqual(found, []);
}

function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = process.env.CHROMIUM ?? names.map((name) => `/usr/bin/${name}`).find(existsSync);
  if (!found) {
    throw new Error('no browser found: install Chromium (Debian: apt-get install chromium), or set CHROMIUM to its path');
  }
  return found;
}
