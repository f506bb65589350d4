// Drives the playground of a running server in headless Chromium, with every other server out of reach. browser.mjs says how to run it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { forge, noViolations, open, post } from './browser.mjs';

const { SCREENSHOT } = process.env;
const examples = readdirSync(new URL('examples/', import.meta.url)).filter((name) => name.endsWith('.graphql'));
const subscribes = (name) => /^subscription\b/m.test(readFileSync(new URL(`examples/${name}`, import.meta.url), 'utf8'));

let browser, page, foreign, complaints;

before(async () => ({ browser, page, foreign, complaints } = await open()));

after(() => browser?.close());

test('a first visit opens the examples', async () => {
  await page.goto(forge.href);
  await line('.graphiql-query-editor', /./).waitFor();
  const titles = await tabs().allInnerTexts();
  assert.equal(titles.length, examples.length);
  for (const title of titles) {
    assert.match(title, /^[A-Z]\w+$/, 'a tab is titled by the name of its operation');
  }
  assert.equal(await badge().count(), 0, 'no SQL cost before anything ran');
});

for (const [index, name] of examples.entries()) {
  test(`example ${name} runs`, { skip: subscribes(name) && 'it has a test of its own' }, async () => {
    const title = await tabs().nth(index).innerText();
    await tabs().nth(index).click();
    await line('.graphiql-query-editor', new RegExp(`(query|mutation)\\s${title}\\b`)).waitFor();
    const { request, answer } = await whileRunning(() => page.locator('.graphiql-execute-button').click());
    assert.match(request.postDataJSON().query, new RegExp(`\\b(query|mutation) ${title}\\b`));
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    assert.ok(answer.data, 'there is data');
    await resultShows('"data"');
    await badgeShows(answer);
    const explained = await page.getByRole('button', { name: 'SQL and plan' }).count();
    assert.equal(explained, /^query\b/m.test(request.postDataJSON().query) ? 1 : 0, 'a query can be run again for its plan, a mutation not');
  });
}

test('the questions have answers about the demo data', async () => {
  await tabs().getByText('Questions').click();
  const { answer } = await whileRunning(() => page.locator('.graphiql-execute-button').click());
  const { revenue, bestSold, teams } = answer.data;
  assert.equal(bestSold.groups.length, 10);
  assert.ok(revenue.groups.length > 1 && teams.nodes.length > 1);
  for (const [what, numbers] of [
    ['best sold', bestSold.groups.map((group) => Number(group.aggregate.sum.quantity))],
    ['teams', teams.nodes.map((team) => team.heroes.aggregate.count)],
  ]) {
    assert.deepEqual(numbers, numbers.toSorted((a, b) => b - a), what);
    assert.ok(numbers[0] > 0, what);
  }
});

test('an example can be run again', async () => {
  for (const [index] of [...examples.entries()].filter(([, name]) => !subscribes(name))) {
    await tabs().nth(index).click();
    const { answer } = await whileRunning(() => page.locator('.graphiql-execute-button').click());
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  }
});

test('a subscription shows what another window does, until it is stopped', async () => {
  await tabs().getByText('LiveHeroes').click();
  await line('.graphiql-query-editor', /subscription\sLiveHeroes/).waitFor();
  await page.locator('.graphiql-execute-button').click();
  await resultShows('"totalCount"');
  const name = `Newcomer ${Date.now()}`;
  await post(`mutation { createHero(input: { name: "${name}" }) { hero { id } } }`);
  await resultShows(name);
  await page.getByRole('button', { name: 'Stop query' }).click();
  await page.getByRole('button', { name: 'Execute query' }).waitFor();
});

