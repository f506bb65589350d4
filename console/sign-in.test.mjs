// Signs in to the console in each way that needs no password. The server has AUTH=on, PASSKEYS=on,
// codes by mail, and the provider at IDP_URL, called "example", that lets everybody in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addAuthenticator, forge, newPage, noViolations, open } from '../playground/browser.mjs';

// The browser goes from Forge, by its address in startUrl, to the provider and back.
const elsewhere = [process.env.IDP_URL, forge.origin.replace('localhost', '127.0.0.1')];
const user = { login: 'user', password: 'forge-demo-user' };

let browser, page;
const watched = [];

before(async () => {
  const { browser: started, page: first, ...rest } = await open(elsewhere);
  browser = started;
  page = first;
  watched.push(rest);
  await page.goto(new URL('/console', forge).href);
});

after(() => browser?.close());

test('by a passkey', async () => {
  await addAuthenticator(page);
  await button('With a passkey').waitFor();
  await noViolations(page);
  await button('With a passkey').click(); // there is none yet
  await page.getByRole('alert').getByText('No passkey was used').waitFor();
  await page.evaluate(makePasskey, user);
  await button('With a passkey').click();
  await signedIn(user.login);
});

test('by a code of a mail', async () => {
  await button('With a code by mail').click();
  await page.getByRole('alert').getByText('Say your username or email first.').waitFor();
  await page.getByLabel('Username or email').fill(user.login);
  await button('With a code by mail').click();
  await page.getByLabel('Code of the mail').waitFor();
  await noViolations(page);
  await page.getByLabel('Code of the mail').fill('000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').getByText(/\S/).waitFor();
  await page.getByLabel('Code of the mail').fill(await mailed());
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await signedIn(user.login);
});

test('by an account at a provider, back to where one was', async () => {
  await page.goto(new URL('/console#/products', forge).href);
  await button('With Example').click();
  await page.getByRole('heading', { level: 1, name: 'Products' }).waitFor();
  assert.doesNotMatch(page.url(), /forgeCode/);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await button('With Example').waitFor();
});

test('what went wrong at a provider is said in words', async () => {
  const { page: other, ...rest } = await newPage(browser, elsewhere);
  watched.push(rest);
  await other.goto(new URL('/console#forgeError=PROVIDER_DENIED', forge).href);
  await other.getByRole('alert').getByText('The provider says that you did not agree.').waitFor();
  assert.doesNotMatch(other.url(), /forgeError/);
  await other.goto(new URL('/console?#forgeCode=stolen', forge).href); // begun in another browser
  await other.getByRole('alert').getByText(/\S/).waitFor();
  assert.equal(await other.getByRole('navigation').count(), 0);
});

test('nothing went to another server, and nothing was complained about', () => {
  for (const { foreign, complaints } of watched) {
    assert.deepEqual([foreign, complaints], [[], []]);
  }
});

const button = (name) => page.getByRole('button', { name, exact: true });

// signedIn waits until somebody is signed in, and signs them out.
async function signedIn(login) {
  await page.getByRole('heading', { name: 'What is here' }).waitFor();
  await page.getByRole('banner').getByText(login, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

// mailed returns the code of the newest mail.
async function mailed() {
  for (let tries = 0; tries < 100; tries += 1) {
    const [mail] = await (await fetch(new URL('/inbox.json', forge))).json();
    const code = mail?.text.match(/\b\d{6,8}\b/)?.[0];
    if (code) {
      return code;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return assert.fail('no mail came');
}

// makePasskey makes a passkey of a user in the browser.
async function makePasskey(input) {
  const ask = async (query, variables, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    return Object.values((await response.json()).data)[0];
  };
  const { accessToken } = await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }', { input });
  const { options } = await ask('mutation { beginPasskey { options } }', {}, accessToken);
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  await ask('mutation($response: JSON!) { finishPasskey(response: $response) { passkey { id } } }', { response: made.toJSON() }, accessToken);
}
