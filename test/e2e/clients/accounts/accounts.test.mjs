// The recipes of this folder against a server, as an application uses them. Nothing is installed
// for them. FORGE_URL is a server with SESSION_COOKIE=on, whose access tokens expire after two
// seconds.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Session as AppSession } from './expo.mjs';
import * as next from './next.mjs';
import { Session } from './spa.mjs';
import * as svelte from './sveltekit.mjs';

const url = process.env.FORGE_URL;
const origin = process.env.APP_ORIGIN; // the one that CORS_ORIGINS names
const password = 'correct horse';
const whoAmI = '{ viewer { username sessions { nodes { client address current } } } }';
const username = (answer) => answer.data?.viewer?.username ?? null;

const nodeFetch = globalThis.fetch;

// newUser signs a user up, and returns the name.
async function newUser() {
  const name = `user${Math.random().toString(36).slice(2)}`;
  const query = 'mutation($i: SignUpInput!) { signUp(input: $i) { accessToken } }';
  const body = JSON.stringify({ query, variables: { i: { username: name, password } } });
  const response = await nodeFetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  assert.equal((await response.json()).errors, undefined);
  return name;
}

// keep stores the cookies of an answer as a browser does.
function keep(jar, response) {
  for (const line of response.headers.getSetCookie()) {
    const [pair, ...attributes] = line.split('; ');
    assert.ok(attributes.includes('HttpOnly') && attributes.includes('Path=/'), line);
    const at = pair.indexOf('=');
    jar.set(pair.slice(0, at), pair.slice(at + 1));
    if (attributes.some((a) => /^Max-Age=(0|-)/.test(a))) {
      jar.delete(pair.slice(0, at));
    }
  }
}

const header = (jar) => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

// browser returns what fetch is to the pages of an origin: it sends and keeps cookies where the
// page asks for it, and hands over no answer that CORS does not allow.
function browser(from) {
  const jar = new Map();
  async function fetch(address, init) {
    const headers = { ...init.headers, Origin: from, 'User-Agent': 'Browser/1', 'Sec-Fetch-Site': 'same-site' };
    if (init.credentials === 'include' && jar.size > 0) {
      headers.Cookie = header(jar);
    }
    const response = await nodeFetch(address, { ...init, headers });
    const allows = (name) => response.headers.get(`access-control-allow-${name}`);
    if (allows('origin') !== from || allows('credentials') !== 'true') {
      throw new TypeError('Failed to fetch');
    }
    keep(jar, response);
    return response;
  }
  return { fetch, jar };
}

// within runs do with another fetch.
async function within(fetch, run) {
  globalThis.fetch = fetch;
  try {
    await run();
  } finally {
    globalThis.fetch = nodeFetch;
  }
}

test('a single-page application', async () => {
  const { fetch, jar } = browser(origin);
  let refreshes = 0;
  let lose = false;
  const counted = async (address, init) => {
    const refresh = init.body.includes('refreshSession');
    refreshes += refresh ? 1 : 0;
    const response = await fetch(address, init);
    if (refresh && lose) {
      lose = false;
      throw new TypeError('Failed to fetch');
    }
    return response;
  };
  await within(counted, async () => {
    const name = await newUser();
    const session = new Session(url);
    assert.equal(await session.resume(), false);
    await assert.rejects(session.signIn(name, 'wrong wrong'));
    await session.signIn(name, password);
    assert.equal(username(await session.request(whoAmI)), name);
    assert.equal(jar.size, 1);

    const before = new Map(jar);
    for (let round = 0; round < 10; round += 1) {
      const tabs = Array.from({ length: 4 }, () => new Session(url)); // four tabs reload at once
      assert.deepEqual(await Promise.all(tabs.map((tab) => tab.resume())), [true, true, true, true]);
      assert.equal(username(await tabs[3].request(whoAmI)), name);
    }
    assert.notDeepEqual(jar, before);

    await sleep(2500);
    refreshes = 0;
    const answers = await Promise.all([1, 2, 3].map(() => session.request(whoAmI)));
    assert.deepEqual(answers.map(username), [name, name, name]);
    assert.equal(refreshes, 1);

    const reloaded = new Session(url);
    lose = true;
    await assert.rejects(reloaded.resume(), /Failed to fetch/);
    assert.equal(await reloaded.resume(), true);

    await session.signOut();
    assert.equal(jar.size, 0);
    assert.equal(username(await session.request(whoAmI)), null);
    assert.equal(await new Session(url).resume(), false);
  });
  await within(browser('https://evil.example').fetch, () => assert.rejects(new Session(url).resume(), /Failed to fetch/));
});

test('an app made with Expo', async () => {
  const kept = new Map();
  const store = {
    getItemAsync: async (key) => kept.get(key) ?? null,
    setItemAsync: async (key, value) => void kept.set(key, value),
    deleteItemAsync: async (key) => void kept.delete(key),
  };
  const name = await newUser();
  const session = new AppSession(url, store);
  assert.equal(await session.resume(), false);
  await session.signIn(name, password);
  assert.equal(username(await session.request(whoAmI)), name);
  const started = new AppSession(url, store);
  assert.equal(await started.resume(), true);
  await sleep(2500);
  const answers = await Promise.all([1, 2, 3].map(() => started.request(whoAmI)));
  assert.deepEqual(answers.map(username), [name, name, name]);

  let lost = false; // in a tunnel
  const tunnel = async (...request) => {
    const response = await nodeFetch(...request);
    if (!lost) {
      lost = true;
      throw new TypeError('Network request failed');
    }
    return response;
  };
  await within(tunnel, async () => {
    const again = new AppSession(url, store);
    await assert.rejects(again.resume());
    assert.equal(await again.resume(), true);
  });
  await started.signOut();
  assert.equal(kept.size, 0);
  assert.equal(await new AppSession(url, store).resume(), false);
});

