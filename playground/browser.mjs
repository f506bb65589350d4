// What the tests in a browser share: a page in headless Chromium, with every server but the one
// under test out of reach.
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

// open starts the browser, and returns it and an empty page, as newPage does. pages are the origins
// that pages are from, beside Forge's.
export async function open(pages = []) {
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: [
      // No name is looked up and nothing but this machine is dialled, whatever asks for it.
      `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${forge.hostname}, EXCLUDE 127.0.0.1`,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-quic',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  return { browser, ...(await newPage(browser, pages)) };
}

// newPage returns an empty page that shares no cookies with others. foreign fills with requests to
// any server but Forge and those of pages, complaints with what the browser's console would show in
// red.
export async function newPage(browser, pages = []) {
  const foreign = [];
  const complaints = [];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await context.route(
    (url) => url.origin !== forge.origin && !pages.includes(url.origin),
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
  context.on('console', (message) => {
    if (message.type() === 'error' || /fall(ing)? back to main thread|could not create web worker/i.test(message.text())) {
      complaints.push(message.text());
    }
  });
  context.on('weberror', (event) => complaints.push(String(event.error().stack ?? event.error())));
  context.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  return { page: await context.newPage(), foreign, complaints };
}

// addAuthenticator gives a page a virtual authenticator, which makes and uses passkeys without
// asking anybody.
export async function addAuthenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
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

// noViolations looks for what keeps people from reading and reaching what the page has, by the
// rules of axe-core.
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
