// Uses the application of this folder in Chromium, as people do. FORGE_URL is a server on localhost
// with AUTH=on, SESSION_COOKIE=on, TOTP=on and PASSKEYS=on, whose access tokens expire after two
// seconds. APP_URL is where the application is served, another origin on localhost.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { addAuthenticator, forge, newPage, open } from '../../../../playground/browser.mjs';

const app = process.env.APP_URL;
const ada = { username: 'ada', email: 'ada@example.com', password: 'correct horse battery' };
const newPassword = 'another horse battery';

let browser, page, phone;
const watched = []; // what foreign and complaints were filled by

before(async () => {
  const { page: first, ...rest } = await open([app]);
  ({ browser } = rest);
  page = first;
  const { page: second, ...others } = await newPage(browser, [app]);
  phone = second;
  watched.push(rest, others);
  await Promise.all([page.goto(app), phone.goto(app), addAuthenticator(page)]);
});

after(() => browser?.close());

test('a form shows all that is wrong, each at its field', async () => {
  await send(page, 'sign-up', { username: ' ', email: 'nobody', password: 'short' });
  for (const name of ['username', 'email', 'password']) {
    await alertAt(page, 'sign-up', name).waitFor();
  }
  assert.equal(await page.getByRole('alert').count(), 3);
  await signedOut(page);
});

test('somebody signs up, and confirms the email by the link of the mail', async () => {
  await send(page, 'sign-up', ada);
  await signedIn(page, ada);
  await page.getByText(`${ada.email}, not confirmed`).waitFor();
  await phone.goto(await mailed('verify')); // where nobody has signed in
  await says(phone, 'Sign in to confirm your email.');

  const inbox = await page.context().newPage();
  await inbox.goto(new URL('/inbox', forge).href);
  await inbox.getByText('HTML', { exact: true }).first().click();
  const link = inbox.frameLocator('iframe').getByRole('link').first();
  const [tab] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
  await says(tab, 'Your email is confirmed.');
  assert.equal(tab.url(), app + '/', 'the token is not in the address');
  await Promise.all([tab.close(), inbox.close()]);
  await page.getByText(`${ada.email}, confirmed`).waitFor();
});

test('a wrong password is said in words, and the right one signs in', async () => {
  await phone.goto(app);
  await send(phone, 'sign-in', { login: ada.username, password: 'not this one' });
  await phone.locator('#sign-in').getByRole('alert').waitFor();
  await signedOut(phone);
  await signIn(phone, ada.email, ada.password);
  await signedIn(phone, ada);
});

test('a reload keeps the session, and no script can read its token', async () => {
  await page.reload();
  await signedIn(page, ada);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.equal(kept, '[{},{},""]');
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ['forge-refresh', true, 'Strict']);
});

test('four tabs that reload at once stay signed in', async () => {
  const tabs = [page];
  while (tabs.length < 4) {
    tabs.push(await page.context().newPage());
    await tabs.at(-1).goto(app);
  }
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(tabs.map((tab) => tab.reload()));
    await Promise.all(tabs.map((tab) => signedIn(tab, ada)));
  }
  await tabs[3].getByRole('button', { name: 'Sign out', exact: true }).click();
  await Promise.all(tabs.map(signedOut));
  await signIn(tabs[0], ada.username, ada.password);
  await Promise.all(tabs.map((tab) => signedIn(tab, ada)));
  await Promise.all(tabs.slice(1).map((tab) => tab.close()));
});

test('a session that is ended elsewhere shows the sign-in', async () => {
  await signedIn(phone, ada);
  await sessions(page, 2);
  assert.equal(await page.locator('#sessions').getByText('(this one)').count(), 1);
  await page.locator('#sessions').getByRole('button', { name: 'End' }).click();
  await sessions(page, 1);
  await signedOut(phone);

  await signIn(phone, ada.username, ada.password);
  await signedIn(phone, ada);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await signedOut(phone);
  await signedIn(page, ada);
});

test('a lost password is replaced by mail, and all sessions end', async () => {
  await send(phone, 'lost-password', { email: 'nobody@example.com' });
  await says(phone, 'If there is an account');
  await send(phone, 'lost-password', { email: ada.email });
  await phone.goto(await mailed('reset'));
  await send(phone, 'reset-password', { newPassword: 'password123' });
  await alertAt(phone, 'reset-password', 'newPassword').waitFor();
  await send(phone, 'reset-password', { newPassword });
  await says(phone, 'You have another password.');
  await signedOut(page);
  await signIn(phone, ada.username, ada.password);
  await phone.locator('#sign-in').getByRole('alert').waitFor();
  await signIn(phone, ada.username, newPassword);
  await signedIn(phone, ada);
  await signIn(page, ada.username, newPassword);
  await signedIn(page, ada);
});

