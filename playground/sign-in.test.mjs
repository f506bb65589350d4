// Signs in and out in the playground of a server with AUTH=on, ACCESS_TOKEN_TTL=10s and the demo data of a first start in development.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { forge, noViolations, open } from './browser.mjs';

const demo = { login: 'user', password: 'forge-demo-user', role: 'USER' };

let browser, page, foreign, complaints;
const tokens = []; // all that the server gave out

before(async () => {
  ({ browser, page, foreign, complaints } = await open());
  page.on('response', async (response) => {
    const text = await response.text().catch(() => '');
    tokens.push(...[...text.matchAll(/"(?:access|refresh)Token":\s*"([^"]+)"/g)].map(([, token]) => token));
  });
  await page.goto(forge.href);
});

after(() => browser?.close());

test('the first example is answered to whoever has not signed in', async () => {
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const answered = page.waitForResponse((response) => response.request().postData()?.includes('HeroesAndTeams'));
  await page.locator('.graphiql-execute-button').click();
  const { data, errors } = await (await answered).json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  assert.ok(data.users.nodes.length > 0);
});

test('everybody can read and reach the panel to sign in', async () => {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await noViolations(page);
  await page.keyboard.press('Escape');
});

test('nobody is signed in at first, and the schema is there all the same', async () => {
  await signedOut();
  await ask('{ viewer { username } }', { viewer: null });
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
});

test('a wrong password is said in words', async () => {
  await fill(demo.login, 'not the password');
  await panel().getByRole('button', { name: 'Sign in' }).click();
  await panel().getByRole('alert').getByText('do not go together').waitFor();
  await page.keyboard.press('Escape');
  await panel().waitFor({ state: 'hidden' });
  await signedOut();
});

test('a demo user fills the form, and the keyboard is enough to sign in', async () => {
  await page.getByRole('button', { name: 'Sign in' }).focus();
  await page.keyboard.press('Enter');
  await panel().getByRole('button', { name: `${demo.login} (${demo.role})` }).press('Enter');
  assert.equal(await panel().getByLabel('Password', { exact: true }).inputValue(), demo.password);
  await panel().getByLabel('Username or email').press('Enter');
  await signedIn();
  await ask('{ viewer { username email } }', { viewer: { username: demo.login, email: 'user@example.com' } });
});

test('the tokens are in memory alone', async () => {
  await typeHeaders({ 'X-Kept-Nowhere': 'in the headers' });
  const kept = () => page.evaluate(() => localStorage.getItem('forge:graphiql:queries')?.includes('role'));
  // GraphiQL's history misses an operation now and then whose answer comes at once.
  for (let asked = 0; asked === 0 || (asked < 20 && !(await kept())); asked++) {
    await ask('{ viewer { role } }', { viewer: { role: demo.role } });
  }
  assert.ok(await kept(), 'GraphiQL keeps what was asked');
  await typeHeaders({});
  const everything = await page.evaluate(async () =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, await indexedDB.databases(), await caches.keys()]),
  );
  assert.doesNotMatch(everything, /in the headers/, 'and not the headers');
  const cookies = JSON.stringify(await page.context().cookies());
  assert.ok(tokens.length >= 2, `${tokens.length} tokens were seen`);
  for (const token of tokens) {
    assert.ok(!everything.includes(token) && !cookies.includes(token), 'a token is kept');
  }
});

test('the session refreshes itself before the access token expires', async () => {
  const before = await lastSent();
  await page.waitForResponse((response) => response.request().postData()?.includes('refreshSession'), { timeout: 60_000 });
  await ask('{ viewer { username } }', { viewer: { username: demo.login } });
  assert.notEqual(await lastSent(), before);
});

test('a token that does not hold any more is refreshed once, and the operation is answered', async () => {
  let spoilt = 0;
  await page.route('**/graphql', (route) => {
    const { authorization, ...headers } = route.request().headers();
    if (!authorization || spoilt > 0) {
      return route.continue();
    }
    spoilt += 1;
    return route.continue({ headers: { ...headers, authorization: `${authorization}x` } });
  });
  await ask('{ viewer { username role } }', { viewer: { username: demo.login, role: demo.role } });
  await page.unroute('**/graphql');
  assert.equal(spoilt, 1);
  expected(401);
});

test('headers typed into their editor win', async () => {
  await typeHeaders({ authorization: 'Bearer not.a.token' });
  await run('{ viewer { username id } }');
  await result('UNAUTHENTICATED').waitFor();
  await typeHeaders({});
  await signedIn();
  expected(401);
});

test('a subscription is asked for by who is signed in, or with the headers', async () => {
  const query = 'subscription { live { viewer { username } } }';
  await start(query);
  await result(`"username": "${demo.login}"`).waitFor();
  await page.getByRole('button', { name: 'Stop query' }).click();
  await typeHeaders({ authorization: 'Bearer not.a.token' });
  await start(query);
  await result('The connection was closed: 4403').waitFor();
  await typeHeaders({});
});

