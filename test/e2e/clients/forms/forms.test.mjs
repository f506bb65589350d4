// The examples of clients/forge-errors/README.md, run against a server.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { formErrors } from 'forge-errors';
import { ask, endpoint, makeTeam, unique } from '../forge.mjs';

const folder = new URL('../generated/forms/', import.meta.url);
mkdirSync(folder, { recursive: true });
const page = readFileSync(new URL('../../../../clients/forge-errors/README.md', import.meta.url), 'utf8');

// example returns the module of an example.
async function example(name) {
  const [, code] = page.match(new RegExp('```js ' + name + '\n([^]*?)```'));
  const file = new URL(`${name}.mjs`, folder);
  writeFileSync(file, code);
  return import(file.href);
}

test('Apollo Client: all faults at once, each at its field', async () => {
  const { save } = await example('apollo');
  const faults = await save(endpoint, { name: ' ', age: -1, teamId: 'x' });
  assert.deepEqual(Object.keys(faults.fields).sort(), ['age', 'name', 'teamId']);
  const { fields, code, form, more } = await save(endpoint, { name: ' ', age: -1 });
  assert.deepEqual(fields, { name: ['name must not be blank'], age: ['age is -1; it must be from 0 to 2147483647'] });
  assert.deepEqual({ code, form, more }, { code: 'BAD_USER_INPUT', form: [], more: 0 });
  const types = await save(endpoint, { name: null, age: 'old' });
  assert.deepEqual(types.fields, { name: ['name cannot be null'], age: ['age must be a whole number'] });
  assert.equal(await save(endpoint, { name: unique('hero') }), null);
});

test('urql: what somebody else has changed', async () => {
  const { save } = await example('urql');
  const { heroId } = await makeHero();
  assert.equal(await save(endpoint, heroId, 1, { age: 46 }), null);
  const { conflict, code, form } = await save(endpoint, heroId, 1, { age: 50, name: 'Sam' });
  assert.deepEqual({ conflict, code }, { conflict: { version: 2, current: { age: 46 } }, code: 'CONFLICT' });
  assert.equal(form.length, 1);
  assert.equal(await save(endpoint, heroId, conflict.version, { age: 50 }), null);
});

test('React Hook Form: messages at the fields, in German', async () => {
  const { form, submit } = await example('react-hook-form');
  form.setValue('name', ' ');
  form.setValue('age', -5);
  await submit(endpoint)();
  assert.equal(form.getFieldState('name').error.message, 'name darf nicht leer sein');
  assert.equal(form.getFieldState('age').error.message, 'age ist -5; erlaubt ist 0 bis 2147483647');
  form.setValue('name', unique('hero'));
  form.setValue('age', 5);
  form.clearErrors();
  await submit(endpoint)();
  assert.equal(form.getFieldState('name').error, undefined);
});

test('lines of an order that lack stock', async () => {
  const { createProduct, users } = await ask(
    `mutation ($sku: String!) { createProduct(input: { sku: $sku, name: "Pie", priceCents: 5, stock: 1 }) { product { id } } }`,
    { sku: unique('PIE') },
  ).then(async (made) => ({ ...made, ...(await ask('{ users(first: 1) { nodes { id } } }')) }));
  const item = { productId: createProduct.product.id, quantity: 1 };
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }',
      variables: { input: { userId: users.nodes[0].id, items: [item, item, item] } },
    }),
  });
  const { fields, code } = formErrors(await response.json());
  assert.deepEqual([code, Object.keys(fields)], ['INSUFFICIENT_STOCK', ['items.1.quantity', 'items.2.quantity']]);
});

test('failures without an answer, and answers that are odd', () => {
  assert.deepEqual(formErrors(new TypeError('fetch failed')).form, ['fetch failed']);
  assert.deepEqual(formErrors(null), { fields: {}, form: [], more: 0, outcomeUnknown: false });
  assert.deepEqual(formErrors({ errors: [] }).fields, {});
  assert.deepEqual(formErrors({ bodyText: '{"errors":[{"message":"later","extensions":{"code":"UNAVAILABLE","retryAfter":3}}]}' }), {
    fields: {}, form: ['later'], code: 'UNAVAILABLE', retryAfter: 3, more: 0, outcomeUnknown: false,
  });
  const [other] = formErrors([{ message: 'm', extensions: { field: 'id' } }]).form;
  assert.equal(other, 'm');
  assert.deepEqual(formErrors([{ message: 'm', extensions: { field: 'id' } }], { argument: '' }).fields, { id: ['m'] });
});

async function makeHero() {
  const { teamId } = await makeTeam(0);
  const { createHero } = await ask(
    `mutation ($team: ID!) { createHero(input: { name: "Sam", age: 45, teamId: $team }) { hero { id } } }`,
    { team: teamId },
  );
  return { heroId: createHero.hero.id };
}
