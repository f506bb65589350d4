// Drives the console of a running server in headless Chromium, as an administrator who knows nothing
// of GraphQL, with every other server out of reach. The server has AUTH=on, SESSION_COOKIE=on, TOTP=on
// and the demo data of a first start in development. ../playground/browser.mjs says how to run it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { forge, newPage, noViolations as axe, open } from '../playground/browser.mjs';

const { SCREENSHOT, AXE = 'on' } = process.env; // AXE=off leaves out what another run has checked
const admin = { login: 'admin', password: 'forge-demo-admin' };
const user = { login: 'user', password: 'forge-demo-user' };

let browser, page, foreign, complaints, token, delay;

before(async () => {
  ({ browser, page, foreign, complaints } = await open());
  token = (await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }', { input: admin })).signIn.accessToken;
});

after(async () => {
  await page?.unrouteAll({ behavior: 'ignoreErrors' });
  await browser?.close();
});

test('nobody sees anything before they have signed in', async () => {
  await page.goto(new URL('/console', forge).href);
  await heading('Sign in').waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
  await everybody();
});

test('a wrong password is said in words', async () => {
  await signIn(page, { ...admin, password: 'wrong' });
  await page.getByRole('alert').getByText('do not go together').waitFor();
});

test('an administrator signs in, and sees what there is within a second', async () => {
  await signIn(page, admin);
  await heading('What is here').waitFor();
  await page.reload(); // the cookie goes on with the session
  await heading('What is here').waitFor();
  const shown = await page.evaluate(() => performance.now());
  console.log(`# the first view was there after ${Math.round(shown)} ms`);
  await page.getByRole('main').getByText('500', { exact: true }).waitFor();
  await everybody();
});

