// What the console makes of schemas, without a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, amounts, hundredths, money } from './src/money.js';
import { inputFields, modelOf, withAmounts } from './src/schema.js';
import { fileHelp, label, participle, plain, programName, shortID, typesIn } from './src/words.js';

const types = {
  Query: { kind: 'OBJECT', fields: [{ name: 'parcels', type: 'ParcelConnection!', args: [{ name: 'where', type: 'ParcelWhereInput' }] }, { name: 'parcel', type: 'Parcel', args: [{ name: 'id', type: 'ID!' }] }] },
  Mutation: {
    kind: 'OBJECT',
    fields: [
      { name: 'updateParcel', type: 'P!', args: [{ name: 'id', type: 'ID!' }, { name: 'input', type: 'UpdateParcelInput!' }] },
      { name: 'shipParcel', type: 'P!', args: [{ name: 'id', type: 'ID!' }] },
      { name: 'weigh', type: 'P!', args: [{ name: 'parcelId', type: 'ID!' }, { name: 'grams', type: 'Int!' }] },
      { name: 'endSession', type: 'P!', args: [{ name: 'id', type: 'ID!' }] },
    ],
  },
  ParcelConnection: { kind: 'OBJECT', fields: [{ name: 'nodes', type: '[Parcel!]!' }, { name: 'pageInfo', type: 'PageInfo!' }] },
  Parcel: {
    kind: 'OBJECT',
    fields: [{ name: 'id', type: 'ID!' }, { name: 'title', type: 'String!' }, { name: 'state', type: 'State!' }, { name: 'picture', type: 'File' }, { name: 'photos', type: '[File!]!' }, { name: 'within', type: 'Parcel' }, { name: 'quote', type: 'Int', args: [{ name: 'to', type: 'String!' }] }],
  },
  State: { kind: 'ENUM', values: [{ name: 'OPEN' }, { name: 'SHIPPED' }] },
  File: { kind: 'OBJECT', fields: [{ name: 'id', type: 'ID!' }, { name: 'url', type: 'String' }] },
  UpdateParcelInput: { kind: 'INPUT_OBJECT', fields: [{ name: 'title', type: 'String' }, { name: 'pictureId', type: 'ID' }, { name: 'photoIds', type: '[ID!]' }, { name: 'withinId', type: 'ID' }] },
  P: { kind: 'OBJECT', fields: [{ name: 'ok', type: 'Boolean!' }] },
  ...Object.fromEntries(['ID', 'Int', 'String', 'Boolean'].map((name) => [name, { kind: 'SCALAR' }])),
};

test('an entity has columns, forms and actions by the conventions', () => {
  const model = modelOf({ role: 'ADMIN', types });
  assert.deepEqual([...model.entities.keys()], ['Parcel']);
  const parcel = model.entities.get('Parcel');
  assert.equal(parcel.title, 'title');
  assert.deepEqual(parcel.columns.map(({ name, kind }) => `${name} ${kind}`), ['id value', 'title value', 'state value', 'picture file', 'photos file', 'within one']);
  assert.equal(parcel.actions[0].asks('this parcel'), 'Mark this parcel as shipped');
  assert.deepEqual(parcel.actions.map(({ name, label: text, done }) => [name, text, done?.value]), [['shipParcel', 'Mark as shipped', 'SHIPPED'], ['weigh', 'Weigh', undefined]]);
  assert.equal(parcel.create, undefined);
  const fields = inputFields(model, 'UpdateParcelInput', parcel);
  assert.deepEqual(fields.map(({ name, kind, list, label: text }) => [name, kind, list, text]), [
    ['title', 'value', false, 'Title'], ['pictureId', 'file', false, 'Picture'], ['photoIds', 'file', true, 'Photos'], ['withinId', 'reference', false, 'Within'],
  ]);
});