test('a query typed by hand completes fields, runs and shows its result', async () => {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  assert.equal(await badge().count(), 0, 'no SQL cost in a tab in which nothing ran');
  await page.keyboard.type('{ us', { delay: 40 });
  const suggestion = page.locator('.suggest-widget.visible .monaco-list-row', { hasText: /^users/ });
  await suggestion.waitFor();
  while ((await suggestion.getAttribute('class')).split(' ').includes('focused') === false) {
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
  await line('.graphiql-query-editor', /\{\s*users/).waitFor();
  await page.keyboard.type('(first: 2) { totalCount nodes { username } }', { delay: 40 });
  const { request, answer } = await whileRunning(() => page.keyboard.press('Control+Enter'));
  assert.equal(answer.errors, undefined, `${request.postDataJSON().query}\n${JSON.stringify(answer.errors)}`);
  assert.equal(answer.data.users.nodes.length, 2);
  await resultShows(answer.data.users.nodes[1].username);
  await badgeShows(answer);
});

test('what is wrong with a query is underlined before it runs', async () => {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.insertText('{ noSuchField }');
  await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor();
  await page.locator('.graphiql-tab-close').last().click();
});

test('prettify tidies the query and the variables', async () => {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.insertText('query Q($n: Int) {users(first: $n) {totalCount}} # kept');
  await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
  await page.keyboard.insertText('{"n":1, // kept\n"m":[2]}');
  await page.getByRole('button', { name: /^Prettify/ }).click();
  await line('.graphiql-query-editor', /^\s*users\(first:\s\$n\)\s\{$/).waitFor();
  await line('.graphiql-query-editor', /^\}\s#\skept$/).waitFor();
  await line('.graphiql-editor-tool', /^\s\s"n":\s1,\s\/\/\skept$/).waitFor();
  await page.locator('.graphiql-tab-close').last().click();
});

test('an answer that does not say its SQL cost has no badge', async () => {
  await page.route('**/graphql', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), extensions: undefined } });
  });
  await whileRunning(() => page.locator('.graphiql-execute-button').click());
  await resultShows('"data"');
  assert.equal(await badge().count(), 0);
  await page.unroute('**/graphql');
});

test('headers typed into their editor are sent', async () => {
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
  await page.keyboard.insertText('{ "Accept-Language": "eo" }');
  const { request } = await whileRunning(() => page.locator('.graphiql-execute-button').click());
  assert.equal(request.headers()['accept-language'], 'eo');
});

test('the documentation pane shows what the schema says', async () => {
  const { data } = await post('{ __type(name: "Team") { description } }');
  assert.ok(data.__type.description, 'the schema describes Team');
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByRole('combobox').click();
  await page.keyboard.type('Team');
  await page.getByRole('option').filter({ hasText: /^Team$/ }).click();
  await docs.locator('.graphiql-markdown-description').first().waitFor();
  const words = (text) => text.match(/\w+/g).join(' ');
  const shown = words(await docs.innerText());
  assert.ok(shown.includes(words(data.__type.description)), `${data.__type.description}\nis not in\n${shown}`);
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
});

for (const scheme of ['light', 'dark']) {
  test(`everybody can read and reach what is there, ${scheme}`, async () => {
    await visit(scheme);
    await whileRunning(() => page.locator('.graphiql-execute-button').click());
    await noViolations(page);
    await visit('light');
  });
}

test('the page follows the system when it turns dark, editors too', async () => {
  const colours = () =>
    page.evaluate(() => ['.graphiql-container', '.monaco-editor .view-line span'].map((of) => getComputedStyle(document.querySelector(of)).color).join(' '));
  const light = await colours();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction((was) => !was.split(' rgb').some((colour, i) => {
    const now = getComputedStyle(document.querySelector(['.graphiql-container', '.monaco-editor .view-line span'][i])).color;
    return now === (i === 0 ? colour : `rgb${colour}`);
  }), light);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.waitForFunction(
    (was) => ['.graphiql-container', '.monaco-editor .view-line span'].map((of) => getComputedStyle(document.querySelector(of)).color).join(' ') === was,
    light,
  );
});

test('an answer shows its cost, its SQL, and the plan on a click', async () => {
  await tabs().first().click();
  await line('.graphiql-query-editor', /query\sHeroesAndTeams/).waitFor();
  const { answer } = await whileRunning(() => page.locator('.graphiql-execute-button').click());
  await badge().getByText(`cost ${answer.extensions.cost.actual}`).waitFor();
  const open = page.getByRole('button', { name: 'SQL and plan' });
  const panel = page.getByRole('dialog', { name: 'SQL of this query' });
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await open.click();
    await panel.getByText(/SELECT/).first().waitFor();
    assert.equal(await panel.getByLabel(/^Statement/).count(), answer.extensions.sql.statements);
    await panel.getByRole('button', { name: 'Explain' }).click();
    await panel.getByLabel('Plan 1').waitFor();
    assert.match(await panel.getByLabel('Plan 1').innerText(), /SCAN|SEARCH|Scan/);
    await noViolations(page);
    await page.setViewportSize({ width: 390, height: 844 });
    const box = await panel.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
    await page.setViewportSize({ width: 1280, height: 800 });
    await panel.getByRole('button', { name: 'Close' }).click();
    await panel.waitFor({ state: 'hidden' });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await tabs().last().click();
});

