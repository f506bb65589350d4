// Follows changes with the EventSource of headless Chromium, by a proxy that cuts its connections.
// browser.mjs says how to run it.
import assert from 'node:assert/strict';
import { createServer, connect } from 'node:net';
import { after, before, test } from 'node:test';

const server = new URL(process.env.FORGE_URL);
const sockets = new Set();
const asked = []; // the first bytes of each request for a stream
let away = false;

// The browser reaches Forge by this proxy alone.
const proxy = createServer((client) => {
  if (away) {
    return client.destroy();
  }
  const upstream = connect(Number(server.port), server.hostname);
  for (const [from, to] of [[client, upstream], [upstream, client]]) {
    sockets.add(from);
    from.on('error', () => {}).on('close', () => to.destroy()).pipe(to);
  }
  client.on('data', (data) => data.includes('text/event-stream') && asked.push(String(data)));
});
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
process.env.FORGE_URL = `http://127.0.0.1:${proxy.address().port}`;
const { forge, open } = await import('./browser.mjs');

let browser, page;

before(async () => ({ browser, page } = await open()));

after(async () => {
  await browser?.close();
  proxy.close();
});

test('an EventSource goes on where it was, after its connection was lost', async () => {
  await page.goto(forge.href, { waitUntil: 'commit' });
  await page.evaluate(() => {
    const query = 'subscription { heroChanges { changes { kind hero { name } } } }';
    const source = new EventSource(`/graphql?query=${encodeURIComponent(query)}`);
    globalThis.told = [];
    source.addEventListener('next', ({ data, lastEventId }) => {
      const names = JSON.parse(data).data.heroChanges.changes.map(({ kind, hero }) => `${kind} ${hero.name}`);
      globalThis.told.push({ names, lastEventId });
    });
  });
  await told((all) => all.length === 1);
  await create('Before');
  await told((all) => all.some(({ names }) => names.includes('CREATED Before')));
  away = true;
  sockets.forEach((socket) => socket.destroy());
  await create('Meanwhile');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const last = (await told(() => true)).at(-1).lastEventId;
  away = false;
  await told((all) => all.some(({ names }) => names.includes('CREATED Meanwhile')));
  await create('After');
  const all = await told((all) => all.some(({ names }) => names.includes('CREATED After')));
  const names = all.flatMap(({ names }) => names);
  assert.deepEqual(names, ['CREATED Before', 'CREATED Meanwhile', 'CREATED After']);
  assert.ok(asked.length >= 2 && !/last-event-id/i.test(asked[0]), asked.join('\n'));
  assert.ok(asked[1].toLowerCase().includes(`last-event-id: ${last}`.toLowerCase()), asked[1]);
});

// told waits until what the page was told fulfils a condition, and returns it.
async function told(condition) {
  for (const end = Date.now() + 60_000; ; ) {
    const all = await page.evaluate(() => globalThis.told);
    if (condition(all)) {
      return all;
    }
    assert.ok(Date.now() < end, `the page was told ${JSON.stringify(all)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// create makes a hero, not by the proxy.
async function create(name) {
  const response = await fetch(new URL('/graphql', server), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: 'mutation($name: String!) { createHero(input: { name: $name }) { hero { id } } }', variables: { name } }),
  });
  const { errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
}
