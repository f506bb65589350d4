// Uses the application of this folder in Chromium, as people do. FORGE_URL is a server on localhost
// with AUTH=on. APP_URL is where the application is served, another origin on localhost. S3_URL is
// the server of S3 that has the files, or empty if they are in a folder.
// NAME is a username that nobody has.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { open } from '../../../../playground/browser.mjs';

const { APP_URL: app, S3_URL: s3, NAME: name } = process.env;
let browser, page, foreign, complaints;

before(async () => {
  ({ browser, page, foreign, complaints } = await open([app, ...(s3 ? [s3] : [])]));
  await page.goto(app);
  await page.locator('[name=username]').fill(name);
  await page.locator('[name=password]').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('heading', { name }).waitFor();
});

after(() => browser?.close());

test('photos are sent and shown, smaller and as they are', async () => {
  await add([{ name: 'wide.png', buffer: png(300, 100) }, { name: 'tall ü.png', buffer: png(90, 200) }]);
  await photos(2);
  assert.deepEqual(await sizes(), [[80, 80], [80, 80]]);
  await page.getByText('300 × 100').waitFor();
  const [, link] = await page.locator('#photos a').all();
  const answer = await page.request.get(await link.getAttribute('href'));
  assert.equal(answer.status(), 200);
  assert.equal(answer.headers()['content-type'], 'image/png');
  assert.deepEqual(await answer.body(), png(90, 200));
});

test('a large photo goes on after its connection was cut', { skip: s3 && 'S3 takes a file as a whole' }, async () => {
  let cuts = 0;
  await page.route(/\/files\/uploads\//, (route) => (route.request().method() === 'PATCH' && ++cuts % 2 ? route.abort() : route.continue()));
  await add([{ name: 'large.png', buffer: png(700, 700, true) }], true);
  await photos(3);
  await page.unroute(/\/files\/uploads\//);
  assert.ok(cuts >= 2, `cut ${cuts} times`);
  assert.deepEqual((await sizes())[2], [80, 80]);
});

test('what is no picture is refused with a reason, and the photos stay', async () => {
  const before = await page.locator('#photos li').count();
  await add([{ name: 'photo.png', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>') }]);
  await page.getByRole('status').getByText('by its content').waitFor();
  await add([{ name: 'broken.png', buffer: png(50, 50).subarray(0, 60) }]);
  await page.getByRole('status').getByText('cannot be read').waitFor();
  assert.equal(await page.locator('#photos li').count(), before);
});

test('a photo is removed', async () => {
  const before = await page.locator('#photos li').count();
  await page.getByRole('button', { name: 'Remove wide.png' }).click();
  await photos(before - 1);
});

test('nothing went elsewhere, and nothing else was complained about', () => {
  // Connections were cut above, and Chromium gives up the answers to uploads, which have no body.
  const others = complaints.filter((text) => !/net::ERR_(FAILED|ABORTED)/.test(text));
  assert.deepEqual({ foreign, others }, { foreign: [], others: [] });
});

async function add(files, resumable = false) {
  await page.locator('[name=photos]').setInputFiles(files.map((file) => ({ mimeType: 'image/png', ...file })));
  await page.locator('[name=resumable]').setChecked(resumable);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
}

const photos = (count) => page.waitForFunction((n) => document.querySelectorAll('#photos li').length === n, count);

// sizes returns the sizes of the pictures as they were received.
function sizes() {
  return page.evaluate(async () => {
    const images = [...document.querySelectorAll('#photos img')];
    await Promise.all(images.map((image) => image.decode()));
    return images.map((image) => [image.naturalWidth, image.naturalHeight]);
  });
}

// png returns a picture. With noise, it does not get small.
function png(width, height, noise = false) {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let i = 0; i < rows.length; i += 1) {
    rows[i] = i % (1 + 3 * width) === 0 ? 0 : noise ? (Math.imul(i, 2654435761) >>> 13) & 255 : (i * 7 + width) & 255;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [['IHDR', header], ['IDAT', deflateSync(rows)], ['IEND', Buffer.alloc(0)]];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts.map(([type, data]) => chunk(type, data))]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k += 1) {
      c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
  }
  return (c ^ 0xffffffff) >>> 0;
}
