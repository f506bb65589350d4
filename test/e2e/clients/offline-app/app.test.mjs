// Uses the application of this folder in Chromium. FORGE_URL is where it is served, and where a
// POST to /edge/MODE says what becomes of its requests to Forge: pass or down. In the other modes each
// request is cut off when it comes for the first time: unsent, lost (the answer is), kill (the server
// is, once) or random. DIRECT_URL is Forge itself, with the demo's rows and
// AUTH=on; its access tokens expire after two seconds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forge, open } from '../../../../playground/browser.mjs';

const { DIRECT_URL, OFFLINE_SOAK, OFFLINE_SEED } = process.env;
let browser, context, page;

before(async () => {
  ({ browser, page } = await open());
  context = page.context();
  await page.goto(forge.href);
  await signInAs(page, 'user', 'forge-demo-user');
  await page.evaluate(() => navigator.serviceWorker.ready);
});

after(() => browser?.close());

test('all rows are read, page by page', async () => {
  await synced(page);
  await compare(page);
  assert.ok((await rowsOf(page)).filter(({ type }) => type === 'Hero').length >= 1000);
});

test('ten minutes offline, with a reload', async () => {
  await edge('down');
  await page.clock.install();
  await page.reload(); // served by the service worker
  await page.getByLabel('New hero').fill('Ada');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByLabel('Name of Ada').fill('Ada Lovelace');
  await page.getByLabel('Name of Ada').press('Enter');
  await page.getByText('2 to send').waitFor();
  OFFLINE_SOAK ? await pause(600_000) : await page.clock.fastForward('10:00');
  await page.close(); // while there is something to send
  page = await context.newPage();
  await page.goto(forge.href);
  await page.getByText('2 to send').waitFor();
  await edge('pass');
  await synced(page);
  const [ada] = await there('name: "Ada Lovelace"');
  assert.equal(ada.version, 2, 'made once, renamed once');
  await compare(page);
});

for (const mode of ['unsent', 'lost', 'kill']) {
  test(`each mutation is carried out once: ${mode}`, async () => {
    await edge(mode);
    const name = `cut off by ${mode}`;
    await page.evaluate(async (name) => {
      await app.add(name);
      const id = (await app.offline.shown('Hero')).find((hero) => hero.name === name).id;
      await app.rename(id, `${name}, 2`);
      await app.rename(id, `${name}, 3`);
    }, name);
    await synced(page);
    await edge('pass');
    const [hero] = await there(`name: "${name}, 3"`);
    assert.equal(hero.version, 3);
    await compare(page);
  });
}

test('an answer that comes late takes nothing back', async () => {
  const id = await add(page, 'Edith');
  await synced(page);
  let lost = false;
  await page.route('**/graphql', async (route) => {
    if (lost || !route.request().headers()['idempotency-key']) {
      return route.continue();
    }
    const response = await route.fetch();
    if (!(await response.json()).data) { // the access token has expired
      return route.fulfill({ response });
    }
    lost = true; // and what others do then is read before the answer is asked for again
    await rename(id, 'Edith, theirs');
    return route.abort();
  });
  await page.evaluate((id) => app.rename(id, 'Edith, mine'), id);
  await synced(page);
  await page.unroute('**/graphql');
  assert.ok(lost);
  const [hero] = await there(`id: "${id}"`);
  assert.deepEqual([hero.name, hero.version], ['Edith, theirs', 3]);
  await compare(page);
});

test('a conflict shows both, and either can be kept', async () => {
  for (const keep of [true, false]) {
    const id = await add(page, 'Grace');
    await synced(page);
    await edge('down');
    await page.evaluate((id) => app.rename(id, 'Grace, mine'), id);
    await rename(id, 'Grace, theirs');
    await edge('pass');
    const conflict = page.getByText('yours: Grace, mine, there: Grace, theirs');
    await syncUntil(page, conflict);
    await page.getByRole('button', { name: keep ? 'Keep mine' : 'Take what is there' }).click();
    await synced(page);
    const [hero] = await there(`id: "${id}"`);
    assert.deepEqual([hero.name, hero.version], keep ? ['Grace, mine', 3] : ['Grace, theirs', 2]);
    await remove(id);
  }
  await compare(page);
});

test('a row that was removed meanwhile', async () => {
  const id = await add(page, 'Alan');
  await synced(page);
  await edge('down');
  await page.evaluate((id) => app.rename(id, 'Alan, mine'), id);
  await remove(id);
  await edge('pass');
  await syncUntil(page, page.getByText('yours: Alan, mine, it is gone'));
  await page.getByRole('button', { name: 'Take what is there' }).click();
  await synced(page);
  await compare(page);
});

test('a row that one may no longer see', async () => {
  const orders = async () => (await rowsOf(page)).filter(({ type }) => type === 'Order').length;
  const before = await orders();
  assert.ok(before > 0);
  await edge('hide');
  await until(async () => (await synced(page), (await orders()) === before - 1));
});