test('they find an order of somebody, and mark it as paid', async () => {
  const { orders } = await ask('{ orders(first: 1, where: { status: PENDING }) { nodes { id user { username } } } }');
  const [order] = orders.nodes;
  await navigate('Orders');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByLabel('Find a column').fill('user name');
  assert.equal(await page.getByLabel('Column', { exact: true }).evaluate((select) => select.selectedOptions[0].text), 'User → Username');
  await choose('Condition', 'is');
  await page.getByLabel('Value').fill(order.user.username);
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.getByLabel('Column', { exact: true }).selectOption('Status');
  await page.getByLabel('Value').selectOption('Pending');
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.getByRole('link', { name: `…${order.id.slice(-6)}` }).waitFor();
  await everybody();
  await page.getByRole('link', { name: `…${order.id.slice(-6)}` }).click();
  await page.getByRole('heading', { name: 'Items' }).waitFor();
  await everybody();
  await page.getByRole('button', { name: 'Mark as paid' }).click();
  await noViolations(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Mark as paid' }).click();
  await said('The order was marked as paid.');
  await page.locator('dd').getByText('Paid', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Mark as paid' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByText('This has just changed').count(), 0); // it was they who have changed it
  const { order: now } = await ask(`{ order(id: "${order.id}") { status } }`);
  assert.equal(now.status, 'PAID');
});

test('they correct the price of a product, and only that is sent', async () => {
  await navigate('Products');
  await page.getByLabel('Search products').fill('shield');
  await page.getByLabel('Search products').press('Enter');
  await page.getByRole('row').nth(1).getByRole('link').filter({ hasText: /shield/i }).first().click();
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Price').waitFor();
  await everybody();
  await page.getByLabel('Price').fill('1,234'); // which may be a thousand, or not
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByRole('alert').getByText('This has to be an amount').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-invalid')), 'true');
  await page.getByLabel('Price').fill('-1');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.locator('.field', { hasText: 'Price' }).getByRole('alert').getByText('Price is -1.00').waitFor();
  await page.getByLabel('Price').fill('1234.5');
  const [request] = await Promise.all([
    page.waitForRequest((r) => r.postData()?.includes('updateProduct')),
    page.getByRole('button', { name: 'Save changes' }).click(),
  ]);
  const { input, expectedVersion } = request.postDataJSON().variables;
  assert.deepEqual(input, { priceCents: 123450 });
  assert.ok(expectedVersion >= 1);
  await said('Your changes are stored.');
  await page.locator('dd').getByText('1,234.50').waitFor();
});

test('a change that somebody else has overtaken shows both versions', async () => {
  const id = (await page.evaluate(() => location.hash)).split('/')[2];
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Price').fill('7,77');
  await page.getByLabel('Name').fill('The shield of mine');
  await ask(`mutation { updateProduct(id: "${id}", input: { priceCents: 888 }) { product { id } } }`);
  await page.getByRole('button', { name: 'Save changes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Somebody else has changed this' });
  await dialog.getByText('Theirs: 8.88').waitFor();
  await noViolations(page);
  await dialog.getByLabel('Theirs: 8.88').check();
  await dialog.getByRole('button', { name: 'Save what is chosen' }).click();
  await heading('The shield of mine').waitFor();
  const { product } = await ask(`{ product(id: "${id}") { name priceCents } }`);
  assert.deepEqual(product, { name: 'The shield of mine', priceCents: 888 });
});

test('they restore a user who was deleted by mistake', async () => {
  const { createUser } = await ask('mutation { createUser(input: { username: "by.mistake" }) { user { id } } }');
  await navigate('Users');
  await page.getByLabel('Search users').fill('by.mistake');
  await page.getByLabel('Search users').press('Enter');
  await page.getByRole('link', { name: 'by.mistake' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await said('The user was deleted.');
  await page.getByRole('button', { name: 'Show deleted' }).click();
  await heading('Deleted users').waitFor();
  await page.getByRole('cell', { name: 'by.mistake', exact: true }).waitFor();
  await everybody();
  await page.getByRole('row', { name: 'by.mistake' }).getByRole('button', { name: 'Restore' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await said('The user was restored.');
  const { user: back } = await ask(`{ user(id: "${createUser.user.id}") { username } }`);
  assert.equal(back.username, 'by.mistake');
});

test('a new row refers to others that are found by search, with the keyboard alone', async () => {
  await navigate('Orders');
  await page.getByRole('link', { name: 'New order' }).press('Enter');
  await page.locator('main:focus').waitFor(); // the keyboard goes on in the view that has come
  await page.getByRole('combobox', { name: 'User' }).focus();
  await page.keyboard.type('admin');
  await page.getByRole('option', { name: 'admin', exact: true }).waitFor();
  await noViolations(page);
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Product' }).focus();
  await page.keyboard.type('rope');
  await page.getByRole('option').filter({ hasText: /rope/i }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Create order' }).press('Enter');
  await page.getByRole('alert').getByText('This has to be filled in.').waitFor();
  await page.getByLabel('Quantity').fill('2');
  await page.getByRole('button', { name: 'Create order' }).press('Enter');
  await said('The order was created.');
  await page.locator('dd').getByRole('link', { name: 'admin' }).waitFor();
});

test('a row is made together with related ones, some of them new', async () => {
  const name = `A new team ${Date.now()}`;
  const { heroes } = await ask('{ heroes(last: 1) { nodes { id name } } }');
  await navigate('Teams');
  await page.getByRole('link', { name: 'New team' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('combobox', { name: 'Add an existing one' }).fill(heroes.nodes[0].name);
  await page.getByRole('option', { name: heroes.nodes[0].name, exact: true }).first().click();
  await page.getByText(`Add ${heroes.nodes[0].name}`).waitFor();
  await page.getByRole('button', { name: 'Make a new one' }).click();
  await page.locator('.entry').getByLabel('Age').fill('-1');
  await page.getByRole('button', { name: 'Create team' }).click();
  await page.locator('.entry .field', { hasText: 'Name' }).first().getByRole('alert').waitFor();
  await page.locator('.entry').getByLabel('Name').first().fill('Fledgling');
  await page.getByRole('button', { name: 'Create team' }).click();
  await page.locator('.entry .field', { hasText: 'Age' }).getByRole('alert').waitFor(); // input.heroes.create.0.age
  await noViolations(page);
  await page.locator('.entry').getByLabel('Age').fill('3');
  await page.getByRole('button', { name: 'Create team' }).click();
  await said('The team was created.');
  const { teams } = await ask('query($name: String!) { teams(where: { name: $name }) { nodes { heroes { nodes { name age } } } } }', { name });
  assert.deepEqual(teams.nodes[0].heroes.nodes.map((hero) => hero.name).sort(), [heroes.nodes[0].name, 'Fledgling'].sort());
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByRole('group', { name: 'Heroes' }).getByRole('combobox', { name: 'Remove one' }).click();
  await page.getByRole('option', { name: 'Fledgling' }).waitFor();
  assert.equal(await page.getByRole('option').count(), 2); // none of the other teams
  await page.keyboard.press('Escape');
});

test('an error is shown at the field that it is about', async () => {
  await navigate('Users');
  await page.getByRole('link', { name: 'New user' }).click();
  await page.getByLabel('Username').fill('newcomer');
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Create user' }).click();
  await page.locator('.field', { hasText: 'Password' }).getByRole('alert').waitFor();
  assert.equal(await page.locator('.field', { hasText: 'Username' }).getByRole('alert').count(), 0);
});

test('rows that change elsewhere change here', async () => {
  await navigate('Heroes');
  await page.getByRole('row').nth(2).waitFor();
  const name = `Seen at once ${Date.now()}`;
  const { heroes } = await ask('{ heroes(first: 1) { nodes { id } } }');
  // The subscription may begin a moment after the list was shown.
  for (let tries = 0; tries < 50 && (await page.getByRole('link', { name }).count()) === 0; tries += 1) {
    await ask('mutation($id: ID!, $input: UpdateHeroInput!) { updateHero(id: $id, input: $input) { hero { id } } }', { id: heroes.nodes[0].id, input: { name } });
    await page.getByRole('link', { name }).waitFor({ timeout: 1000 }).catch(() => {});
  }
  await page.locator('tr.recent').getByRole('link', { name }).waitFor();
});

test('a list has pages, an order, columns, totals and groups', async () => {
  await page.getByRole('button', { name: 'Name' }).click();
  await page.locator('th[aria-sort=ascending]').waitFor();
  await page.getByText('1–50 of 1,00').waitFor();
  await settled();
  const first = await page.getByRole('row').nth(1).innerText();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('51–100 of 1,00').waitFor();
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.getByText('1–50 of 1,00').waitFor();
  await settled();
  assert.equal(await page.getByRole('row').nth(1).innerText(), first);
  const search = page.getByLabel('Search heroes');
  await search.fill('wolf');
  await search.press('Enter');
  await page.waitForFunction(() => location.hash.includes('search=wolf'));
  await search.press('Control+a');
  await search.press('Delete'); // which lists all rows again, and leaves the keyboard where it is
  await page.waitForFunction(() => !location.hash.includes('search='));
  await page.keyboard.type('fox');
  assert.equal(await search.inputValue(), 'fox');
  await search.fill('');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('Updated').check();
  await page.getByRole('columnheader', { name: 'Updated' }).waitFor();
  await everybody();
  await page.getByRole('button', { name: 'Totals' }).click();
  await page.getByLabel('Group by').selectOption('Team');
  await page.getByLabel('What is shown').selectOption('average of age');
  await page.getByText('Average of age by team').waitFor();
  await page.locator('.chart').getByText('The Sapphire Union').waitFor();
  await everybody();
});

test('an error calls a row by its name', async () => {
  const { products } = await ask('{ products(first: 2) { nodes { id name } } }');
  await navigate('Products');
  await page.getByRole('link', { name: products.nodes[1].name, exact: true }).click();
  await page.getByRole('button', { name: 'Adjust stock' }).click();
  await page.getByLabel('Delta').fill('-100000');
  await page.getByRole('dialog').getByRole('button', { name: 'Adjust stock' }).click();
  await page.getByRole('alert').getByText(products.nodes[1].name).waitFor();
  assert.doesNotMatch(await page.getByRole('alert').innerText(), /product_/);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
});

test('several rows are changed and deleted together', async () => {
  await ask('mutation { createHeroes(input: [{ name: "Bulk one", age: 1 }, { name: "Bulk two", age: 2 }]) { heroes { id } } }');
  await navigate('Heroes');
  await page.getByLabel('Search heroes').fill('bulk');
  await page.getByLabel('Search heroes').press('Enter');
  await page.getByText('1–2 of 2').waitFor();
  await slow(700, (request) => request.includes('list:')); // whoever is quicker than the list
  await page.getByLabel('Select all on this page').check();
  await page.getByRole('button', { name: 'Change…' }).click();
  await page.getByRole('dialog').getByLabel('Age').fill('33');
  await noViolations(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await said('2 heroes were changed.');
  const { heroes } = await ask('{ heroes(search: "bulk") { nodes { name age } } }');
  assert.deepEqual(heroes.nodes.map(({ age }) => age), [33, 33]);
  await page.getByLabel('Select all on this page').check();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await said('2 heroes were deleted.');
  await page.getByText('Nothing matches.').waitFor();
  quick();
});

test('an address that somebody has typed wrong shows a page all the same', async () => {
  await page.goto(new URL('/console#/heroes?filter=%7Bnonsense&sort=NOTHING+ASC', forge).href);
  await heading('Heroes').waitFor();
  await page.getByRole('row').nth(1).waitFor();
  for (const address of ['nowhere', '%E0%A4%A', 'constructor']) {
    await page.goto(new URL(`/console#/${address}`, forge).href);
    await heading('Nothing is here').waitFor();
  }
});

test('text of rows is never taken for HTML, a script or an address', async () => {
  const nasty = ['<img src=x onerror=alert(1)><script>alert(2)</script>', 'javascript:alert(3)', '"><svg/onload=alert(4)>\u202Egnp.', `${'W'.repeat(99)}\u202E`];
  const dialogs = [];
  page.on('dialog', (dialog) => (dialogs.push(dialog.message()), dialog.dismiss()));
  const { createTeam } = await ask('mutation { createTeam(input: { name: "Attackers" }) { team { id } } }');
  await ask('mutation($input: [CreateHeroInput!]!) { createHeroes(input: $input) { heroes { id } } }', { input: nasty.map((name) => ({ name, age: 1, teamId: createTeam.team.id })) });
  await page.goto(new URL(`/console#/teams/${createTeam.team.id}`, forge).href);
  await page.getByText(nasty[0]).waitFor();
  for (const name of nasty) {
    await page.getByRole('region', { name: 'Heroes' }).getByRole('link', { name, exact: true }).click();
    await heading(name).waitFor();
    assert.equal(await page.locator('main img, main script, main svg, main a[href^="javascript:" i]').count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
    await page.goBack();
  }
  assert.deepEqual(dialogs, []);
});

test('an answer of a search that comes late is not what the keyboard chooses', async () => {
  await page.goto(new URL('/console#/orders/new', forge).href);
  const user = page.getByRole('combobox', { name: 'User' });
  await user.click();
  await page.getByRole('option').nth(1).waitFor();
  await slow(300);
  await page.keyboard.type('admin');
  await page.keyboard.press('Enter'); // the rows of the empty text are still there
  await page.getByRole('listbox', { name: 'Users' }).waitFor({ state: 'hidden' });
  assert.equal(await user.inputValue(), 'admin');
  quick();
});

test('a picture is uploaded, and shown', async (t) => {
  const { Mutation } = (await (await fetch(new URL('/console/schema.json', forge), { headers: { Authorization: `Bearer ${token}` } })).json()).types;
  const uploads = Mutation.fields.some(({ name }) => name === 'createUpload');
  if (!uploads || process.env.FILES === 'off') {
    return t.skip('the server keeps no files');
  }
  await navigate('Products');
  await page.getByRole('row').nth(1).getByRole('link').first().click();
  await page.getByRole('link', { name: 'Edit' }).click();
  const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  await page.locator('input[type=file]').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: picture });
  await page.getByRole('img', { name: 'dot.png' }).waitFor();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await said('Your changes are stored.');
  await page.waitForFunction(() => document.querySelector('dd img')?.naturalWidth === 1);
});

test('on a phone everything is within the width', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ['Orders', 'Users']) {
    await page.getByRole('button', { name: 'Menu' }).click();
    await navigate(name);
    await page.getByRole('row').nth(1).waitFor();
    await fits();
    await page.getByRole('row').nth(1).getByRole('link').first().click();
    await page.locator('dl').first().waitFor();
    await fits();
    await everybody();
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('screenshot', { skip: !SCREENSHOT && 'SCREENSHOT is not set' }, async () => {
  await navigate('Orders');
  await page.getByRole('button', { name: 'Totals' }).click();
  await page.locator('.chart').waitFor();
  await page.locator('.toast:empty').waitFor({ state: 'attached' });
  await page.screenshot({ path: SCREENSHOT });
});

test('whoever is no administrator is shown only what they may do', async () => {
  const other = await newPage(browser);
  await other.page.goto(new URL('/console#/products', forge).href);
  await signIn(other.page, user);
  await other.page.getByRole('heading', { level: 1, name: 'Products' }).waitFor();
  assert.equal(await other.page.getByRole('link', { name: 'New product' }).count(), 0);
  await other.page.goto(new URL('/console#/users', forge).href);
  await other.page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  await other.page.getByRole('row', { name: user.login }).first().waitFor();
  assert.equal(await other.page.getByRole('button', { name: 'Show deleted' }).count(), 0);
  assert.equal(await other.page.getByRole('link', { name: 'New user' }).count(), 0);
  assert.deepEqual([...other.foreign, ...other.complaints], []);
});

test('a second factor is asked for where it is due', async () => {
  const { signIn: begun } = await ask('mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }', { input: user });
  const as = { Authorization: `Bearer ${begun.accessToken}` };
  const { beginTotp } = await ask('mutation { beginTotp { secret } }', {}, as);
  const { confirmTotp } = await ask('mutation($code: String!) { confirmTotp(code: $code) { recoveryCodes } }', { code: totp(beginTotp.secret) }, as);
  const other = await newPage(browser);
  await other.page.goto(new URL('/console', forge).href);
  await signIn(other.page, user);
  await other.page.getByLabel('Code of your authenticator app').fill(confirmTotp.recoveryCodes[0]);
  await noViolations(other.page);
  await other.page.getByRole('button', { name: 'Sign in' }).click();
  await other.page.getByRole('heading', { name: 'What is here' }).waitFor();
});

test('signing out forgets everything, however slow the server is', async () => {
  await slow(500);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await heading('Sign in').waitFor();
  await page.reload(); // a cookie that is still good would go on with the session
  await heading('Sign in').waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.doesNotMatch(kept, /eyJ|by\.mistake/);
  quick();
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});

// slow has the server answer later to those operations of the page that are meant, until quick.
async function slow(milliseconds, meant = () => true) {
  if (!delay) {
    // It stays: Playwright lets go of what a handler still holds as soon as the handler is removed.
    await page.route('**/graphql', async (route) => {
      await new Promise((passed) => setTimeout(passed, delay(route.request().postData() ?? '')));
      await route.continue();
    });
  }
  delay = (request) => (meant(request) ? milliseconds : 0);
}

function quick() {
  delay = () => 0;
}

// settled waits until the list is the one that was asked for.
function settled() {
  return page.locator('.scroll[aria-busy=false]').waitFor();
}

function heading(name) {
  return page.getByRole('heading', { level: 1, name, exact: true });
}

async function signIn(on, { login, password }) {
  await on.getByLabel('Username or email').fill(login);
  await on.getByLabel('Password').fill(password);
  await on.getByRole('button', { name: 'Sign in' }).click();
}

async function navigate(name) {
  await page.getByRole('navigation', { name: 'All there is' }).getByRole('link', { name, exact: true }).click();
  await heading(name).waitFor();
}

async function choose(label, option) {
  await page.getByLabel(label).selectOption(option);
}

function said(text) {
  return page.locator('.toast').getByText(text).waitFor();
}

function noViolations(on) {
  return AXE === 'off' ? undefined : axe(on);
}

// everybody checks that all can read and reach what is there, light and dark.
async function everybody() {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await noViolations(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

async function fits() {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} wide`);
}

// totp returns the code that an authenticator app shows now (RFC 6238).
function totp(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// ask sends an operation as the administrator, or as whoever the headers say, without the page.
async function ask(query, variables, as = token ? { Authorization: `Bearer ${token}` } : {}) {
  const response = await fetch(new URL('/graphql', forge), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...as },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}