test('a passkey is made, and signs in', async () => {
  await page.bringToFront(); // a browser makes passkeys for the tab in front alone
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.locator('#passkeys').getByText('this browser').waitFor();
  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await signedIn(page, ada);
  await page.locator('#sessions').getByText(/^passkey, .*this one/).waitFor();
});

test('an authenticator app is set up, and asked for', async () => {
  await page.getByRole('button', { name: 'Set up an app' }).click();
  const secret = await page.locator('#secret').filter({ hasText: /\w/ }).textContent();
  const period = Math.floor(Date.now() / 30_000);
  await send(page, 'confirm-totp', { code: codeOf(secret, period - 100) });
  await alertAt(page, 'confirm-totp', 'code').waitFor();
  await send(page, 'confirm-totp', { code: codeOf(secret, period) });
  await page.locator('#recovery-codes li').first().waitFor();
  const [recovery, other] = await page.locator('#recovery-codes li').allTextContents();
  await signOut(page);

  await signIn(page, ada.username, newPassword);
  await send(page, 'second-factor', { code: codeOf(secret, period) }); // it has confirmed the app
  await alertAt(page, 'second-factor', 'code').waitFor();
  await send(page, 'second-factor', { code: codeOf(secret, period + 1) });
  await signedIn(page, ada);
  await signOut(page);

  await signIn(page, ada.username, newPassword);
  await send(page, 'second-factor', { code: recovery });
  await signedIn(page, ada);
  await signOut(page);

  await page.getByRole('button', { name: 'Sign in with a passkey' }).click(); // without a code
  await signedIn(page, ada);
  await send(page, 'disable-totp', { code: recovery });
  await alertAt(page, 'disable-totp', 'code').waitFor();
  await send(page, 'disable-totp', { code: other });
  await page.getByRole('button', { name: 'Set up an app' }).waitFor();
});

test('an account is deleted, and kept', async () => {
  await send(page, 'delete-account', { password: 'not this one' });
  await alertAt(page, 'delete-account', 'password').waitFor();
  await send(page, 'delete-account', { password: newPassword });
  await page.getByText('Your account will be erased').waitFor();
  await page.getByRole('button', { name: 'Keep my account' }).click();
  await page.getByRole('button', { name: 'Delete my account' }).waitFor();
  await page.reload();
  await signedIn(page, ada);
});

// Requests are answered with 401 all the time, and a reload stops those that are on their way.
test('nothing went elsewhere, and nothing else was complained about', () => {
  const complaints = watched.flatMap((w) => w.complaints).filter((text) => !/status of 401|net::ERR_ABORTED/.test(text));
  assert.deepEqual({ foreign: watched.flatMap((w) => w.foreign), complaints }, { foreign: [], complaints: [] });
});

// send fills a form and sends it.
async function send(on, id, values) {
  const form = on.locator(`#${id}`);
  for (const [name, value] of Object.entries(values)) {
    await form.locator(`[name=${name}]`).fill(value);
  }
  await form.getByRole('button').click();
}

const signIn = (on, login, password) => send(on, 'sign-in', { login, password });

async function signOut(on) {
  await on.getByRole('button', { name: 'Sign out', exact: true }).click();
  await signedOut(on);
}

const signedIn = (on, { username }) => on.getByRole('heading', { name: username, exact: true }).waitFor();
const signedOut = (on) => on.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
const says = (on, text) => on.getByRole('status').getByText(text).waitFor();
const alertAt = (on, id, name) => on.locator(`#${id} label:has([name=${name}])`).getByRole('alert');
const sessions = (on, count) => on.waitForFunction((n) => document.querySelectorAll('#sessions li').length === n, count);

// mailed returns the link of a kind in the inbox, once it is there.
async function mailed(kind) {
  for (;;) {
    const mails = await (await fetch(new URL('/inbox.json', forge))).json();
    const link = mails.map(({ text }) => text.match(new RegExp(`${app}\\S*#${kind}=\\S+`))?.[0]).find(Boolean);
    if (link) {
      return link;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// codeOf returns the code of an authenticator app in a period of 30 seconds (RFC 6238).
function codeOf(secret, period) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(period));
  const hash = createHmac('sha1', key).update(counter).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