test('the cursor has expired', async () => {
  await edge('down');
  const id = await add(page, 'Edsger');
  const [other] = await there('nameHasPrefix: ""');
  for (const name of ['once', 'twice', 'three times']) {
    await rename(other.id, `changed unseen ${name}`);
  }
  await edge('expire');
  await edge('pass');
  const expired = page.waitForResponse(async (answer) => /CURSOR_EXPIRED/.test(await answer.text()));
  await Promise.all([expired, synced(page)]);
  await compare(page);
  assert.equal((await there(`id: "${id}"`)).length, 1);
});

test('the cursor is one of another secret', async () => {
  let refused = false;
  page.waitForResponse(async (answer) => /not a cursor of changes/.test(await answer.text())).then(() => { refused = true; });
  await until(async () => { // the application may be about to store the cursor of an answer
    await page.evaluate(() => app.offline.db.cursors.put({ name: 'changes', after: 'bm90IGEgY3Vyc29y' }));
    await synced(page);
    return refused;
  });
  await compare(page);
});

test('the session has ended', async () => {
  await edge('down');
  const id = await add(page, 'Barbara');
  await context.clearCookies();
  await page.reload();
  await edge('pass');
  await page.evaluate(() => app.sync());
  await page.getByText('1 to send').waitFor();
  await signInAs(page, 'user', 'forge-demo-user');
  await synced(page);
  assert.equal((await there(`id: "${id}"`)).length, 1);
});

test('somebody else signs in, in another tab', async () => {
  await edge('down');
  const id = await add(page, 'Mine alone');
  await page.goto('about:blank');
  await edge('pass');
  const other = await context.newPage();
  await other.goto(new URL('/graphql-none', forge).href); // a page of the origin, without the application
  await other.evaluate(() => {
    const query = 'mutation { signIn(input: { login: "admin", password: "forge-demo-admin" }) { accessToken } }';
    const headers = { 'Content-Type': 'application/json' };
    return fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
  });
  await other.close();
  await page.goto(forge.href);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal((await there(`id: "${id}"`)).length, 0, 'not sent as somebody else');
  await signInAs(page, 'user', 'forge-demo-user');
  await synced(page);
  assert.equal((await there(`id: "${id}"`)).length, 1);
});

// What the server has is compared with a count of the changes of each hero: its version.
test('two tabs, and cuts at random', async () => {
  const steps = OFFLINE_SOAK ? 1000 : 60;
  const seed = Number(OFFLINE_SEED ?? (OFFLINE_SOAK ? Date.now() % 2 ** 32 : 23));
  console.log(`OFFLINE_SEED=${seed}`);
  const next = generator(seed);
  const pick = (list) => list[next(list.length)];
  const versions = new Map();
  const removed = new Set();
  const tabs = [page, await context.newPage()];
  await tabs[1].goto(forge.href);
  for (let step = 0; step < steps; step++) {
    await edge(step % 40 === 20 ? 'kill' : pick(['random', 'random', 'random', 'down']));
    const tab = pick(tabs);
    const id = pick([...versions.keys()].filter((id) => !removed.has(id)));
    const what = id ? pick(['add', 'rename', 'rename', 'rename', 'other', 'remove', 'sync', 'sync', 'reopen', 'settle']) : 'add';
    if (what === 'add') {
      versions.set(await add(tab, `hero ${step}`), 1);
    } else if (what === 'rename') {
      await tab.evaluate(([id, name]) => app.rename(id, name), [id, `name ${step}`]);
      versions.set(id, versions.get(id) + 1);
    } else if (what === 'remove') {
      await tab.evaluate((id) => app.remove(id), id);
      removed.add(id);
    } else if (what === 'other') {
      const renamed = await rename(id, `other ${step}`);
      versions.set(id, versions.get(id) + renamed);
    } else if (what === 'reopen') {
      await tab.close();
      tabs[tabs.indexOf(tab)] = await context.newPage();
      await tabs.at(-1).goto(forge.href);
      await Promise.all(tabs.map((tab) => tab.url() === forge.href || tab.goto(forge.href)));
    } else if (what === 'settle') {
      await settleAll(tab, versions, removed, next(2) === 0);
    } else {
      await tab.evaluate(() => void app.sync());
    }
  }
  page = tabs[0];
  await edge('pass');
  await until(async () => {
    await syncOnce(page);
    await settleAll(page, versions, removed, false);
    return (await queueOf(page)).length === 0;
  });
  await compare(page);
  const stored = new Map((await everything()).map(({ id, version }) => [id, version]));
  for (const [id, version] of versions) {
    assert.equal(stored.get(id), removed.has(id) ? undefined : version, `changes of ${id}`);
  }
});

// settleAll decides about what was refused. If it is dropped, it no longer counts.
async function settleAll(tab, versions, removed, again) {
  for (const { place, row } of (await queueOf(tab)).filter(({ state }) => state === 'refused')) {
    const gone = (await queueOf(tab)).filter((entry) => entry.row === row);
    await tab.evaluate(([place, again]) => app.offline.settle(place, again), [place, again]);
    if (!again) {
      versions.set(row, versions.get(row) - gone.filter(({ mutation }) => mutation === 'rename').length);
      removed.delete(row);
    }
  }
}