// cookieStore is what Next.js and SvelteKit have for the cookies of a request; set also sets them
// in the answer.
function cookieStore(request, response) {
  const pairs = (request.headers.cookie ?? '').split('; ').filter(Boolean);
  const all = new Map(pairs.map((pair) => [pair.split('=', 1)[0], decodeURIComponent(pair.slice(pair.indexOf('=') + 1))]));
  const store = {
    get: (name) => all.get(name),
    set(name, value, options) {
      all.set(name, value);
      if (response === null) {
        return;
      }
      const { maxAge, path, httpOnly, secure, sameSite } = options;
      assert.ok(httpOnly && secure && sameSite && path === '/');
      response.appendHeader('Set-Cookie', `${name}=${encodeURIComponent(value)}; Path=/; HttpOnly; Secure; SameSite=${sameSite}; Max-Age=${maxAge}`);
    },
    delete(name, options) {
      if (response !== null) {
        store.set(name, '', { ...options, maxAge: 0 });
      }
      all.delete(name);
    },
  };
  return store;
}

// named is a store as Next.js has it: get returns an object.
const named = (store) => ({ ...store, get: (name) => (store.get(name) === undefined ? undefined : { value: store.get(name) }) });

const json = (response, value) => response.end(JSON.stringify(value));
const headersOf = (request) => new Headers(Object.entries(request.headers));

// nextApp answers as a Next.js application with middleware, a page and two actions.
async function nextApp(request, response) {
  const seen = named(cookieStore(request, null));
  const headers = headersOf(request);
  const finish = await next.renew({ cookies: seen, headers });
  const answer = { cookies: named(cookieStore(request, response)) };
  finish(answer);
  if (request.url === '/sign-in') {
    await next.begin(answer.cookies, headers, headers.get('x-login'), headers.get('x-password'));
  } else if (request.url === '/sign-out') {
    await next.end({ ...seen, set: answer.cookies.set }, headers);
  }
  json(response, await next.request(seen, headers, whoAmI));
}

// svelteApp answers as a SvelteKit application with a page and two actions.
async function svelteApp(request, response) {
  const address = request.headers['x-forwarded-for'];
  const event = { request: { headers: headersOf(request) }, getClientAddress: () => address, cookies: cookieStore(request, response), locals: {} };
  await svelte.handle({
    event,
    async resolve() {
      if (request.url === '/sign-in') {
        await svelte.begin(event, request.headers['x-login'], request.headers['x-password']);
      } else if (request.url === '/sign-out') {
        await svelte.end(event);
      }
      json(response, await event.locals.forge(whoAmI));
    },
  });
}

for (const [kind, app] of Object.entries({ 'Next.js': nextApp, SvelteKit: svelteApp })) {
  test(`the server side of ${kind}`, async (t) => {
    const server = http.createServer((request, response) => {
      app(request, response).catch((error) => {
        response.statusCode = 500;
        json(response, { error: String(error) });
      });
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => server.close());
    const jar = new Map();
    const visit = async (path, headers = {}) => {
      const cookie = jar.size > 0 ? { Cookie: header(jar) } : {};
      const address = `http://127.0.0.1:${server.address().port}${path}`;
      const response = await nodeFetch(address, { headers: { 'User-Agent': 'Browser/2', 'X-Forwarded-For': '192.0.2.7', ...cookie, ...headers } });
      keep(jar, response);
      return response.json();
    };
    const name = await newUser();
    assert.equal(username(await visit('/')), null);
    assert.match((await visit('/sign-in', { 'X-Login': name, 'X-Password': 'wrong wrong' })).error, /wrong/);
    await visit('/sign-in', { 'X-Login': name, 'X-Password': password });
    assert.equal(jar.size, 1);
    const before = header(jar);
    const page = await visit('/');
    assert.equal(username(page), name);
    const current = page.data.viewer.sessions.nodes.find((node) => node.current);
    assert.deepEqual([current.client, current.address], ['Browser/2', '192.0.2.7']);
    assert.notEqual(header(jar), before, 'the tokens were renewed before they expired');
    for (let round = 0; round < 10; round += 1) {
      const tabs = await Promise.all([1, 2, 3, 4].map(() => visit('/')));
      assert.deepEqual(tabs.map(username), [name, name, name, name]);
    }
    await sleep(2500);
    assert.equal(username(await visit('/')), name);
    const stolen = new Map(jar);
    await visit('/sign-out');
    assert.equal(jar.size, 0);
    assert.equal(username(await visit('/')), null);
    stolen.forEach((value, key) => jar.set(key, value));
    assert.equal(username(await visit('/')), null);
    assert.equal(jar.size, 0, 'a cookie of a session that has ended is removed');
  });
}