test('signing out ends the session on the server as well', async () => {
  const [request] = await Promise.all([
    page.waitForRequest((r) => r.postData()?.includes('signOut')),
    page.getByRole('button', { name: 'Sign out' }).click(),
  ]);
  await signedOut();
  await ask('{ viewer { username } }', { viewer: null });
  const { refreshToken } = request.postDataJSON().variables.input;
  const response = await fetch(new URL('/graphql', forge), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: 'mutation($t: String!) { refreshSession(input: { refreshToken: $t }) { expiresAt } }', variables: { t: refreshToken } }),
  });
  assert.equal((await response.json()).errors[0].extensions.code, 'UNAUTHENTICATED');
});

test('a reload forgets who was signed in', async () => {
  await fill(demo.login, demo.password);
  await panel().getByRole('button', { name: 'Sign in' }).click();
  await signedIn();
  await page.reload();
  await signedOut();
  await ask('{ viewer { username } }', { viewer: null });
});

test('a second factor is asked for: a code of the app, or a recovery code', async () => {
  const person = { login: `factor${Date.now()}`, password: 'correct horse battery' };
  const send = async (query, variables, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(new URL('/graphql', forge), { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const input = { username: person.login, password: person.password };
  const { signUp } = await send('mutation($input: SignUpInput!) { signUp(input: $input) { accessToken } }', { input });
  const { beginTotp } = await send('mutation { beginTotp { secret } }', {}, signUp.accessToken);
  const { confirmTotp } = await send('mutation($code: String!) { confirmTotp(code: $code) { recoveryCodes } }', { code: codeOf(beginTotp.secret) }, signUp.accessToken);
  await fill(person.login, person.password);
  await panel().getByRole('button', { name: 'Sign in' }).click();
  const second = page.getByRole('dialog', { name: 'Second factor' });
  const code = second.getByLabel('Code of the authenticator app, or a recovery code');
  await code.waitFor();
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await noViolations(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await code.fill('000000');
  await code.press('Enter');
  await second.getByRole('alert').getByText('That code is wrong').waitFor();
  await signedOutBehind();
  await code.fill(confirmTotp.recoveryCodes[0]);
  await code.press('Enter');
  await page.getByText(`Signed in as ${person.login} (USER)`).waitFor();
  await ask('{ viewer { username } }', { viewer: { username: person.login } });
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signedOut();
});

test('after many failures it is said how long to wait', async () => {
  await fill('nobody', 'wrong password');
  for (let i = 0; i < 20; i += 1) {
    await panel().getByLabel('Password', { exact: true }).fill(`wrong password ${i}`);
    const [response] = await Promise.all([
      page.waitForResponse((r) => r.request().postData()?.includes('signIn')),
      panel().getByRole('button', { name: 'Sign in' }).click(),
    ]);
    await panel().locator('input[name=password][value=""]').or(panel().getByRole('alert')).first().waitFor();
    if (response.status() === 429) {
      await panel().getByRole('alert').getByText(/Try again in \d+ seconds?\./).waitFor();
      expected(429);
      return;
    }
    await panel().getByRole('alert').getByText('do not go together').waitFor();
  }
  assert.fail('nobody was slowed down');
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});

function panel() {
  return page.getByRole('dialog', { name: 'Sign in' });
}

async function fill(login, password) {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await panel().getByLabel('Username or email').fill(login);
  await panel().getByLabel('Password', { exact: true }).fill(password);
}

function signedIn() {
  return page.getByText(`Signed in as ${demo.login} (${demo.role})`).waitFor();
}

// signedOutBehind fails if somebody is signed in behind the panel.
async function signedOutBehind() {
  assert.equal(await page.getByText('Signed in as').count(), 0);
}

// codeOf returns what an authenticator app shows for a secret now (RFC 6238).
function codeOf(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const sum = createHmac('sha1', key).update(counter).digest();
  return String((sum.readUInt32BE(sum.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function signedOut() {
  return page.getByRole('button', { name: 'Sign in' }).waitFor();
}

let sent;

// run runs a query in the tab that is open, and returns when there is an answer to it.
async function run(query) {
  const [response] = await Promise.all([page.waitForResponse((r) => r.request().postData()?.includes('viewer')), start(query)]);
  sent = response.request();
}

// start types an operation into the tab that is open, and runs it.
async function start(query) {
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete'); // what is typed over a selection can be put around it
  await page.keyboard.insertText(query);
  await page.locator('.graphiql-execute-button').click();
}

function result(text) {
  return page.locator('.result-window .view-lines').getByText(text).first();
}

// ask runs a query, and waits until its data are shown.
async function ask(query, data) {
  await run(query);
  const shown = JSON.stringify(data).replace(/\W/g, '');
  await page.waitForFunction((want) => document.querySelector('.result-window .view-lines')?.innerText.replace(/\W/g, '').startsWith(`data${want}`), shown);
}

async function lastSent() {
  return (await sent.allHeaders()).authorization;
}

async function typeHeaders(headers) {
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete'); // what is typed over a selection can be put around it
  await page.keyboard.insertText(JSON.stringify(headers));
}

// expected takes back what the browser complains of in answers that are meant to be refused.
function expected(status) {
  const rest = complaints.filter((text) => !text.includes(`status of ${status}`));
  assert.ok(rest.length < complaints.length, `there was no answer with status ${status}`);
  complaints.splice(0, complaints.length, ...rest);
}
