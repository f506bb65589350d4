// Drives the console on an API with a column of every kind. ../test/e2e starts the server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forge, noViolations, open, post } from '../playground/browser.mjs';

let browser, page, foreign, complaints;

before(async () => {
  ({ browser, page, foreign, complaints } = await open());
  await page.goto(new URL('/console', forge).href);
});

after(() => browser?.close());

const typed = {
  Whole: '-7', Big: '9007199254740993', Huge: '18', Real: '0.5', Near: '1e3', Price: '12.50', Measure: '3.14159265358979323846', Moment: '2026-01-02T03:04:05',
  Day: '2024-02-29', Clock: '15:04:05', Span: 'PT1H30M', Word: 'a word', Story: 'a story', Token: '01890a5d-ac96-774b-bcce-b302099a8057', Data: '/wAB', Document: '{"a":[1,null]}',
};

test('a row with every kind of value is created', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Samples' }).click();
  await page.getByRole('link', { name: 'New sample' }).click();
  for (const [label, value] of Object.entries(typed)) {
    await field(label).fill(value);
  }
  await field('Color').selectOption('Green');
  await field('Flag').check();
  const words = page.getByRole('group', { name: /^Words/ });
  await words.getByRole('button', { name: 'Add an entry' }).click();
  await words.getByLabel('Words 1').fill('one');
  await words.getByRole('button', { name: 'Add an entry' }).click();
  await words.getByLabel('Words 2').fill('');
  await noViolations(page);
  await page.getByRole('button', { name: 'Create sample' }).click();
  await page.getByRole('link', { name: 'Edit' }).waitFor();
  const { data } = await post('{ samples { nodes { flag whole big huge real near price measure moment day clock span word story color token data document words numbers maybeWhole maybeWords } } }');
  const [{ moment, ...stored }] = data.samples.nodes;
  assert.deepEqual(stored, {
    flag: true, whole: -7, big: '9007199254740993', huge: '18', real: 0.5, near: 1000, price: '12.50', measure: '3.14159265358979323846', day: '2024-02-29', clock: '15:04:05',
    span: 'PT1H30M', word: 'a word', story: 'a story', color: 'GREEN', token: typed.Token, data: '/wAB', document: { a: [1, null] }, words: ['one', ''], numbers: [], maybeWhole: null, maybeWords: null,
  });
  assert.equal(new Date(moment).getTime(), new Date(typed.Moment).getTime());
  await noViolations(page);
});

test('only what was changed is sent, and null clears', async () => {
  await page.getByRole('link', { name: 'Edit' }).click();
  await field('Price').fill('13');
  await field('Maybe whole').fill('5');
  await field('Maybe flag').selectOption('No');
  assert.deepEqual(await sent(), { price: '13', maybeWhole: 5, maybeFlag: false });
  await page.getByRole('link', { name: 'Edit' }).click();
  await field('Maybe whole').fill('');
  await field('Maybe flag').selectOption('—');
  assert.deepEqual(await sent(), { maybeWhole: null, maybeFlag: null });
});

test('what is no value of its kind is said at the field', async () => {
  await page.getByRole('link', { name: 'Edit' }).click();
  for (const [label, value] of [['Whole', '1.5'], ['Document', '{'], ['Token', 'x'], ['Big', 'many']]) {
    await field(label).fill(value);
  }
  await page.getByRole('button', { name: 'Save changes' }).click();
  assert.equal(await page.getByRole('alert').count(), 4);
  await noViolations(page);
  await page.getByRole('link', { name: 'Cancel' }).click();
});

test('rows are found by values of every kind', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Samples' }).click();
  await page.getByRole('button', { name: 'Filter' }).click();
  for (const [column, condition, value] of [['Price', 'is at least', '1'], ['Moment', 'is after', '2020-01-01T00:00'], ['Day', 'is on or before', '2025-01-01'], ['Word', 'contains', 'WORD']]) {
    await page.getByLabel('Column', { exact: true }).selectOption(column);
    await page.getByLabel('Condition').selectOption(condition);
    await page.getByLabel('Value').fill(value);
    await page.getByRole('button', { name: 'Add filter' }).click();
  }
  await page.getByLabel('Column', { exact: true }).selectOption('Maybe whole');
  await page.getByLabel('Condition').selectOption('is not empty');
  await page.getByText('1–1 of 1').waitFor();
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.getByText('Nothing matches.').waitFor();
  await noViolations(page);
});

test('totals and groups are there', async () => {
  await page.getByRole('button', { name: /^Remove the filter Maybe whole/ }).click();
  await page.getByRole('button', { name: 'Totals' }).click();
  await page.locator('.chart').waitFor();
  await page.getByRole('rowheader', { name: 'Price', exact: true }).waitFor();
  await noViolations(page);
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});

// field returns the input with a label, of which the star of a required field is no part.
function field(label) {
  return page.getByLabel(new RegExp(`^\\s*${label}( \\*)?$`));
}

// sent saves the form, and returns the input that was sent.
async function sent() {
  const [request] = await Promise.all([page.waitForRequest((r) => r.postData()?.includes('updateSample')), page.getByRole('button', { name: 'Save changes' }).click()]);
  await page.getByRole('link', { name: 'Edit' }).waitFor();
  return request.postDataJSON().variables.input;
}