test('names become words', () => {
  const names = { priceCents: 'Price cents', createdAt: 'Created', eraseAt: 'Erase at', isActive: 'Active', SKU: 'SKU', vatID: 'VAT ID', PAID_LATE: 'Paid late' };
  assert.deepEqual(Object.fromEntries(Object.keys(names).map((name) => [name, label(name)])), names);
  const becomes = { pay: 'PAID', cancel: 'CANCELLED', close: 'CLOSED', ship: 'SHIPPED', deny: 'DENIED', open: undefined };
  for (const [verb, want] of Object.entries(becomes)) {
    assert.equal(participle(verb, ['PENDING', 'PAID', 'CANCELLED', 'CLOSED', 'SHIPPED', 'DENIED']), want, verb);
  }
});

test('descriptions are said as people need them', () => {
  assert.equal(plain('Says that a `pending` order was paid. `CONFLICT` if it is not.'), 'Says that a pending order was paid.');
  assert.equal(plain('Ends all. `BAD_USER_INPUT`, and nothing is ended, if there are none. It is final.'), 'Ends all. It is final.');
  assert.equal(plain('`PENDING` orders first.'), 'PENDING orders first.');
  const text = "An upload of one's own that is in no row yet; see `createUpload`. At most 10,485,760 bytes, image/png or image/svg+xml.";
  assert.equal(fileHelp(text), 'At most 10 MB, PNG or SVG.');
  assert.deepEqual(typesIn(text), ['image/png', 'image/svg+xml']);
  assert.equal(fileHelp(undefined), '');
});

test('a row without a name is called by its ID', () => {
  assert.equal(shortID('order_01kdtbm20de00bzakcq477zege'), '…77zege');
  assert.equal(shortID('invoice_12'), '12');
});

test('a browser is called by its name', () => {
  const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
  assert.equal(programName(`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/156.0.0.0 Safari/537.36`), 'Chrome on Linux');
  assert.equal(programName(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`), 'Edge on Windows');
  assert.equal(programName(`Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) ${webkit} Version/26.0 Mobile/15E148 Safari/604.1`), 'Safari on iOS');
  assert.equal(programName('curl/8.14.1'), 'curl/8.14.1');
  assert.equal(programName(null), '');
});

test('numbers whose names end in Cents are amounts', () => {
  const called = (...all) => withAmounts(all.map(([name, scalar, list]) => ({ name, scalar, list, label: label(name), help: 'In cents, 0 or more.' }))).map((one) => [one.label, Boolean(one.money), one.help]);
  assert.deepEqual(called(['priceCents', 'Int'], ['cents', 'BigInt']), [['Price', true, '0 or more.'], ['Amount', true, '0 or more.']]);
  const others = [['price', 'String'], ['priceCents', 'Int'], ['rateCents', 'Float'], ['listCents', 'Int', true], ['percents', 'Int'], ['centsible', 'Int']];
  assert.deepEqual(called(...others).map(([text, is]) => [text, is]), [['Price', false], ['Price cents', true], ['Rate cents', false], ['List cents', false], ['Percents', false], ['Centsible', false]]);
});

test('amounts are read as they are written', () => {
  for (const [text, digits, again] of [['12', '1200', '12.00'], ['12.5', '1250', '12.50'], ['0,07', '7', '0.07'], ['-0.05', '-5', '-0.05'], ['+1.00', '100', '1.00'], ['90071992547409.93', '9007199254740993', '90071992547409.93']]) {
    assert.match(text, amounts);
    assert.equal(hundredths(text), digits);
    assert.equal(money(digits), again);
  }
  for (const text of ['', '.5', '1,234', '1.234', '1 000', '12.', 'x', '1e3']) {
    assert.doesNotMatch(text, amounts);
  }
  assert.deepEqual([amount(123456), amount(-5), amount('-5'), amount('9007199254740993'), amount(212482.18)], ['1,234.56', '-0.05', '-0.05', '90,071,992,547,409.93', '2,124.82']);
});
