// Uses the operator's corner and the map of the schema in headless Chromium. The server has AUTH=on,
// SESSION_COOKIE=on, WEBHOOK_PRIVATE=on and the demo data of a first start in development.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forge, newPage, noViolations, open } from '../playground/browser.mjs';

const { SCREENSHOT } = process.env;
const admin = { login: 'admin', password: 'forge-demo-admin' };
const user = { login: 'user', password: 'forge-demo-user' };

let browser, page, foreign, complaints, token;

before(async () => {
  ({ browser, page, foreign, complaints } = await open());
  token = (await signedIn(admin)).accessToken;
  await page.goto(new URL('/console', forge).href);
  await page.getByLabel(/username or email/i).fill(admin.login);
  await page.getByLabel('Password', { exact: true }).fill(admin.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await heading('What is here').waitFor();
});

after(() => browser?.close());

test('an administrator sees health, migrations, activity and the slowest operations', async () => {
  await ask('query SlowForTheConsole { users(first: 5) { nodes { id orders { nodes { id } } } } }');
  await navigate('Server');
  await heading('Health').waitFor();
  await page.getByText('The schema is as the migrations left it.').waitFor();
  await page.getByText('None waits to be sent.').waitFor();
  await page.getByRole('region', { name: 'Times of operations' }).getByText('SlowForTheConsole').waitFor();
  await page.getByRole('region', { name: 'Applied and pending' }).getByText(/_init$/).waitFor();
  await everybody();
  await phone();
});

test('they end a session of somebody', async () => {
  await signedIn(user);
  await navigate('Sessions');
  await page.getByRole('combobox', { name: 'Whose sessions?' }).click();
  await page.keyboard.type('user');
  await page.getByRole('option', { name: 'user', exact: true }).click();
  const ends = page.getByRole('button', { name: /^End the session/ });
  await ends.first().waitFor();
  await everybody();
  await phone();
  for (let left = await ends.count(); left > 0; left -= 1) {
    await ends.first().click();
    await page.waitForFunction((now) => document.querySelectorAll('td button.danger').length < now, left);
  }
  await page.getByText('user is signed in nowhere').waitFor();
  const { users } = await ask('{ users(where: { username: "user" }) { nodes { sessions { nodes { id } } } } }');
  assert.deepEqual(users.nodes[0].sessions.nodes, []);
});

test('they see an endpoint that fails, have it delivered to again, and delete it', async () => {
  const url = `${forge.origin}/nothing-is-here`;
  await ask('mutation($url: String!) { createWebhook(input: { url: $url, role: ADMIN, document: "subscription { changes { cursor changes { kind } } }" }) { webhook { id } } }', { url });
  await ask(`mutation { createTeam(input: { name: "Told by a webhook ${Date.now()}" }) { team { id } } }`);
  await navigate('Webhooks');
  await page.getByText(/Failing, \d+ times/).waitFor();
  await everybody();
  await phone();
  await page.getByRole('button', { name: `Deliver again: ${url}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deliver again' }).click();
  await page.getByText(`${url} will be delivered to again.`).waitFor();
  await page.getByRole('button', { name: `Delete: ${url}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There are no endpoints.').waitFor();
});

test('the map shows all types, and the keyboard walks on it', async () => {
  await navigate('Map of the schema');
  const box = (name) => page.getByRole('group', { name: 'Types' }).getByRole('link', { name, exact: true });
  await box('Order').focus();
  const seen = new Set();
  for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
    await page.keyboard.press(key);
    seen.add(await page.evaluate(() => document.activeElement.dataset.name));
  }
  assert.ok(seen.size > 1 && !seen.has(undefined), `the keys lead to ${[...seen]}`);
  await box('Order').focus();
  await page.keyboard.press('Enter');
  await heading('Order').waitFor();
  await everybody();
  if (SCREENSHOT) {
    await page.locator('.toast').waitFor({ state: 'hidden' });
    await page.screenshot({ path: SCREENSHOT });
  }
  await page.getByRole('checkbox', { name: /Only what Order/ }).check();
  assert.equal(await box('Team').count(), 0);
  const panel = page.getByRole('region', { name: 'Order', exact: true });
  await panel.getByRole('link', { name: 'User' }).click();
  await heading('User').waitFor();
  await page.getByRole('searchbox', { name: 'Find a type' }).fill('her');
  await page.getByText(/1 of \d+ types/).waitFor();
  await phone();
  await page.getByRole('region', { name: 'User', exact: true }).getByRole('link', { name: 'All users' }).click();
  await heading('Users').waitFor();
});

test('somebody who is no administrator sees the map, and no server', async () => {
  const other = await newPage(browser);
  await other.page.goto(new URL('/console', forge).href);
  await other.page.getByLabel(/username or email/i).fill(user.login);
  await other.page.getByLabel('Password', { exact: true }).fill(user.password);
  await other.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const navigation = other.page.getByRole('navigation', { name: 'All there is' });
  await navigation.getByRole('link', { name: 'Map of the schema' }).waitFor();
  for (const name of ['Server', 'Webhooks', 'Sessions']) {
    assert.equal(await navigation.getByRole('link', { name, exact: true }).count(), 0, name);
  }
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});

const heading = (name) => page.getByRole('heading', { name, exact: true });
const navigate = (name) => page.getByRole('navigation', { name: 'All there is' }).getByRole('link', { name, exact: true }).click();

async function post(query, variables) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(new URL('/graphql', forge), { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}

async function ask(query, variables) {
  const { data, errors } = await post(query, variables);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

async function signedIn(input) {
  return (await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }', { input })).signIn;
}

// everybody can read and reach what is there, when it is light and when it is dark.
async function everybody() {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await noViolations(page);
  }
}

// phone checks that nothing is wider than a phone.
async function phone() {
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} wide`);
  await page.setViewportSize({ width: 1280, height: 800 });
}