test('the page leads to the other pages that the server has, and to no others', async () => {
  const { links } = await (await fetch(new URL('/config.json', forge))).json();
  for (const path of ['/console', '/docs/']) {
    assert.ok(links.some((link) => link.path === path), path);
  }
  const shown = page.getByRole('navigation', { name: 'Other pages of this server' }).getByRole('link');
  assert.deepEqual(
    await shown.evaluateAll((all) => all.map((link) => ({ name: link.textContent, path: link.getAttribute('href') }))),
    links,
  );
  for (const { path } of links) {
    assert.equal((await fetch(new URL(path, forge))).status, 200, path);
  }
});

// visit opens the page anew, for a reader who wants it light or dark.
async function visit(scheme) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.reload();
  await line('.graphiql-query-editor', /./).waitFor();
}

test('the keyboard is enough to choose a tab and to run it, and leaves an editor', async () => {
  await tabs().first().focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.graphiql-tab-button')?.getAttribute('aria-current') === 'true');
  await page.locator('.graphiql-execute-button').focus();
  const { answer } = await whileRunning(() => page.keyboard.press('Enter'));
  assert.equal(answer.errors, undefined);
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('Control+m');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.closest('.graphiql-query-editor .monaco-editor')), null);
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('Control+m'); // as it was
  await tabs().last().click();
});

test('on a phone the answer is there to scroll to', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await whileRunning(() => page.locator('.graphiql-execute-button').click());
  const answer = page.locator('.graphiql-response');
  await answer.scrollIntoViewIfNeeded();
  const box = await answer.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, `it reaches from ${box.x} to ${box.x + box.width}`);
  assert.ok(box.y < 500 && box.width > 300 && box.height > 300, JSON.stringify(box));
  await resultShows('"data"');
  const { width, height } = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    height: document.documentElement.scrollHeight,
  }));
  assert.ok(width <= 390 && height < 3 * 844, `the page is ${width} by ${height}`);
  const corner = await page.locator('.graphiql-logo').boundingBox();
  const tab = await tabs().first().boundingBox();
  assert.ok(corner.y + corner.height <= tab.y, 'the links stand above the tabs');
  await noViolations(page);
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('a later visit finds the tabs as they were left', async () => {
  await page.waitForFunction(() => localStorage.getItem('forge:graphiql:tabState')?.includes('first: 2'));
  await page.reload();
  await line('.graphiql-query-editor', /./).waitFor();
  assert.equal(await tabs().count(), examples.length + 1);
  await line('.graphiql-query-editor', /users\(first:\s2\)/).waitFor();
});

test('screenshot', { skip: !SCREENSHOT && 'SCREENSHOT is not set' }, async () => {
  await page.locator('.graphiql-tab-close').last().click();
  await tabs().first().click();
  await whileRunning(() => page.locator('.graphiql-execute-button').click());
  await badge().waitFor();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(500); // for tooltips to fade; nothing is asserted after it
  await page.screenshot({ path: SCREENSHOT });
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});

function tabs() {
  return page.locator('.graphiql-tab-button');
}

// line finds the lines of an editor that match; between their words is any kind of space.
function line(editor, pattern) {
  return page.locator(`${editor} .view-line`, { hasText: pattern }).first();
}

function badge() {
  return page.locator('.sql-cost');
}

// whileRunning does what starts an operation, and returns the request it made and the answer to it.
async function whileRunning(start) {
  const [response] = await Promise.all([
    page.waitForResponse((r) => new URL(r.url()).pathname === '/graphql' && !r.request().postData().includes('__schema')),
    start(),
  ]);
  return { request: response.request(), answer: await response.json() };
}

async function resultShows(text) {
  await page.locator('.result-window .view-lines').getByText(text).first().waitFor();
}

async function badgeShows(answer) {
  const { statements } = answer.extensions.sql;
  assert.ok(Number.isInteger(statements) && statements > 0, `extensions.sql.statements is ${statements}`);
  await badge().getByText(`${statements} SQL statement`).waitFor();
}