// generator returns a function that returns numbers below a limit, the same for the same seed.
function generator(state) {
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// until waits until a check is true.
async function until(check, say = () => '') {
  for (const end = Date.now() + 30_000; !(await check()); await pause(100)) {
    assert.ok(Date.now() < end, `never true: ${check}\n${say()}`);
  }
}

async function edge(mode) {
  assert.ok((await fetch(new URL(`/edge/${mode}`, forge), { method: 'POST' })).ok, mode);
}

async function signInAs(tab, login, password) {
  await tab.getByLabel('Name', { exact: true }).fill(login);
  await tab.getByLabel('Password').fill(password);
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.locator('main').waitFor();
  await tab.locator('#sign-in').waitFor({ state: 'hidden' });
}

async function add(tab, name) {
  return tab.evaluate(async (name) => {
    const { newID } = await import('/sync.js');
    const id = newID('hero');
    await app.offline.write('create', 'Hero', id, { id, name });
    app.sync();
    return id;
  }, name);
}

const queueOf = (tab) => tab.evaluate(() => app.offline.db.queue.toArray());
const rowsOf = (tab) => tab.evaluate(() => app.offline.db.rows.toArray());

async function syncOnce(tab) {
  await tab.evaluate(() => app.sync());
  if (await tab.locator('#sign-in').isVisible()) {
    await signInAs(tab, 'user', 'forge-demo-user');
  }
}

// synced waits until everything is sent and read.
async function synced(tab) {
  await until(async () => {
    await syncOnce(tab);
    return (await tab.locator('#state').getAttribute('data-state')) === 'synced' && (await queueOf(tab)).length === 0;
  });
}

async function syncUntil(tab, shown) {
  await until(async () => (await syncOnce(tab), shown.isVisible()));
}

// compare waits until the rows are those that the user may see.
async function compare(tab) {
  let has, wants;
  await until(async () => {
    await syncOnce(tab);
    has = (await rowsOf(tab)).map(text).sort();
    wants = (await everything()).map(text).sort();
    return has.join() === wants.join();
  }, () => `only here: ${has.filter((row) => !wants.includes(row))}; only there: ${wants.filter((row) => !has.includes(row))}`);
}

const text = ({ id, name, status, version }) => `${id} ${name ?? status} ${version}`;

// everything returns all rows that the user may see.
async function everything() {
  const rows = [];
  for (const list of ['heroes', 'orders']) {
    const fields = list === 'heroes' ? 'name' : 'status';
    for (let page, after = null; !page || page.pageInfo.hasNextPage; after = page.pageInfo.endCursor) {
      const query = `query($after: Cursor) { page: ${list}(first: 100, after: $after) {
        nodes { id version ${fields} } pageInfo { hasNextPage endCursor } } }`;
      ({ page } = await ask('user', query, { after }));
      rows.push(...page.nodes);
    }
  }
  return rows;
}

// there returns the heroes on the server that fulfil a condition.
async function there(where) {
  const { heroes } = await ask('user', `{ heroes(where: { ${where} }) { nodes { id name version } } }`);
  return heroes.nodes;
}

// rename and remove change heroes without the application. rename returns how often it did.
async function rename(id, name) {
  const query = 'mutation($id: ID!, $name: String!) { updateHero(id: $id, input: { name: $name }) { hero { id } } }';
  return (await ask('admin', query, { id, name })) ? 1 : 0;
}

async function remove(id) {
  await ask('admin', 'mutation($id: ID!) { deleteHero(id: $id) { deletedId } }', { id });
}

const tokens = {};

// ask asks Forge itself, as a user, and again if it is just being killed. It returns null if a row
// is not there.
async function ask(login, query, variables) {
  const key = crypto.randomUUID();
  for (;; await pause(50)) {
    const { data, errors } = tokens[login] ? await post(query, variables, tokens[login], key) : await signIn(login);
    const code = errors?.[0].extensions?.code;
    if (code === 'UNAUTHENTICATED') {
      tokens[login] = undefined;
    } else if (data?.signIn) {
      tokens[login] = data.signIn.accessToken;
    } else if (!errors || code === 'NOT_FOUND') {
      return data;
    } else {
      assert.ok(!code || ['UNAVAILABLE', 'TIMEOUT'].includes(code), JSON.stringify(errors));
    }
  }
}

const signIn = (login) =>
  post(`mutation { signIn(input: { login: "${login}", password: "forge-demo-${login}" }) { accessToken } }`);

// post has an error without a code if there is no answer.
async function post(query, variables, token, key) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) {
    Object.assign(headers, { Authorization: `Bearer ${token}`, 'Idempotency-Key': key });
  }
  const request = { method: 'POST', headers, body: JSON.stringify({ query, variables }) };
  try {
    return await (await fetch(new URL('/graphql', DIRECT_URL), request)).json();
  } catch (error) {
    return { errors: [{ message: String(error) }] };
  }
}
