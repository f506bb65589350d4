// Looks at the one statement of a nested query, and at its plan, in the playground of a running
// server on PostgreSQL. browser.mjs says how to run it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { forge, open } from './browser.mjs';

let browser, page, foreign, complaints;

before(async () => ({ browser, page, foreign, complaints } = await open()));

after(() => browser?.close());

test('a nested query is one statement, and a click explains it', async () => {
  await page.goto(forge.href);
  await page.locator('.graphiql-query-editor .view-line', { hasText: /query\sHeroesAndTeams/ }).waitFor();
  await page.locator('.graphiql-execute-button').click();
  await page.locator('.sql-cost').getByText('1 SQL statement').waitFor();
  await page.getByRole('button', { name: 'SQL and plan' }).click();
  const panel = page.getByRole('dialog', { name: 'SQL of this query' });
  const sql = panel.getByLabel(/^Statement/);
  await sql.waitFor();
  for (const table of ['users', 'heroes', 'teams']) {
    assert.match(await sql.innerText(), new RegExp(`"${table}"`));
  }
  assert.equal(await panel.getByLabel('Plan 1').count(), 0, 'nothing is explained before somebody asks');
  await panel.getByRole('button', { name: 'Explain' }).click();
  await panel.getByLabel('Plan 1').waitFor();
  assert.match(await panel.getByLabel('Plan 1').innerText(), /cost=\d/);
});

test('nothing went to another server, and nothing was complained about', () => {
  assert.deepEqual([...foreign, ...complaints], []);
});
